import { isUtf8 } from 'node:buffer';

import type { ColumnScan, RowKey } from '../../contract.ts';
import { cp1252ToUtf8 } from '../../types/csv-cp1252.ts';
import type { CsvFact } from '../../types/csv-decide.ts';
import { csvForm, isFloatSafe, type CsvForm } from '../../types/csv-forms.ts';
import type { FileFormat } from './file-format.ts';
import { isNullField } from './null-field.ts';
import type { RecordTokenizer } from './record-tokenizer.ts';

const MAX_SAMPLES = 5;
/** Of these a person may want to see a few. */
const SAMPLED: ReadonlySet<CsvFact> = new Set<CsvFact>([
  'text',
  'leadingZero',
  'commaOrGroup',
  'dayFirst',
  'monthFirst',
  'dayOrMonth',
  'zeroDate',
  'empty',
  'nul',
  'invalidUtf8',
  'ragged',
]);
/** Numbers that a double may print as they stand. */
const FLOATS: ReadonlySet<CsvForm> = new Set<CsvForm>(['integer', 'pointDecimal', 'pointOrGroup']);
const OWN_DATES: ReadonlySet<CsvForm> = new Set<CsvForm>([
  'dayFirst',
  'monthFirst',
  'dayOrMonth',
  'dayIsMonth',
]);

/** What has been counted of one column so far. */
export class ColumnTally {
  readonly #facts = new Map<CsvFact, number>();
  readonly #samples = new Map<CsvFact, RowKey[]>();
  #values = 0;
  #minInteger: bigint | null = null;
  #maxInteger: bigint | null = null;
  #maxLength = 0;
  #maxBytes = 0;

  addField(record: RecordTokenizer, field: number, at: TallyPlace): void {
    if (isNullField(record, field, at.format)) {
      this.count('null', at.number);
      return;
    }
    const raw = record.value(field);
    if (raw.length === 0) {
      this.count('empty', at.number);
      return;
    }
    this.#values++;
    if (raw.length > this.#maxBytes) this.#measure(raw, at.format);
    // Of the forms none has anything but ASCII in it, except JSON: there a byte is as good as a character.
    const text = raw.toString('latin1');
    const form = csvForm(text, !this.#facts.has('text'));
    this.count(form, at.number);
    if (form === 'integer') this.#addInteger(text);
    else if (form === 'text' || form === 'json') this.#inspect(raw, at);
    else if (OWN_DATES.has(form) && text.includes(' ')) this.count('withTime', at.number);
    if (FLOATS.has(form) && isFloatSafe(text)) this.count('floatSafe', at.number);
  }

  count(fact: CsvFact, number: number): void {
    this.#facts.set(fact, (this.#facts.get(fact) ?? 0) + 1);
    if (!SAMPLED.has(fact)) return;
    const samples = this.#samples.get(fact) ?? [];
    if (samples.length === MAX_SAMPLES) return;
    this.#samples.set(fact, [...samples, { record: String(number) }]);
  }

  scan(): ColumnScan {
    const facts = [...this.#facts, ['values', this.#values] as const].filter(
      ([, count]) => count > 0,
    );
    return {
      facts: Object.fromEntries(facts.sort(([a], [b]) => (a < b ? -1 : 1))),
      minInteger: this.#minInteger === null ? null : String(this.#minInteger),
      maxInteger: this.#maxInteger === null ? null : String(this.#maxInteger),
      maxLength: this.#values === 0 ? null : this.#maxLength,
      samples: Object.fromEntries([...this.#samples].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #addInteger(text: string): void {
    const value = BigInt(text);
    if (this.#minInteger === null || value < this.#minInteger) this.#minInteger = value;
    if (this.#maxInteger === null || value > this.#maxInteger) this.#maxInteger = value;
  }

  #inspect(raw: Buffer, { format, number }: TallyPlace): void {
    if (raw.includes(0)) this.count('nul', number);
    if (format.encoding !== 'windows-1252' && !isUtf8(raw)) this.count('invalidUtf8', number);
  }

  #measure(raw: Buffer, { encoding }: FileFormat): void {
    this.#maxBytes = raw.length;
    const utf8 = encoding === 'windows-1252' ? cp1252ToUtf8(raw) : raw;
    this.#maxLength = Math.max(this.#maxLength, countCharacters(utf8));
  }
}

export interface TallyPlace {
  readonly format: FileFormat;
  readonly number: number;
}

/** Characters of UTF-8: all bytes but those that continue one. */
function countCharacters(utf8: Uint8Array): number {
  let count = 0;
  for (const byte of utf8) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
