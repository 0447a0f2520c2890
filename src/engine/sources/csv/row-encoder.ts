import { isUtf8 } from 'node:buffer';

import type {
  DescribedRow,
  PlannedColumn,
  PlannedTable,
  Policies,
  RowProblem,
  SourceRow,
  ValueAdjustment,
} from '../../contract.ts';
import { cp1252ToUtf8 } from '../../types/csv-cp1252.ts';
import {
  csvColumnEncoder,
  csvSourceValue,
  type CsvCellTarget,
  type CsvColumnEncoder,
  type CsvValue,
} from '../../types/csv-encoders.ts';
import type { CopyBuffer } from '../../types/copy-text.ts';
import type { BatchBuilder } from '../threads/batch-builder.ts';
import type { FileFormat } from './file-format.ts';
import { isNullField } from './null-field.ts';
import type { RecordTokenizer } from './record-tokenizer.ts';

/** Larger values stand in a reject with their size only. */
const MAX_REJECTED_VALUE_BYTES = 64 * 1024;
/** A record that is rejected as a whole is shown whole too, under a name that no column is likely to have. */
const RAW_RECORD = '(record)';

interface EncodedColumn extends CsvColumnEncoder {
  readonly column: PlannedColumn;
  /** Position in the file. */
  readonly field: number;
}

/** The encoders of one table's columns, compiled once a chunk. */
export class RowEncoder {
  readonly #columns: readonly EncodedColumn[];
  readonly #header: readonly string[];
  readonly #format: FileFormat;
  readonly #describes: boolean;

  constructor(
    table: PlannedTable,
    options: {
      readonly header: readonly string[];
      readonly format: FileFormat;
      readonly policies: Policies;
      readonly describes: boolean;
    },
  ) {
    const { header, format } = options;
    this.#header = header;
    this.#format = format;
    this.#describes = options.describes;
    this.#columns = compileColumns(table, {
      header,
      policies: storedPolicies(options.policies, format),
      own: (policies) => storedPolicies(policies, format),
    });
  }

  /** Writes a record, or adds it to the rejects. */
  encode(record: RecordTokenizer, number: number, batch: BatchBuilder): void {
    if (record.isMalformed || record.fieldCount !== this.#header.length) {
      this.#rejectRecord(record, number, batch);
      return;
    }
    const { out } = batch;
    const start = out.length;
    const adjustments: ValueAdjustment[] = [];
    for (const entry of this.#columns) {
      const problem = this.#encodeField(record, entry, { out, adjustments });
      if (problem !== null) {
        out.length = start;
        const described = this.#describe(record, number);
        batch.addReject(
          { ...described, column: entry.column.source, ...problem },
          rejectedSize(record),
        );
        return;
      }
      out.endField();
    }
    out.endLine(this.#columns.length > 0);
    batch.addRow();
    if (this.#describes) batch.addDescription({ ...this.#describe(record, number), adjustments });
    if (adjustments.length > 0) batch.addAdjustments(adjustments, keyOf(number));
  }

  #encodeField(
    record: RecordTokenizer,
    entry: EncodedColumn,
    { out, adjustments }: { readonly out: CopyBuffer; readonly adjustments: ValueAdjustment[] },
  ): Omit<RowProblem, 'column'> | null {
    const { field, column } = entry;
    if (isNullField(record, field, this.#format)) return writeNull(column, out);
    const isPlain = !record.hasEscapes(field);
    if (isPlain && entry.fast(record.bytes, record.start(field), record.end(field), out))
      return null;
    const target: CsvCellTarget = {
      out,
      writeNull: () => writeNull(column, out),
      adjust: (rule) => adjustments.push({ column: column.source, rule }),
    };
    return entry.exact(toValue(record.value(field), this.#format), target);
  }

  /** There is no telling which field belongs to which column. */
  #rejectRecord(record: RecordTokenizer, number: number, batch: BatchBuilder): void {
    const found = record.fieldCount === 1 ? '1 field' : `${String(record.fieldCount)} fields`;
    const message = record.isMalformed
      ? 'A closing quote is not followed by a delimiter'
      : `The record has ${found}, not ${String(this.#header.length)}`;
    const column = this.#header[Math.min(record.fieldCount, this.#header.length) - 1] ?? '';
    const described = this.#describe(record, number);
    const raw = this.#show(toValue(record.rawRecord(), this.#format));
    batch.addReject(
      {
        ...described,
        row: { ...described.row, [RAW_RECORD]: raw },
        column,
        reasonCode: 'RAGGED_ROW',
        message,
      },
      rejectedSize(record),
    );
  }

  #describe(record: RecordTokenizer, number: number): DescribedRow {
    const fields = Math.min(record.fieldCount, this.#header.length);
    const entries = this.#header.slice(0, fields).map((name, field) => {
      const isNull = isNullField(record, field, this.#format);
      return [
        name,
        isNull ? null : this.#show(toValue(record.value(field), this.#format)),
      ] as const;
    });
    return { key: keyOf(number), locator: String(number), row: Object.fromEntries(entries) };
  }

  #show(value: CsvValue): SourceRow[string] {
    const size = value.bytes.length;
    return size > MAX_REJECTED_VALUE_BYTES ? { truncatedFrom: size } : csvSourceValue(value);
  }
}

export function compileColumns(
  table: PlannedTable,
  options: {
    readonly header: readonly string[];
    readonly policies: Policies;
    readonly own: (policies: Policies) => Policies;
  },
): EncodedColumn[] {
  return table.columns.map((column) => ({
    column,
    field: options.header.indexOf(column.source),
    ...csvColumnEncoder(column, options.own({ ...options.policies, ...column.policies })),
  }));
}

/** What is no valid UTF-16 has never been Windows-1252. */
function storedPolicies(policies: Policies, { encoding }: FileFormat): Policies {
  return encoding === 'utf-8' ? policies : { ...policies, invalidUtf8: 'reject' };
}

export function writeNull(
  column: PlannedColumn,
  out: CopyBuffer,
): Omit<RowProblem, 'column'> | null {
  if (!column.nullable)
    return { reasonCode: 'NULL_NOT_ALLOWED', message: 'NULL in a column that takes none' };
  out.writeNull();
  return null;
}

function toValue(bytes: Buffer, { encoding }: FileFormat): CsvValue {
  return encoding === 'windows-1252'
    ? { bytes: cp1252ToUtf8(bytes), isValid: true }
    : { bytes, isValid: isUtf8(bytes) };
}

function keyOf(number: number): { readonly record: string } {
  return { record: String(number) };
}

function rejectedSize(record: RecordTokenizer): number {
  return Math.min(record.endOffset - record.offset, 1024 * 1024) + 256;
}
