import type { EncodedRow, PlannedTable, Policies, SourceValue } from '../../contract.ts';
import { CopyBuffer } from '../../types/copy-text.ts';
import { familyOf, parseDeclaredType } from '../../types/mysql-declared.ts';
import { mysqlEncoder } from '../../types/mysql-encoders.ts';
import { Cells } from './cells.ts';
import { RowEncoder } from './row-encoder.ts';
import { MAX_LINE_BYTES, typedLayout } from './row-layout.ts';

/** One row that was mended, encoded as if the server had sent it. Columns that are left out are NULL. */
export function encodeRow(request: {
  readonly table: PlannedTable;
  readonly row: Readonly<Record<string, SourceValue>>;
  readonly policies: Policies;
}): EncodedRow {
  const { table, row, policies } = request;
  const layout = typedLayout(table, ({ source, declaredType }) => {
    const declared = parseDeclaredType(declaredType);
    return { sql: source, declared, family: familyOf(declared), collation: null };
  });
  const values: (Buffer | null)[] = [];
  for (const { column, source } of layout.columns) {
    const value = Object.hasOwn(row, column.source) ? (row[column.source] ?? null) : null;
    if (value === null) {
      values.push(null);
      continue;
    }
    const encoder = mysqlEncoder(column.encoder);
    const bytes =
      encoder.wireBytes === undefined
        ? plainBytes(value)
        : encoder.wireBytes(value, source.declared);
    if (bytes === null) {
      const message = `The value is no ${column.declaredType}`;
      return { problem: { column: column.source, reasonCode: 'TYPE_MISMATCH', message } };
    }
    values.push(bytes);
  }
  const cells = new Cells(values.length);
  cells.set(values);
  const out = new CopyBuffer(1024);
  const rowEncoder = new RowEncoder(table, layout, { policies, out, maxLineBytes: MAX_LINE_BYTES });
  const problem = rowEncoder.encode(cells);
  if (problem !== null) return { problem };
  return { line: out.bytes.subarray(0, out.length), adjustments: rowEncoder.adjustments };
}

function plainBytes(value: NonNullable<SourceValue>): Buffer {
  return 'base64' in value ? Buffer.from(value.base64, 'base64') : Buffer.from(value.value, 'utf8');
}
