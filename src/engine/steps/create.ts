import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type { Plan, PlannedTable } from '../contract.ts';
import { commentSql, createTableSql } from '../target/ddl.ts';
import { qualifiedName, quoteIdentifier } from '../target/identifiers.ts';
import type { Ledger, LedgerObject } from '../target/ledger.ts';
import { groupByReferences, lockAndFindExchanged } from '../target/table-groups.ts';
import type { Target } from '../target/target.ts';
import {
  assertNoReferences,
  assertReferable,
  assertSuitable,
  assertTable,
  findExisting,
  findTakenIndexNames,
  type ExistingObject,
} from './create/in-the-way.ts';
import { assertNotSource } from './create/not-the-source.ts';
import {
  createSchemaObjects,
  findPendingObjects,
  findTakenFunctions,
} from './create/schema-objects.ts';

export interface CreateRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** Called after each table that was made or emptied. */
  readonly onTable?: (table: PlannedTable, origin: LedgerObject['origin']) => Promise<void> | void;
}

/** A planned table whose name is taken, and by what. */
interface TakenTable {
  readonly table: PlannedTable;
  readonly object: ExistingObject;
}

/**
 * Makes schema, types, collations, sequences and tables, without indexes and keys. Each thing and its ledger row are one
 * transaction, so a resume makes only what is missing. Whatever is in the way is found before anything is made, emptied or
 * dropped.
 * Throws TARGET_IS_SOURCE, TARGET_READ_ONLY, TARGET_TABLE_EXISTS, TARGET_TABLE_UNSUITABLE, TARGET_LACKS_ICU, TARGET_PERMISSION_DENIED.
 */
export async function create(request: CreateRequest): Promise<void> {
  const { target, ledger, plan, signal } = request;
  await assertWritable(target);
  await assertNotSource(target, plan);
  await ledger.install();
  const done = await ledger.objects();
  const pending = plan.tables.filter((table) => !done.has(table.source));
  const objects = await findPendingObjects(request);
  assertFree(objects.occupied);
  if (pending.length === 0 && objects.pending.length === 0) return;
  const existing = await findExisting(target, pending);
  const free = pending.filter((table) => !existing.has(table.target));
  const taken = pending.flatMap((table): TakenTable[] => {
    const object = existing.get(table.target);
    return object === undefined ? [] : [{ table, object }];
  });
  await assertPossible(request, free, taken);

  await createSchema(request);
  await createSchemaObjects(request, objects.pending);
  await replaceOrTakeOver(request, taken);
  for (const table of free) {
    signal.throwIfAborted();
    await target
      .inTransaction(
        `creating table ${table.target}`,
        (session) => makeTable(session, ledger, table),
        signal,
      )
      .catch((error: unknown) => {
        throw isMadeMeanwhile(error) ? tableExists([table.target]) : error;
      });
    await request.onTable?.(table, 'created');
  }
}

async function assertWritable(target: Target): Promise<void> {
  const [row] = await target.query<{ read_only: boolean }>(
    'asking whether the target can be written',
    `SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery() AS read_only`,
  );
  if (row?.read_only === true) throw new AppError('TARGET_READ_ONLY');
}

async function assertPossible(
  { target, plan }: CreateRequest,
  free: readonly PlannedTable[],
  taken: readonly TakenTable[],
): Promise<void> {
  const { onExisting } = plan.options;
  if (onExisting === 'fail') assertFree(taken.map(({ object }) => object.name));
  for (const { object } of taken) assertTable(object);
  const replaced = onExisting === 'drop' ? taken : [];
  const made = [...free, ...replaced.map(({ table }) => table)];
  const dropped = replaced.map(({ object }) => object.oid);
  assertFree(await findTakenFunctions(target, plan, made, dropped));
  if (onExisting === 'drop') {
    assertFree(await findTakenIndexNames(target, made, dropped));
    return;
  }
  assertFree(await findTakenIndexNames(target, free, []));
  await target.withSession('comparing existing tables', async (session) => {
    if (onExisting === 'truncate')
      await assertNoReferences(
        session,
        taken.map(({ object }) => object),
      );
    for (const { table, object } of taken) {
      await assertSuitable(session, table, object);
      for (const { foreignKeys } of free) {
        for (const { referencedTable, referencedColumns } of foreignKeys) {
          if (plan.tables[referencedTable]?.source === table.source)
            await assertReferable(session, object, referencedColumns);
        }
      }
    }
  });
}

function assertFree(names: readonly string[]): void {
  if (names.length > 0) throw tableExists(names);
}

function tableExists(tables: readonly string[]): AppError {
  return new AppError('TARGET_TABLE_EXISTS', { tables, field: 'options.onExisting' });
}

/**
 * Somebody made the same table after we had looked, another job for example. In the very same moment PostgreSQL answers with a
 * unique violation of its own catalog rather than with "exists already".
 */
function isMadeMeanwhile(error: unknown): boolean {
  return error instanceof AppError && ['42P07', '23505'].includes(String(error.details.sqlState));
}

async function createSchema({ target, plan, signal }: CreateRequest): Promise<void> {
  const schema = plan.options.targetSchema;
  const [row] = await target.query<{ found: boolean }>(
    'looking for the target schema',
    'SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS found',
    [schema],
  );
  if (row?.found === true) return;
  await target.query(
    `creating schema ${schema}`,
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,
    [],
    signal,
  );
}

