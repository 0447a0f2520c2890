import type { CanonicalBatch } from '../../contract.ts';
import { canonicalSourceExpression } from '../../types/sqlite-canonical.ts';
import { registerCanonicalFunctions } from './canonical-functions.ts';
import { locatorReader } from './locator.ts';
import type { OpenDatabase } from './open.ts';
import { columnOf, iterateRows } from './query.ts';
import { nullKeySql, orderedSql, rangeSql } from './ranges.ts';
import type { ChunkRequest } from './read-chunk.ts';
import { accessTable } from './table-access.ts';

export interface CanonicalRequest extends ChunkRequest {
  readonly excluding: ReadonlySet<string>;
}

const BATCH_CHARACTERS = 256 * 1024;
/** SQLite takes at most 1000 arguments in a call. */
const MAX_ARGUMENTS = 500;

/** Renders the rows of a chunk canonically, less those in `excluding`: SQLite writes the lines, this only gathers them. */
export function* renderCanonical(
  { db, encoding }: OpenDatabase,
  request: CanonicalRequest,
): Generator<CanonicalBatch> {
  const { table, chunk, policies, excluding } = request;
  registerCanonicalFunctions(db, encoding);
  const access = accessTable(db, table.source);
  const locator = excluding.size === 0 ? { select: [], read: () => '' } : locatorReader(access);
  const fields = table.columns.map((column) => {
    const inForce = { ...policies, ...column.policies };
    return `coalesce(${canonicalSourceExpression(column, columnOf(column.source), inForce)}, '\\N')`;
  });
  const select = [...locator.select, joinByTabs(fields)].join(', ');

  const nullKeys = nullKeySql(access, table.chunkKey, chunk);
  let lines: string[] = [];
  let characters = 0;
  let ordinal = 0;
  for (const source of [
    ...(nullKeys === null ? [] : [nullKeys]),
    rangeSql(access, table.chunkKey, chunk),
  ]) {
    for (const row of iterateRows(
      db,
      `SELECT ${select} ${orderedSql(source)}`,
      source.parameters,
    )) {
      if (excluding.has(locator.read(row, ++ordinal))) continue;
      const line = String(row.at(-1));
      lines.push(line);
      characters += line.length + 1;
      if (characters < BATCH_CHARACTERS) continue;
      yield toBatch(lines);
      lines = [];
      characters = 0;
    }
  }
  if (lines.length > 0) yield toBatch(lines);
}

function toBatch(lines: readonly string[]): CanonicalBatch {
  const size = lines.reduce((sum, line) => sum + line.length + 1, 0);
  // All of it is ASCII, so characters are bytes.
  const bytes = Buffer.allocUnsafeSlow(size);
  let position = 0;
  for (const line of lines) {
    position += bytes.write(line, position, 'latin1');
    bytes[position++] = 0x0a;
  }
  return { rows: lines.length, lines: bytes };
}

function joinByTabs(fields: readonly string[]): string {
  if (fields.length === 0) return "''";
  if (fields.length <= MAX_ARGUMENTS) return `concat_ws(char(9), ${fields.join(', ')})`;
  const groups = Array.from({ length: Math.ceil(fields.length / MAX_ARGUMENTS) }, (_, group) =>
    joinByTabs(fields.slice(group * MAX_ARGUMENTS, (group + 1) * MAX_ARGUMENTS)),
  );
  return joinByTabs(groups);
}
