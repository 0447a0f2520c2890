import { AppError } from '../../errors/app-error.ts';
import { qualifiedName } from '../target/identifiers.ts';
import type { Ledger, LedgerObject } from '../target/ledger.ts';
import { groupByReferences } from '../target/table-groups.ts';
import type { Target } from '../target/target.ts';

export interface RollbackRequest {
  readonly target: Target;
  readonly ledger: Ledger;
}

/** What a rollback did. */
export interface RollbackResult {
  readonly dropped: readonly string[];
}

/**
 * Drops the tables that the ledger says this job created, and nothing else: not a table of the same name that somebody has
 * made since, and nothing of what others have built on ours: then TARGET_REFUSED says what that is, and all tables stay as
 * they are (of more than a few hundred, those that were dropped before are gone; the next call goes on with the others).
 * Tables that were there before the job keep their rows: throws NOTHING_TO_ROLL_BACK where it filled such tables.
 */
export async function rollback({ target, ledger }: RollbackRequest): Promise<RollbackResult> {
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
    const names = group.map(({ schema, table }) => qualifiedName({ schema, target: table }));
    await target.inTransaction('dropping what the job made', async (session) => {
      await session.query(`DROP TABLE ${names.join(', ')}`);
      for (const { sourceTable } of group) await ledger.forgetTable(session, sourceTable);
    });
  }
  await ledger.forgetJob();
  return { dropped: objects.map(describe) };
}

function describe({ schema, table }: LedgerObject): string {
  return `${schema}.${table}`;
}
