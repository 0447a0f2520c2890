import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import { qualifiedName } from '../target/identifiers.ts';
import type { Ledger, LedgerObject } from '../target/ledger.ts';
import { groupByReferences, lockAndFindExchanged } from '../target/table-groups.ts';
import type { Target } from '../target/target.ts';

export interface RollbackRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  /** Aborts at once: what is dropped already stays dropped, and the next call goes on. */
  readonly signal?: AbortSignal;
}

/** What a rollback did. */
export interface RollbackResult {
  readonly dropped: readonly string[];
}

/**
 * Drops the tables that the ledger says this job created, and nothing else: not a table of the same name that somebody has
 * made since, and nothing of what others have built on ours: then TARGET_REFUSED says what that is, and all tables stay as
 * they are (of more than a few hundred, those that were dropped before are gone; the next call goes on with the others).
 * TARGET_BUSY where somebody exchanges a table at that very moment.
 * Tables that were there before the job keep their rows: throws NOTHING_TO_ROLL_BACK where it filled such tables.
 */
export async function rollback({
  target,
  ledger,
  signal,
}: RollbackRequest): Promise<RollbackResult> {
  if (!(await ledger.exists())) return { dropped: [] };
  const objects = [...(await ledger.objects()).values()];
  const taken = objects.filter(({ origin }) => origin !== 'created');
  if (taken.length > 0) {
    const reason = `${taken.map(describe).join(', ')} existed before, and its rows cannot be told apart from later ones`;
    throw new AppError('NOTHING_TO_ROLL_BACK', { reason });
  }
  for (const oids of await groupByReferences(
    target,
    objects.map(({ oid }) => oid),
  )) {
    const group = objects.filter(({ oid }) => oids.includes(oid));
    await target.inTransaction(
      'dropping what the job made',
      async (session) => {
        await dropTables(session, group);
        for (const { sourceTable } of group) await ledger.forgetTable(session, sourceTable);
      },
      signal,
    );
  }
  await ledger.forgetJob();
  return { dropped: objects.map(describe) };
}

async function dropTables(session: pg.PoolClient, group: readonly LedgerObject[]): Promise<void> {
  const tables = group.map(({ schema, table, oid }) => ({ schema, target: table, oid }));
  const exchanged = await lockAndFindExchanged(session, tables, 'ACCESS EXCLUSIVE');
  if (exchanged !== null) {
    // Retriable: the ledger knows the next time that this table is not the job's.
    const reason = `${exchanged.schema}.${exchanged.target} was just exchanged for another table`;
    throw new AppError('TARGET_BUSY', { reason });
  }
  await session.query(`DROP TABLE ${tables.map(qualifiedName).join(', ')}`);
}

function describe({ schema, table }: LedgerObject): string {
  return `${schema}.${table}`;
}
