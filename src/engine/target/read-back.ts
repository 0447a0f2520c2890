import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Chunk, KeyTuple, PlannedTable } from '../contract.ts';
import { copiedColumns } from './ddl.ts';
import { qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.ts';
import { isReplayedSql } from './replays.ts';

/** What to read of a table: one chunk in key order, or (where rows have no order) all of it. */
export interface ReadBackRequest {
  readonly table: PlannedTable;
  /** null = the whole table. Only tables with an `ordered` digest can be read by chunk. */
  readonly chunk: Chunk | null;
  /** SQL expressions of the fields; default: the copied columns as they are. */
  readonly fields?: readonly string[];
  /** Rows that were replayed have a digest of their own: `excluded` from those of a chunk, or read `alone`. */
  readonly replays?: { readonly jobId: string; readonly are: 'excluded' | 'alone' };
}

/**
 * Streams rows of the target as COPY lines, with back-pressure: memory does not grow with the table. Begins when the first
 * piece is asked for.
 */
export async function* readBack(
  session: pg.PoolClient,
  request: ReadBackRequest,
): AsyncIterable<Uint8Array> {
  const stream = session.query(copyTo(`COPY (${readBackSql(request)}) TO STDOUT`));
  // A session that dies after the reader has left would end the process without a listener.
  stream.on('error', () => undefined);
  yield* stream as AsyncIterable<Uint8Array>;
}

/** The query behind `readBack`. */
export function readBackSql({ table, chunk, fields, replays }: ReadBackRequest): string {
  const list = fields ?? copiedColumns(table).map((column) => quoteIdentifier(column.target));
  const key = chunk === null ? [] : keyExpressions(table);
  const { lower = null, upper = null } = chunk ?? {};
  const conditions = [
    ...(lower === null ? [] : [`(${key.join(', ')}) > ${rowLiteral(table, lower)}`]),
    ...(upper === null ? [] : [`(${key.join(', ')}) <= ${rowLiteral(table, upper)}`]),
    ...(replays === undefined ? [] : [replaysCondition(table, replays)]),
  ];
  return [
    `SELECT ${list.join(', ')} FROM ${qualifiedName(table)}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(key.length === 0 ? [] : [`ORDER BY ${key.join(', ')}`]),
  ].join(' ');
}

function replaysCondition(
  table: PlannedTable,
  { jobId, are }: NonNullable<ReadBackRequest['replays']>,
): string {
  const isReplayed = isReplayedSql(table, jobId, chunkKeyColumns(table));
  return are === 'alone' ? isReplayed : `NOT ${isReplayed}`;
}

/**
 * The key as it compares in the source. A table that was there before the job may have another collation than the planned
 * one, and would give its rows in another order.
 */
function keyExpressions(table: PlannedTable): string[] {
  const kinds = table.chunkKey?.kinds ?? [];
  return chunkKeyColumns(table).map((column, index) =>
    kinds[index] === 'text' ? `${quoteIdentifier(column)} COLLATE "C"` : quoteIdentifier(column),
  );
}

/** Target names of the chunk key's columns. */
export function chunkKeyColumns(table: PlannedTable): readonly string[] {
  const sources = table.chunkKey?.columns ?? [];
  return sources.map((source) => {
    const column = table.columns.find((candidate) => candidate.source === source);
    if (column === undefined)
      throw new Error(`chunk key column ${source} is not in the plan of ${table.source}`);
    return column.target;
  });
}

function rowLiteral(table: PlannedTable, bound: KeyTuple): string {
  const { kinds = [], columns = [] } = table.chunkKey ?? {};
  const typeOf = (index: number): string => {
    if (kinds[index] === 'integer') return 'bigint';
    if (kinds[index] !== 'native') return 'text';
    return table.columns.find(({ source }) => source === columns[index])?.targetType ?? 'text';
  };
  const values = bound.map((value, index) => `${quoteLiteral(value)}::${typeOf(index)}`);
  return `(${values.join(', ')})`;
}
