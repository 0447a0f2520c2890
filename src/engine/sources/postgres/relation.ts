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

/** Throws SOURCE_CHANGED where there is no such table any more. */
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
  return {
    oid: row.oid,
    from: `${isPartitioned ? '' : 'ONLY '}${quotePostgresName(schema)}.${quotePostgresName(table)}`,
    isPartitioned,
    pages: Number(row.pages),
  };
}
