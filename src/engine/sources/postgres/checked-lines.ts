import { isUtf8 } from 'node:buffer';
import type {
  DescribedLine,
  DescribedRow,
  EncodedBatch,
  PlannedColumn,
  ReadRequest,
  Reject,
  RowProblem,
  SourceRow,
} from '../../contract.ts';
import { decodeCp1252 } from '../../types/cp1252.ts';
import { CopyBuffer } from '../../types/copy-text.ts';
import { isChecked, isValidated } from '../../types/postgres-encoders.ts';
import { quotePostgresName } from '../../types/sql-text.ts';
import { AdjustmentSums } from './adjustment-sums.ts';
import { isNull, splitFields, unescapeField } from './copy-fields.ts';
import { keySelect, locatorOf, rowKeyOf } from './row-key.ts';
import { describeField } from './source-values.ts';

interface Position {
  readonly column: PlannedColumn;
  /** Of the value as the source has it; of most columns that is the value as it goes on. */
  readonly original: number;
  readonly encoded: number;
  readonly decodes: boolean;
  /** Of `character(n)` in a database without an encoding, which pads by bytes: n. */
  readonly characters: number | null;
}

/** Looks at each line of a chunk: for bytes that are no UTF-8, values that are not of the type of the cast, and to describe rows. */
export class CheckedLines {
  /** What has to be selected before the encoded columns. */
  readonly select: readonly string[];
  readonly #positions: readonly Position[];
  readonly #keyColumns: readonly string[];
  readonly #describes: boolean;

  constructor({
    request,
    columns,
  }: {
    readonly request: ReadRequest;
    readonly columns: readonly PlannedColumn[];
  }) {
    this.#keyColumns = request.table.rowKey;
    this.#describes = request.describe ?? false;
    const key = keySelect(this.#keyColumns);
    const validated = columns.filter(isValidated);
    this.select = [...key, ...validated.map(({ source }) => `${quotePostgresName(source)}::text`)];
    this.#positions = columns.map((column, index) => ({
      column,
      original: isValidated(column)
        ? key.length + validated.indexOf(column)
        : this.select.length + index,
      encoded: this.select.length + index,
      decodes:
        isChecked(column) && { ...request.policies, ...column.policies }.invalidUtf8 === 'cp1252',
      characters: isChecked(column) ? paddedLength(column.targetType) : null,
    }));
  }

  encode(batch: Buffer): EncodedBatch {
    const out = new CopyBuffer(batch.length);
    const rejects: Reject[] = [];
    const described: DescribedLine[] = [];
    const sums = new AdjustmentSums();
    let rowsEncoded = 0;
    for (const fields of splitFields(batch)) {
      const start = out.length;
      const decoded: string[] = [];
      const problem = this.#write(fields, out, decoded);
      if (problem !== null) {
        out.length = start;
        rejects.push({ ...this.#describe(fields), ...problem });
        continue;
      }
      rowsEncoded += 1;
      if (this.#describes) {
        const adjustments = decoded.map((column) => ({ column, rule: 'INVALID_UTF8' as const }));
        described.push({ ...this.#describe(fields), adjustments });
      }
      for (const column of decoded)
        sums.add(column, 'INVALID_UTF8', () => rowKeyOf(this.#keyColumns, fields));
    }
    return {
      rowsRead: rowsEncoded + rejects.length,
      rowsEncoded,
      lines: out.bytes.subarray(0, out.length),
      rejects,
      adjustments: sums.all(),
      ...(this.#describes ? { described } : {}),
    };
  }

  #write(fields: readonly Buffer[], out: CopyBuffer, decoded: string[]): RowProblem | null {
    for (const { column, original, encoded, decodes, characters } of this.#positions) {
      const field = fields[encoded] ?? Buffer.alloc(0);
      if (original !== encoded && isNull(field) && !isNull(fields[original] ?? field))
        return {
          column: column.source,
          reasonCode: 'TYPE_MISMATCH',
          message: `The value is no ${column.targetType}, or not exactly one`,
        };
      if (!isChecked(column) || isUtf8(field)) {
        out.reserve(field.length);
        out.bytes.set(field, out.length);
        out.length += field.length;
      } else {
        const bytes = decodes ? decodeCp1252(unescapeField(field) ?? field) : null;
        if (bytes === null)
          return {
            column: column.source,
            reasonCode: 'INVALID_UTF8',
            message: 'The bytes of the text are no valid UTF-8',
          };
        out.writeUtf8(bytes);
        decoded.push(column.source);
      }
      if (characters !== null && !isNull(field)) out.writeAscii(padding(field, characters));
      out.endField();
    }
    out.endLine(this.#positions.length > 0);
    return null;
  }

  #describe(fields: readonly Buffer[]): DescribedRow {
    return {
      key: rowKeyOf(this.#keyColumns, fields),
      locator: locatorOf(this.#keyColumns, fields),
      row: Object.fromEntries(
        this.#positions.map(
          ({ column, original }) =>
            [column.source, describeField(column, unescapeField(fields[original]))] as const,
        ),
      ) satisfies SourceRow,
    };
  }
}

function paddedLength(targetType: string): number | null {
  const size = /^character\((\d+)\)$/.exec(targetType)?.[1];
  return size === undefined ? null : Number(size);
}

/** The spaces that are missing to so many characters. */
function padding(field: Buffer, characters: number): string {
  const bytes = unescapeField(field) ?? field;
  const text = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
  return ' '.repeat(Math.max(0, characters - Array.from(text).length));
}
