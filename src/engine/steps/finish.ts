import { AppError } from '../../errors/app-error.ts';
import type { Plan, PlannedForeignKey, PlannedIndex, PlannedTable } from '../contract.ts';
import { inLanes } from '../lanes.ts';
import {
  addCheckSql,
  addForeignKeySql,
  addPrimaryKeySql,
  createIndexSql,
  primaryKeyIndex,
  validateConstraintSql,
} from '../target/ddl.ts';
import { qualifiedName, quoteIdentifier } from '../target/identifiers.ts';
import type { Ledger } from '../target/ledger.ts';
import type { Target } from '../target/target.ts';
import { findMissing } from './finish/inventory.ts';

export interface FinishRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** Something worth a line in the job's log. */
  readonly onEvent?: (event: FinishEvent) => Promise<void> | void;
}

export interface FinishEvent {
  readonly level: 'info' | 'warning';
  readonly table: string;
  readonly message: string;
}

/** SQLSTATEs that mean "the data breaks this constraint": foreign key, check. */
const VIOLATIONS = new Set(['23503', '23514']);

/**
 * Indexes side by side, then primary keys on them, identities, foreign keys and checks, ANALYZE, and at last an inventory:
 * whatever of the plan is missing makes the job fail (TARGET_OBJECT_MISSING), a table or a column before anything is built.
 * Everything that exists is left as it is, so a resume goes on where it stopped. Tables that the job did not make keep the
 * keys and indexes that they have.
 */
export async function finish(request: FinishRequest): Promise<void> {
  const { ledger, plan } = request;
  const objects = await ledger.objects();
  assertTablesThere(plan, objects);
  const made = plan.tables.filter((table) => objects.get(table.source)?.origin === 'created');
  const inventory = await findMissing(request.target, made, plan);
  assertNoneMissing([...inventory.columns]);

  await buildIndexes(request, made, inventory.indexes);
  await addPrimaryKeys(request, made, inventory.primaryKeys);
  for (const table of plan.tables) await advanceIdentity(request, table);
  await addConstraints(request, made, inventory.constraints);
  await inLanes(plan.tables, request, async (table, _, signal) => {
    const sql = `ANALYZE ${qualifiedName(table)}`;
    await request.target.query(`analyzing ${table.target}`, sql, [], signal);
  });

  const left = await findMissing(request.target, made, plan);
  const missing = [
    ...left.columns,
    ...left.indexes,
    ...left.primaryKeys,
    ...left.constraints,
    ...left.identities,
  ];
  assertNoneMissing(missing);
}

/** A table of the same name that somebody has made since is not the one that was filled. */
function assertTablesThere(plan: Plan, objects: ReadonlyMap<string, unknown>): void {
  const lost = plan.tables.filter((table) => !objects.has(table.source));
  assertNoneMissing(lost.map(({ schema, target }) => `table ${schema}.${target}`));
}

function assertNoneMissing(objects: readonly string[]): void {
  if (objects.length > 0) throw new AppError('TARGET_OBJECT_MISSING', { objects });
}

async function buildIndexes(
  request: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  const tasks = tables.flatMap((table) => {
    const key = primaryKeyIndex(table);
    const indexes = key === null ? table.indexes : [key, ...table.indexes];
    return indexes.filter(({ name }) => missing.has(name)).map((index) => ({ table, index }));
  });
  await inLanes(tasks, request, async ({ table, index }, _, signal) => {
    await buildIndex({ ...request, signal }, table, index);
  });
}

/** SQLSTATEs of an index whose name has been taken: before it was built, and by one that was built at the same time. */
const NAME_TAKEN = new Set(['42P07', '23505']);

/** The session of a worker that died may still be building the same index: it is waited for, and what it built is taken. */
async function buildIndex(
  request: FinishRequest,
  table: PlannedTable,
  index: PlannedIndex,
): Promise<void> {
  const { target, plan } = request;
  const what = `building ${describeIndex(index)} of ${table.target}`;
  try {
    await changeOwnTable(request, what, createIndexSql(table, index));
  } catch (error) {
    if (!NAME_TAKEN.has(sqlStateOf(error))) throw error;
    const { indexes } = await findMissing(target, [table], plan);
    if (indexes.has(index.name)) throw error;
    return;
  }
  const message = `Built ${describeIndex(index)}`;
  await request.onEvent?.({ level: 'info', table: table.source, message });
}

/**
 * Waits for locks as long as it takes: on a table that this job made, only an earlier session of the job or a reader can be
 * in the way. To give up would fail a job whose rows are all there.
 */
async function changeOwnTable(
  { target, signal }: Pick<FinishRequest, 'target' | 'signal'>,
  what: string,
  sql: string,
): Promise<void> {
  await target.withSession(
    what,
    // One message is one transaction, after which the session's own timeout is back.
    (session) => session.query(`SET LOCAL lock_timeout = 0; ${sql}`),
    signal,
  );
}

