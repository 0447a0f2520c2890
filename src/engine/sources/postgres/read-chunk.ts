import type { EncodedBatch, ReadRequest } from '../../contract.ts';
import { isChecked, isValidated, sourceExpression } from '../../types/postgres-encoders.ts';
import { CheckedLines } from './checked-lines.ts';
import { chunkSql } from './chunk-key.ts';
import { countLines, linesOf } from './copy-fields.ts';
import type { Lane } from './lane.ts';
import { relationOf } from './relation.ts';
import type { PostgresServer, PostgresSession } from './session.ts';

/**
 * The rows of a chunk as the server prints them. Where types are equal no value is touched: the bytes of COPY pass through.
 * Lines are only taken apart where a value may be refused, or where the request wants rows described.
 */
export async function* readChunk(
  server: PostgresServer,
  lane: Lane,
  request: ReadRequest,
): AsyncGenerator<EncodedBatch> {
  const { table, signal } = request;
  yield* lane.stream(table.source, signal, (session) => readLines(server, session, request));
}

async function* readLines(
  server: PostgresServer,
  session: PostgresSession,
  request: ReadRequest,
): AsyncGenerator<EncodedBatch> {
  const { table, chunk, describe = false } = request;
  const relation = await relationOf(session, server.schema, table.source);
  const from = chunkSql(relation, table.chunkKey, table.columns, chunk);
  const columns = table.columns.filter(({ generatedExpression }) => generatedExpression === null);
  const select = columns.map(sourceExpression);
  if (!describe && !columns.some((column) => isChecked(column) || isValidated(column))) {
    const lines = linesOf(session.copyOut(`SELECT ${select.join(', ')} FROM ${from}`));
    for await (const batch of lines) {
      const rows = countLines(batch);
      yield { rowsRead: rows, rowsEncoded: rows, lines: batch, rejects: [], adjustments: [] };
    }
    return;
  }
  const checked = new CheckedLines({ request, columns });
  const all = [...checked.select, ...select];
  for await (const batch of linesOf(session.copyOut(`SELECT ${all.join(', ')} FROM ${from}`)))
    yield checked.encode(batch);
}