async function replaceOrTakeOver(
  request: CreateRequest,
  taken: readonly TakenTable[],
): Promise<void> {
  const { target, plan, signal } = request;
  const groups = await groupByReferences(
    target,
    taken.map(({ object }) => object.oid),
  );
  for (const oids of groups) {
    signal.throwIfAborted();
    const group = taken.filter(({ object }) => oids.includes(object.oid));
    const names = group.map(({ object }) => object.name).join(', ');
    const replace = plan.options.onExisting === 'drop' ? replaceTables : takeOverTables;
    const origin = await target.inTransaction(
      `making way in ${names}`,
      (session) => replace(session, request, group),
      signal,
    );
    for (const { table } of group) await request.onTable?.(table, origin);
  }
}

async function replaceTables(
  session: pg.PoolClient,
  { ledger }: CreateRequest,
  group: readonly TakenTable[],
): Promise<LedgerObject['origin']> {
  await lock(session, group, 'ACCESS EXCLUSIVE');
  const functions = await triggerFunctions(session, group);
  // Without CASCADE: what others have built on the old tables is theirs, and PostgreSQL says what is in the way.
  await session.query(`DROP TABLE ${namesOf(group)}`);
  if (functions.length > 0) await session.query(`DROP FUNCTION ${functions.join(', ')}`);
  for (const { table } of group) await makeTable(session, ledger, table);
  return 'created';
}

/** Functions of the old tables' triggers that have the name of one of the plan's. */
async function triggerFunctions(
  session: pg.PoolClient,
  group: readonly TakenTable[],
): Promise<string[]> {
  const planned = group.flatMap(({ table }) => table.triggers ?? []).map(({ name }) => name);
  const { rows } = await session.query<{ name: string }>(
    `SELECT DISTINCT p.oid::regprocedure::text AS name
       FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE NOT t.tgisinternal AND t.tgrelid::bigint = ANY ($1::bigint[]) AND n.nspname = $2 AND p.proname = ANY ($3::text[])`,
    [group.map(({ object }) => object.oid), group[0]?.table.schema, planned],
  );
  return rows.map(({ name }) => name);
}

async function takeOverTables(
  session: pg.PoolClient,
  { ledger, plan }: CreateRequest,
  group: readonly TakenTable[],
): Promise<LedgerObject['origin']> {
  await lock(session, group, 'SHARE ROW EXCLUSIVE');
  // Once more: before the lock somebody could still change them.
  for (const { table, object } of group) await assertSuitable(session, table, object);
  const origin = plan.options.onExisting === 'truncate' ? 'truncated' : 'appended';
  if (origin === 'truncated') await session.query(`TRUNCATE ${namesOf(group)}`);
  for (const { table } of group) {
    await record(session, ledger, { table, origin, rowsBefore: await countRows(session, table) });
  }
  return origin;
}

/** Throws TARGET_TABLE_UNSUITABLE, not to be tried again: a table that nobody has looked at is neither dropped nor filled. */
async function lock(
  session: pg.PoolClient,
  group: readonly TakenTable[],
  mode: 'ACCESS EXCLUSIVE' | 'SHARE ROW EXCLUSIVE',
): Promise<void> {
  const tables = group.map(({ table: { schema, target }, object: { oid } }) => ({
    schema,
    target,
    oid,
  }));
  const exchanged = await lockAndFindExchanged(session, tables, mode);
  if (exchanged === null) return;
  throw new AppError('TARGET_TABLE_UNSUITABLE', {
    table: exchanged.target,
    reason: 'it was just exchanged for another table',
    field: 'options.onExisting',
  });
}

function namesOf(group: readonly TakenTable[]): string {
  return group.map(({ table }) => qualifiedName(table)).join(', ');
}

async function makeTable(
  session: pg.PoolClient,
  ledger: Ledger,
  table: PlannedTable,
): Promise<void> {
  await session.query([createTableSql(table), ...commentSql(table)].join(';\n'));
  await record(session, ledger, { table, origin: 'created', rowsBefore: 0 });
}

async function countRows(session: pg.PoolClient, table: PlannedTable): Promise<number> {
  const { rows } = await session.query<{ count: string }>(
    `SELECT count(*) FROM ${qualifiedName(table)}`,
  );
  return Number(rows[0]?.count ?? 0);
}

interface MadeTable extends Pick<LedgerObject, 'origin' | 'rowsBefore'> {
  readonly table: PlannedTable;
}

async function record(
  session: pg.PoolClient,
  ledger: Ledger,
  { table, origin, rowsBefore }: MadeTable,
): Promise<void> {
  const { rows } = await session.query<{ oid: string }>('SELECT $1::regclass::oid::bigint AS oid', [
    qualifiedName(table),
  ]);
  // A table that this job made before and that is gone since takes its chunks with it: else they would count as copied.
  await ledger.forgetTable(session, table.source);
  await ledger.recordObject(session, {
    sourceTable: table.source,
    schema: table.schema,
    table: table.target,
    oid: rows[0]?.oid ?? '0',
    origin,
    rowsBefore,
  });
}
