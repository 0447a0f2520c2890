import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import { qualifiedName } from '../target/identifiers.ts';
import type { Ledger, LedgerObject, LedgerSchemaObject } from '../target/ledger.ts';
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
 * Drops the tables that the ledger says this job created, then its types, collations, sequences and functions, and nothing else: not a table of the same name that somebody has
 * made since, and nothing of what others have built on ours: then TARGET_REFUSED says what that is, and all tables stay as
 * they are (of more than a few hundred, those that were dropped before are gone; the next call goes on with the others).
 * TARGET_BUSY where somebody exchanges a table at that very moment.
 * Tables that were there before the job keep their rows, and those that another job has filled since keep theirs: throws
 * NOTHING_TO_ROLL_BACK where there are such.
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
  const schemaObjects = await ledger.schemaObjects();
  const groups = await groupByReferences(
    target,
    objects.map(({ oid }) => oid),
  );
  // The last group goes together with the types: where others use these, its tables stay too.
  for (const [position, oids] of (groups.length === 0 ? [[]] : groups).entries()) {
    const group = objects.filter(({ oid }) => oids.includes(oid));
    const isLast = position >= groups.length - 1;
    await target.inTransaction(
      'dropping what the job made',
      async (session) => {
        if (group.length > 0) await dropTables(session, ledger, group);
        for (const { sourceTable } of group) await ledger.forgetTable(session, sourceTable);
        if (isLast) await dropSchemaObjects(session, schemaObjects);
      },
      signal,
    );
  }
  await ledger.forgetJob();
  return { dropped: [...objects.map(describe), ...schemaObjects.map(describeObject)] };
}

const DROP_ORDER = ['function', 'type', 'collation', 'sequence'] as const;

/** All of a kind at once, since types can rest on each other. Without CASCADE: what others have built on them is theirs. */
async function dropSchemaObjects(
  session: pg.PoolClient,
  objects: readonly LedgerSchemaObject[],
): Promise<void> {
  for (const kind of DROP_ORDER) {
    const names = objects
      .filter((object) => object.kind === kind)
      .map(({ schema, name }) => qualifiedName({ schema, target: name }));
    if (names.length === 0) continue;
    const list = kind === 'function' ? names.map((name) => `${name}()`) : names;
    await session.query(`DROP ${kind.toUpperCase()} ${list.join(', ')}`);
  }
}

function describeObject({ kind, schema, name }: LedgerSchemaObject): string {
  return `${kind} ${schema}.${name}`;
}

async function dropTables(
  session: pg.PoolClient,
  ledger: Ledger,
  group: readonly LedgerObject[],
): Promise<void> {
  const tables = group.map(({ schema, table, oid }) => ({ schema, target: table, oid }));
  const exchanged = await lockAndFindExchanged(session, tables, 'ACCESS EXCLUSIVE');
  if (exchanged !== null) {
    // Retriable: the ledger knows the next time that this table is not the job's.
    const reason = `${exchanged.schema}.${exchanged.target} was just exchanged for another table`;
    throw new AppError('TARGET_BUSY', { reason });
  }
  // Under the lock: a job that fills one of them notes it in the transaction in which it takes it over.
  const shared = await ledger.findFilledByOthers(session, group);
  if (shared.length > 0) {
    const reason = `${shared.map(describe).join(', ')} was filled by another job since, whose rows would go too: drop it by hand if nobody wants them`;
    throw new AppError('NOTHING_TO_ROLL_BACK', { reason });
  }
  await session.query(`DROP TABLE ${tables.map(qualifiedName).join(', ')}`);
}

function describe({ schema, table }: LedgerObject): string {
  return `${schema}.${table}`;
}
