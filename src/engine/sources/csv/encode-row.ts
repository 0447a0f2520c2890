import type {
  EncodedRow,
  PlannedTable,
  Policies,
  SourceValue,
  ValueAdjustment,
} from '../../contract.ts';
import { CopyBuffer } from '../../types/copy-text.ts';
import { csvColumnEncoder, csvValueOf } from '../../types/csv-encoders.ts';
import { writeNull } from './row-encoder.ts';

const LINE_BYTES = 1024;

/** One mended row as a line. A column that is not in it is NULL. */
export function encodeRow(request: {
  readonly table: PlannedTable;
  readonly row: Readonly<Record<string, SourceValue>>;
  readonly policies: Policies;
}): EncodedRow {
  const { table, row, policies } = request;
  const out = new CopyBuffer(LINE_BYTES);
  const adjustments: ValueAdjustment[] = [];
  for (const column of table.columns) {
    const value = csvValueOf(
      Object.hasOwn(row, column.source) ? (row[column.source] ?? null) : null,
    );
    const encoder = csvColumnEncoder(column, { ...policies, ...column.policies });
    const problem =
      value === null
        ? writeNull(column, out)
        : encoder.exact(value, {
            out,
            writeNull: () => writeNull(column, out),
            adjust: (rule) => adjustments.push({ column: column.source, rule }),
          });
    if (problem !== null) return { problem: { column: column.source, ...problem } };
    out.endField();
  }
  out.endLine(table.columns.length > 0);
  return { line: out.bytes.subarray(0, out.length), adjustments };
}
