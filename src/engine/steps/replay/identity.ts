import type pg from 'pg';
import type { PlannedTable } from '../../contract.ts';
import { qualifiedName, quoteIdentifier } from '../../target/identifiers.ts';

/** Moves the counter of an identity beyond every number that is there. It never goes back: its numbers may have been used. */
export async function advanceIdentity(session: pg.PoolClient, table: PlannedTable): Promise<void> {
  if (table.identity === null) return;
  const { column } = table.identity;
  const { rows } = await session.query<{ name: string }>(
    `SELECT name FROM pg_get_serial_sequence($1, $2) AS name JOIN pg_sequence ON seqrelid = name::regclass
      WHERE seqincrement > 0`,
    [qualifiedName(table), column],
  );
  const [sequence] = rows;
  if (sequence === undefined) return;
  await session.query(
    `SELECT setval($1::regclass, greatest) FROM ${sequence.name} AS own,
            (SELECT max(${quoteIdentifier(column)})::bigint AS greatest FROM ${qualifiedName(table)}) AS rows
      WHERE greatest > own.last_value OR greatest = own.last_value AND NOT own.is_called`,
    [sequence.name],
  );
}
