import type { CanonicalBatch, PlannedColumn, ReadRequest } from '../../contract.ts';
import { canonicalSourceExpression, isChecked } from '../../types/postgres-encoders.ts';
import { chunkSql } from './chunk-key.ts';
import { countLines, linesOf } from './copy-fields.ts';
import type { Lane } from './lane.ts';
import { relationOf } from './relation.ts';
import { keySelect, locatorOf } from './row-key.ts';
import type { PostgresServer, PostgresSession } from './session.ts';

type CanonicalRequest = ReadRequest & { readonly excluding: ReadonlySet<string> };

/**
 * The rows of a chunk as the server renders them canonically: binary forms and texts in hex, by expressions that the copy does
 * not use. Rows that were rejected are left out by their locators.
 */
export async function* readCanonical(
  server: PostgresServer,
  lane: Lane,
  request: CanonicalRequest,
): AsyncGenerator<CanonicalBatch> {
  const { table, signal } = request;
  yield* lane.stream(table.source, signal, (session) => render(server, session, request));
}

async function* render(
  server: PostgresServer,
  session: PostgresSession,
  request: CanonicalRequest,
): AsyncGenerator<CanonicalBatch> {
  const { table, chunk, excluding } = request;
  const relation = await relationOf(session, server.schema, table.source);
  const from = chunkSql(relation, table.chunkKey, table.columns, chunk);
  const encoding = table.columns.some(isChecked) ? 'SQL_ASCII' : 'UTF8';
  const fields = table.columns.map((column) => canonicalSourceExpression(column, encoding));
  const key = excluding.size === 0 ? [] : keySelect(table.rowKey);
  const repaired = repairs(request);
  const select = [...key, ...fields].join(', ');
  for await (const batch of linesOf(session.copyOut(`SELECT ${select} FROM ${from}`))) {
    if (key.length === 0 && repaired.size === 0) {
      yield { rows: countLines(batch), lines: batch };
      continue;
    }
    const lines: string[] = [];
    // All of it but the keys is ASCII.
    for (const line of batch.toString('latin1').split('\n').slice(0, -1)) {
      const parts = line.split('\t');
      const locator = locatorOf(
        table.rowKey,
        parts.slice(0, key.length).map((part) => Buffer.from(part, 'latin1')),
      );
      if (key.length > 0 && excluding.has(locator)) continue;
      const values = parts.slice(key.length);
      lines.push(
        values.map((value, index) => (repaired.has(index) ? repair(value) : value)).join('\t'),
      );
    }
    if (lines.length === 0) continue;
    yield { rows: lines.length, lines: Buffer.from(`${lines.join('\n')}\n`, 'latin1') };
  }
}

/** Columns whose bytes may have been read as code page 1252. */
function repairs({ table, policies }: ReadRequest): ReadonlySet<number> {
  const isRepaired = (column: PlannedColumn): boolean =>
    isChecked(column) && { ...policies, ...column.policies }.invalidUtf8 === 'cp1252';
  return new Set(table.columns.flatMap((column, index) => (isRepaired(column) ? [index] : [])));
}

/** By the runtime's own decoders, which the copy does not use. */
function repair(hex: string): string {
  if (hex === '\\N') return hex;
  const bytes = Buffer.from(hex, 'hex');
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return hex;
  } catch {
    return Buffer.from(new TextDecoder('windows-1252').decode(bytes), 'utf8').toString('hex');
  }
}