function describeIndex(index: PlannedIndex): string {
  return `${index.unique ? 'unique ' : ''}index ${index.name}`;
}

async function addPrimaryKeys(
  request: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  for (const table of tables) {
    const key = table.primaryKey;
    if (key === null || !missing.has(key.name)) continue;
    const sql = addPrimaryKeySql(table, key.name);
    await changeOwnTable(request, `adding primary key ${key.name}`, sql);
  }
}

/**
 * The next number is at least the one that the source's own counter would give, and beyond every row that is there. A
 * sequence that is further already stays where it is: its numbers may have been used.
 */
async function advanceIdentity(
  { target, signal }: FinishRequest,
  table: PlannedTable,
): Promise<void> {
  if (table.identity === null) return;
  const { column, next } = table.identity;
  const what = `setting the identity of ${table.target}`;
  const [sequence] = await target.query<{ name: string; max: string; step: string }>(
    what,
    `SELECT name, seqmax AS max, seqincrement AS step
       FROM pg_get_serial_sequence($1, $2) AS name JOIN pg_sequence ON seqrelid = name::regclass
      WHERE seqincrement > 0`,
    [qualifiedName(table), column],
    signal,
  );
  if (sequence === undefined) return;
  // Counted as numeric: a source may have used up the last number there is. Then so has the target.
  await target.query(
    what,
    `SELECT setval($1::regclass, least(wanted, $3::numeric)::bigint, wanted > $3::numeric)
       FROM ${sequence.name} AS own,
            (SELECT greatest(coalesce(max(${quoteIdentifier(column)})::numeric, 0) + 1, $2::numeric, 1) AS wanted FROM ${qualifiedName(table)}) AS rows
      WHERE wanted > own.last_value::numeric + CASE WHEN own.is_called THEN $4::numeric ELSE 0 END`,
    [sequence.name, next, sequence.max, sequence.step],
    signal,
  );
}

/** First NOT VALID, which only needs a short lock, then VALIDATE, which reads. Data that breaks one leaves it NOT VALID. */
async function addConstraints(
  request: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  const { plan } = request;
  for (const table of tables) {
    for (const constraint of constraintsOf(table, plan)) {
      if (!missing.has(constraint.name)) continue;
      const what = `adding constraint ${constraint.name} of ${table.target}`;
      await changeTables(request, what, { ...constraint, own: tables });
    }
  }
  // One lane a table: two validations of one table would wait for each other's lock.
  await inLanes(tables, request, async (table, _, signal) => {
    for (const constraint of constraintsOf(table, plan)) {
      const { name, label } = constraint;
      const sql = validateConstraintSql(table, name);
      const change = { ...constraint, own: tables, sql };
      const broken = await validate({ ...request, signal }, name, change);
      if (broken === null) continue;
      const message = `The ${label} ${name} stays NOT VALID: ${broken}`;
      await request.onEvent?.({ level: 'warning', table: table.source, message });
    }
  });
}

interface Change {
  readonly sql: string;
  /** The other table that is locked; null = none. */
  readonly referenced: PlannedTable | null;
  /** Tables that this job made. */
  readonly own: readonly PlannedTable[];
}

/** A lock on a table that others use is not waited for without end: they would queue up behind it. */
async function changeTables(
  request: FinishRequest,
  what: string,
  { sql, referenced, own }: Change,
): Promise<void> {
  if (referenced === null || own.includes(referenced)) return changeOwnTable(request, what, sql);
  await request.target.query(what, sql, [], request.signal);
}

interface PlannedConstraint {
  readonly name: string;
  readonly label: string;
  readonly sql: string;
  readonly referenced: PlannedTable | null;
}

function constraintsOf(table: PlannedTable, plan: Plan): PlannedConstraint[] {
  const checks = table.checks.map((check) => ({
    name: check.name,
    label: 'check',
    sql: addCheckSql(table, check),
    referenced: null,
  }));
  const keys = table.foreignKeys.flatMap((key: PlannedForeignKey) => {
    const referenced = plan.tables[key.referencedTable];
    return referenced === undefined
      ? []
      : [
          {
            name: key.name,
            label: 'foreign key',
            sql: addForeignKeySql(table, key, referenced),
            referenced,
          },
        ];
  });
  return [...checks, ...keys];
}

/** Null: valid now. Text: why the data does not allow it. */
async function validate(
  request: FinishRequest,
  name: string,
  change: Change,
): Promise<string | null> {
  try {
    await changeTables(request, `validating ${name}`, change);
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || !VIOLATIONS.has(sqlStateOf(error))) throw error;
    return String(error.details.reason);
  }
}

function sqlStateOf(error: unknown): string {
  return error instanceof AppError ? String(error.details.sqlState) : '';
}
