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
import { describeDuplicates, findWeakerIndex, notUnique } from './finish/duplicates.ts';
import {
  assertNoneMissing,
  assertNothingMissing,
  assertTablesThere,
  findMissing,
  madeTables,
} from './finish/inventory.ts';

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
 * Indexes side by side, then primary keys on them, identities and sequences, foreign keys and checks, triggers, ANALYZE, and at
 * last an inventory: whatever of the plan is missing makes the job fail (TARGET_OBJECT_MISSING), a table or a column before
 * anything is built. TARGET_NOT_UNIQUE where rows are equal that a key of the plan has to tell apart. Everything that exists is left as it is, so a resume goes on where it stopped. Tables that the job did not make keep the
 * keys and indexes that they have.
 */
export async function finish(request: FinishRequest): Promise<void> {
  const { ledger, plan } = request;
  const objects = await ledger.objects();
  assertTablesThere(plan, objects);
  const made = madeTables(plan, objects);
  const inventory = await findMissing(request.target, made, plan);
  assertNoneMissing([...inventory.columns, ...inventory.schemaObjects]);

  await buildIndexes(request, made, inventory.indexes);
  await addPrimaryKeys(request, made, inventory.primaryKeys);
  for (const table of plan.tables) await advanceIdentity(request, table);
  await advanceSequences(request);
  await addConstraints(request, made, inventory.constraints);
  await createTriggers(request, made, inventory.triggers);
  await inLanes(plan.tables, request, async (table, _, signal) => {
    const sql = `ANALYZE ${qualifiedName(table)}`;
    await request.target.query(`analyzing ${table.target}`, sql, [], signal);
  });

  assertNothingMissing(await findMissing(request.target, made, plan));
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

const UNIQUE_VIOLATION = '23505';

/** SQLSTATEs of an index whose name has been taken: before it was built, and by one that was built at the same time. */
const NAME_TAKEN = new Set(['42P07', UNIQUE_VIOLATION]);

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
    if (!indexes.has(index.name)) return;
    if (sqlStateOf(error) !== UNIQUE_VIOLATION || !index.unique) throw error;
    await buildWeakerIndex(request, { table, index }, error);
    return;
  }
  const message = `Built ${describeIndex(index)}`;
  await request.onEvent?.({ level: 'info', table: table.source, message });
}

/**
 * Rows that the source keeps apart are equal to the index: its collation is not the source's own. Where no key rests on it, it
 * is built byte by byte, and the job's log says so; else the job has failed, with all rows in place.
 */
async function buildWeakerIndex(
  request: FinishRequest,
  unique: { readonly table: PlannedTable; readonly index: PlannedIndex },
  cause: unknown,
): Promise<void> {
  const { table, index } = unique;
  const keys = await describeDuplicates(request.target, unique);
  const weaker = findWeakerIndex(unique, request.plan);
  if (weaker === null) throw notUnique(unique, keys, cause);
  try {
    const what = `building ${describeIndex(index)} of ${table.target}`;
    await changeOwnTable(request, what, createIndexSql(table, weaker));
  } catch (error) {
    throw sqlStateOf(error) === UNIQUE_VIOLATION ? notUnique(unique, keys, error) : error;
  }
  const message = `The ${describeIndex(index)} compares byte by byte, which is weaker than planned: ${keys}`;
  await request.onEvent?.({ level: 'warning', table: table.source, message });
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

/** Columns that a sequence numbers by their default, and how far it could number them. */
const NUMBERED_COLUMNS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS table, a.attname AS column,
         CASE t.typname WHEN 'int2' THEN '32767' WHEN 'int4' THEN '2147483647' ELSE '9223372036854775807' END AS max
    FROM pg_depend d
    JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid AND t.typname IN ('int2', 'int4', 'int8')
   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::regclass AND n.nspname = $2
     AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\\(''[^'']*''::regclass\\)$'`;

/**
 * Sequences that the job has made stand there already, one that was there before is only moved on. A source that goes on working
 * has gone on numbering since its sequences were read: the next number is also beyond all rows that the sequence numbers.
 */
async function advanceSequences({ target, plan, signal }: FinishRequest): Promise<void> {
  for (const { schema, name, next } of plan.schemaObjects ?? []) {
    if (next === undefined) continue;
    const sequence = qualifiedName({ schema, target: name });
    const what = `setting the sequence ${name}`;
    const columns = await target.query<{ table: string; column: string; max: string }>(
      what,
      NUMBERED_COLUMNS,
      [sequence, schema],
      signal,
    );
    // Greatest numbers, less those after which there is none left.
    const used = columns.map(
      ({ table, column, max }) =>
        `(SELECT nullif(max(${quoteIdentifier(column)}), ${max})::numeric FROM ${table})`,
    );
    await target.query(
      what,
      `SELECT setval($1::regclass, wanted::bigint, false)
         FROM ${sequence} AS own, pg_sequence,
              LATERAL (SELECT $2::numeric + seqincrement * ceil(
                (greatest($2::numeric - 1, ${['NULL::numeric', ...used].join(', ')}) + 1 - $2::numeric) / seqincrement)) AS next (wanted)
        WHERE seqrelid = $1::regclass AND seqincrement > 0 AND wanted <= seqmax
          AND last_value::numeric + CASE WHEN is_called THEN seqincrement ELSE 0 END < wanted`,
      [sequence, next],
      signal,
    );
  }
}

/** Last of all, when no statement of the job changes a row any more. The ledger knows the functions: a table takes only its triggers with it. */
async function createTriggers(
  { target, ledger, plan, signal }: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  if (missing.size === 0) return;
  const schema = plan.options.targetSchema;
  const own = await ledger.schemaObjects();
  const functions = new Set(own.filter(({ kind }) => kind === 'function').map(({ name }) => name));
  for (const table of tables) {
    for (const { name, createFunction, createTrigger } of table.triggers ?? []) {
      if (!missing.has(`the trigger ${name}`)) continue;
      await target.inTransaction(
        `creating trigger ${name}`,
        async (session) => {
          await session.query('SET LOCAL lock_timeout = 0');
          if (!functions.has(name)) {
            await session.query(createFunction);
            const { rows } = await session.query<{ oid: string }>(
              'SELECT ($1 || $2)::regprocedure::oid::bigint AS oid',
              [qualifiedName({ schema, target: name }), '()'],
            );
            const oid = rows[0]?.oid ?? '0';
            await ledger.recordSchemaObject(session, { kind: 'function', schema, name, oid });
          }
          await session.query(createTrigger);
        },
        signal,
      );
    }
  }
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
