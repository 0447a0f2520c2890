import { isUtf8 } from 'node:buffer';

import type { ColumnScan, RowKey } from '../../contract.ts';
import { cp1252ToUtf8 } from '../../types/csv-cp1252.ts';
import type { CsvFact } from '../../types/csv-decide.ts';
import { beginsAsText, csvForm, isFloatSafe, type CsvForm } from '../../types/csv-forms.ts';
import type { FileFormat } from './file-format.ts';
import { isNullField } from './null-field.ts';
import type { RecordTokenizer } from './record-tokenizer.ts';

const MAX_SAMPLES = 5;
/** Fewer characters of digits are below 2^53. */
const SAFE_DIGITS = 16;
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
  /** Whole numbers that JavaScript holds exactly, and the others. */
  #minSafe = Infinity;
  #maxSafe = -Infinity;
  #mayBeFloat = true;
  #minInteger: bigint | null = null;
  #maxInteger: bigint | null = null;
  #maxLength = 0;
  #maxBytes = 0;

  addField(record: RecordTokenizer, field: number, at: TallyPlace): void {
    if (isNullField(record, field, at.format)) {
      this.count('null', at.number);
      return;
    }
    const size = record.end(field) - record.start(field);
    if (size === 0) {
      this.count('empty', at.number);
      return;
    }
    this.#values++;
    if (size > this.#maxBytes) this.#measure(record.value(field), at.format);
    if (beginsAsText(record.bytes[record.start(field)] ?? 0)) {
      this.count('text', at.number);
      this.#inspect(record, field, at);
      return;
    }
    this.#addForm(record, field, at);
  }

  #addForm(record: RecordTokenizer, field: number, at: TallyPlace): void {
    // Of the forms none has anything but ASCII in it, except JSON: there a byte is as good as a character.
    const text = record.hasEscapes(field)
      ? record.value(field).toString('latin1')
      : record.bytes.toString('latin1', record.start(field), record.end(field));
    const form = csvForm(text, !this.#facts.has('text'));
    this.count(form, at.number);
    if (form === 'integer') this.#addInteger(text);
    else if (form === 'text' || form === 'json') this.#inspect(record, field, at);
    else if (OWN_DATES.has(form) && text.includes(' ')) this.count('withTime', at.number);
    if (this.#mayBeFloat && FLOATS.has(form)) {
      // One value that a double prints otherwise is enough: no other has to be looked at.
      this.#mayBeFloat = isFloatSafe(text);
      if (this.#mayBeFloat) this.count('floatSafe', at.number);
    }
  }

  count(fact: CsvFact, number: number): void {
    this.#facts.set(fact, (this.#facts.get(fact) ?? 0) + 1);
    if (!SAMPLED.has(fact)) return;
    const samples = this.#samples.get(fact) ?? [];
    if (samples.length === MAX_SAMPLES) return;
    this.#samples.set(fact, [...samples, { record: String(number) }]);
  }

  scan(): ColumnScan {
    this.#addSafeIntegers();
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
    if (text.length < SAFE_DIGITS) {
      const value = Number(text);
      if (value < this.#minSafe) this.#minSafe = value;
      if (value > this.#maxSafe) this.#maxSafe = value;
      return;
    }
    const value = BigInt(text);
    if (this.#minInteger === null || value < this.#minInteger) this.#minInteger = value;
    if (this.#maxInteger === null || value > this.#maxInteger) this.#maxInteger = value;
  }

  #addSafeIntegers(): void {
    if (this.#minSafe > this.#maxSafe) return;
    const [min, max] = [BigInt(this.#minSafe), BigInt(this.#maxSafe)];
    if (this.#minInteger === null || min < this.#minInteger) this.#minInteger = min;
    if (this.#maxInteger === null || max > this.#maxInteger) this.#maxInteger = max;
  }

  /** Looks for what PostgreSQL cannot hold. */
  #inspect(record: RecordTokenizer, field: number, { format, number }: TallyPlace): void {
    const { bytes } = record;
    const [start, end] = [record.start(field), record.end(field)];
    let index = start;
    // Any byte of a NUL or of a character beyond ASCII.
    while (index < end && ((bytes[index] ?? 0) - 1) >>> 0 < 0x7f) index++;
    if (index === end) return;
    const rest = bytes.subarray(index, end);
    if (rest.includes(0)) this.count('nul', number);
    if (format.encoding !== 'windows-1252' && !isUtf8(rest)) this.count('invalidUtf8', number);
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
