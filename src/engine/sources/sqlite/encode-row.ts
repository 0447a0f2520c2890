import type { EncodedRow, PlannedTable, Policies, SourceValue } from '../../contract.ts';
import { BatchBuilder } from '../threads/batch-builder.ts';
import { MAX_LINE_BYTES, RowEncoder } from './row-encoder.ts';
import { storeValues } from './store-values.ts';

/**
 * One row that is given and not read, encoded as `readChunk` would encode it. Each value first becomes what SQLite would have
 * stored in its column: text that is a number becomes one in a numeric column, a number becomes text in a text column.
 */
export function encodeRow(request: {
  readonly table: PlannedTable;
  readonly row: Readonly<Record<string, SourceValue>>;
  readonly policies: Policies;
}): EncodedRow {
  const { table, row, policies } = request;
  const columns = table.columns.filter((column) => column.generatedExpression === null);
  const encoder = new RowEncoder(table, columns, {
    policies,
    keyColumns: table.rowKey,
    maxLineBytes: MAX_LINE_BYTES,
    guarded: true,
    describes: true,
  });
  const values = columns.map(({ source }) =>
    Object.hasOwn(row, source) ? (row[source] ?? null) : null,
  );
  const batch = new BatchBuilder();
  const cells = storeValues(columns, values);
  encoder.encodeExact({ cells, locator: '', rowid: null }, batch);
  const { lines, rejects, described } = batch.take();
  const [reject] = rejects;
  if (reject !== undefined) {
    const { column, reasonCode, message } = reject;
    return { problem: { column, reasonCode, message } };
  }
  return { line: lines, adjustments: described?.[0]?.adjustments ?? [] };
}
