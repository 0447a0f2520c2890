import { AppError } from '../../../errors/app-error.ts';
import { quotePostgresName } from '../../types/sql-text.ts';
import type { PostgresSession } from './session.ts';

/** A table as it is read. */
export interface Relation {
  readonly oid: string;
  /** What follows FROM: of a partitioned table all partitions, of any other its own rows only. */
  readonly from: string;
  readonly isPartitioned: boolean;
  readonly pages: number;
}

/**
 * A moment that was shared shows old rows, but not those of a table that was truncated, rewritten or replaced since: it looks
 * empty then, or lacks the rows of a partition that is gone. The queries of a transaction see its moment; the functions called
 * here see the present.
 */
const WAS_REPLACED = `
  WITH RECURSIVE own (oid) AS (
    SELECT $1::oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN own ON i.inhparent = own.oid WHERE $3),
  present (oid) AS (SELECT relid FROM pg_partition_tree($1::oid) WHERE $3)
  SELECT to_regclass($2) IS DISTINCT FROM $1::oid
      OR EXISTS (SELECT FROM own JOIN pg_class c USING (oid)
                  WHERE c.relkind = 'r' AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid))
      OR $3 AND (EXISTS (SELECT oid FROM own EXCEPT SELECT oid FROM present)
                 -- One that was made since has no rows of this moment.
              OR EXISTS (SELECT p.oid FROM present p JOIN pg_class c ON c.oid = p.oid EXCEPT SELECT oid FROM own)) AS was_replaced`;

/** Finds a table, and keeps it as it is. Throws SOURCE_CHANGED where there is no such table any more, SOURCE_READ_FAILED where it is another. */
export async function relationOf(
  session: PostgresSession,
  schema: string,
  table: string,
): Promise<Relation> {
  const [row] = await session.query<{ oid: string; relkind: string; pages: string }>(
    `SELECT c.oid::text AS oid, c.relkind::text AS relkind,
            CASE WHEN c.relkind = 'r'
              THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END AS pages
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [schema, table],
  );
  if (row === undefined) throw new AppError('SOURCE_CHANGED', { table });
  const isPartitioned = row.relkind === 'p';
  const name = `${quotePostgresName(schema)}.${quotePostgresName(table)}`;
  const from = `${isPartitioned ? '' : 'ONLY '}${name}`;
  // Nobody can change the table from here to the end of the transaction.
  await session.query(`SELECT FROM ${from} LIMIT 0`);
  const [state] = await session.query<{ was_replaced: boolean }>(WAS_REPLACED, [
    row.oid,
    name,
    isPartitioned,
  ]);
  if (state?.was_replaced !== false) {
    const reason = 'the table was truncated, rewritten or replaced while the job was reading';
    throw new AppError('SOURCE_READ_FAILED', { table, reason });
  }
  return { oid: row.oid, from, isPartitioned, pages: Number(row.pages) };
}
