import type { Chunk, EncodedBatch, PlannedTable, Policies } from '../../contract.ts';
import { selectList } from '../../types/mysql-sql.ts';
import { BatchBuilder } from '../threads/batch-builder.ts';
import { Cells } from './cells.ts';
import type { MysqlConnection } from './connection.ts';
import { keyPart, orderSql, rangeSql, type KeyPart } from './ranges.ts';
import { RowEncoder } from './row-encoder.ts';
import { Locators, MAX_LINE_BYTES, rowLayout } from './row-layout.ts';
import { accessTable, type TableAccess } from './table-access.ts';

export interface ChunkRequest {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
  /** Also say which row each line is. */
  readonly describe: boolean;
  /** For tests: PostgreSQL's own limit where left out. */
  readonly maxLineBytes?: number;
}

/** Encodes the rows of a chunk, batch by batch, in key order, out of the packets of the server. */
export async function* encodeChunk(
  connection: MysqlConnection,
  request: ChunkRequest & { readonly signal: AbortSignal },
): AsyncGenerator<EncodedBatch> {
  const { table, chunk, policies, describe, signal, maxLineBytes = MAX_LINE_BYTES } = request;
  const access = await accessTable(connection, table.source, signal);
  const layout = rowLayout(access, table);
  const cells = new Cells(layout.select.length);
  const locators = new Locators(layout);
  const batch = new BatchBuilder();
  const encoder = new RowEncoder(table, layout, { policies, out: batch.out, maxLineBytes });

  const onRow = (packet: Parameters<Cells['read']>[0]): boolean => {
    cells.read(packet);
    const problem = encoder.encode(cells);
    if (problem !== null) {
      const described = encoder.describe(cells, locators.locate(cells));
      batch.addReject({ ...described, ...problem }, packet.end - packet.offset + 256);
      return batch.isFull;
    }
    batch.addRow();
    const { adjustments } = encoder;
    if (describe) {
      const described = encoder.describe(cells, locators.locate(cells));
      batch.addDescription({ ...described, adjustments });
    }
    if (adjustments.length > 0)
      batch.addAdjustments(adjustments, encoder.keyOf(cells, locators.first(cells)));
    return batch.isFull;
  };

  const take = (): EncodedBatch | null => {
    if (batch.isEmpty) return null;
    const full = batch.take();
    encoder.out = batch.out;
    return full;
  };

  const parts = keyParts(access, table);
  const sql = `SELECT ${selectList(layout.select)} FROM ${access.sql} WHERE ${rangeSql(parts, chunk)}${orderSql(parts)}`;
  yield* connection.stream(sql, { onRow, take }, signal);
}

/** The parts of the table's chunk key; none where it is read in one stream. */
export function keyParts(access: TableAccess, { chunkKey }: PlannedTable): KeyPart[] {
  if (chunkKey === null) return [];
  return chunkKey.columns.map((name, index) => {
    const column = access.columns.get(name);
    if (column === undefined) throw new Error(`no column ${name}`);
    return keyPart(column, chunkKey.kinds[index] ?? 'opaque');
  });
}
