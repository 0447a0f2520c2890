import { AppError } from '../../../errors/app-error.ts';
import type { Plan, PlannedTable } from '../../contract.ts';
import { primaryKeyIndex } from '../../target/ddl.ts';
import type { Ledger } from '../../target/ledger.ts';
import type { Target } from '../../target/target.ts';

/** What of the plan is not in the target, by name; columns as `table.column`. */
export interface Inventory {
  readonly columns: ReadonlySet<string>;
  readonly indexes: ReadonlySet<string>;
  readonly primaryKeys: ReadonlySet<string>;
  /** Foreign keys and checks, valid or not. */
  readonly constraints: ReadonlySet<string>;
  readonly identities: ReadonlySet<string>;
  readonly triggers: ReadonlySet<string>;
  /** As `the comment of table.column`. */
  readonly comments: ReadonlySet<string>;
  /** Types, collations and sequences, as `the type mood`. */
  readonly schemaObjects: ReadonlySet<string>;
}

type PlannedObject = readonly [table: string, name: string, label?: string];

/** Compares the plan of the given tables with the target's catalog. */
export async function findMissing(
  target: Target,
  tables: readonly PlannedTable[],
  plan: Plan,
): Promise<Inventory> {
  const schema = plan.options.targetSchema;
  const missing = async (
    sql: string,
    planned: readonly PlannedObject[],
  ): Promise<ReadonlySet<string>> => {
    if (planned.length === 0) return new Set();
    const found = await readNames(target, sql, schema);
    return new Set(
      planned
        .filter(([table, name]) => !found.has(pairKey(table, name)))
        .map(([, name, label]) => label ?? name),
    );
  };
  const ofTables = (
    list: (table: PlannedTable) => readonly (readonly [name: string, label?: string])[],
  ): PlannedObject[] =>
    tables.flatMap((table) => list(table).map((entry) => [table.target, ...entry] as const));
  const keys = ofTables(({ primaryKey }) => (primaryKey === null ? [] : [[primaryKey.name]]));

  return {
    columns: await missing(
      COLUMNS,
      ofTables(({ target: table, columns }) =>
        columns.map((column) => [column.target, `${table}.${column.target}`]),
      ),
    ),
    indexes: await missing(
      INDEXES,
      ofTables((table) => {
        const key = primaryKeyIndex(table);
        return [...(key === null ? [] : [key]), ...table.indexes].map(({ name }) => [name]);
      }),
    ),
    primaryKeys: await missing(CONSTRAINTS, keys),
    constraints: await missing(
      CONSTRAINTS,
      ofTables(({ foreignKeys, checks }) => [...foreignKeys, ...checks].map(({ name }) => [name])),
    ),
    identities: await missing(
      IDENTITIES,
      ofTables(({ target: table, identity }) =>
        identity === null ? [] : [[identity.column, `the identity of ${table}.${identity.column}`]],
      ),
    ),
    triggers: await missing(
      TRIGGERS,
      ofTables(({ triggers = [] }) => triggers.map(({ name }) => [name, `the trigger ${name}`])),
    ),
    comments: await missing(COMMENTS, ofTables(plannedComments)),
    schemaObjects: await missing(
      SCHEMA_OBJECTS,
      (plan.schemaObjects ?? []).map(({ kind, name }) => [kind, name, `the ${kind} ${name}`]),
    ),
  };
}

/** Throws TARGET_OBJECT_MISSING with all that is missing, whatever it is. */
export function assertNothingMissing(inventory: Inventory): void {
  assertNoneMissing([
    ...inventory.columns,
    ...inventory.indexes,
    ...inventory.primaryKeys,
    ...inventory.constraints,
    ...inventory.identities,
    ...inventory.triggers,
    ...inventory.comments,
    ...inventory.schemaObjects,
  ]);
}

/** A table of the same name that somebody has made since is not the one that was filled. */
export function assertTablesThere(plan: Plan, objects: ReadonlyMap<string, unknown>): void {
  const lost = plan.tables.filter((table) => !objects.has(table.source));
  assertNoneMissing(lost.map(({ schema, target }) => `table ${schema}.${target}`));
}

export function assertNoneMissing(objects: readonly string[]): void {
  if (objects.length > 0) throw new AppError('TARGET_OBJECT_MISSING', { objects });
}

/** What a job has to show at its end: every table, and all that the plan says of those that it made itself. */
export async function assertComplete({
  target,
  ledger,
  plan,
}: {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
}): Promise<void> {
  const objects = await ledger.objects();
  assertTablesThere(plan, objects);
  assertNothingMissing(await findMissing(target, madeTables(plan, objects), plan));
}

/** Tables that this job made, not those that it only filled. */
export function madeTables(
  plan: Plan,
  objects: Awaited<ReturnType<Ledger['objects']>>,
): PlannedTable[] {
  return plan.tables.filter((table) => objects.get(table.source)?.origin === 'created');
}

/** Column and comment stand in one name: another comment is a missing one too. */
function plannedComments({
  target,
  comment,
  columns,
}: PlannedTable): (readonly [name: string, label: string])[] {
  const ofTable =
    comment === undefined ? [] : [[pairKey('', comment), `the comment of ${target}`] as const];
  const ofColumns = columns.flatMap((column) =>
    column.comment === undefined
      ? []
      : [
          [
            pairKey(column.target, column.comment),
            `the comment of ${target}.${column.target}`,
          ] as const,
        ],
  );
  return [...ofTable, ...ofColumns];
}

const FROM_SCHEMA = `JOIN pg_class t ON t.oid = %s JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = $1`;
const COLUMNS = `SELECT t.relname AS table, a.attname AS name
  FROM pg_attribute a ${FROM_SCHEMA.replace('%s', 'a.attrelid')} WHERE a.attnum > 0 AND NOT a.attisdropped`;
const INDEXES = `SELECT t.relname AS table, i.relname AS name
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid ${FROM_SCHEMA.replace('%s', 'x.indrelid')} WHERE x.indisvalid`;
const CONSTRAINTS = `SELECT t.relname AS table, c.conname AS name
  FROM pg_constraint c ${FROM_SCHEMA.replace('%s', 'c.conrelid')} WHERE c.contype IN ('p', 'f', 'c')`;
const IDENTITIES = `SELECT t.relname AS table, a.attname AS name
  FROM pg_attribute a ${FROM_SCHEMA.replace('%s', 'a.attrelid')} WHERE a.attidentity <> '' AND NOT a.attisdropped`;
const TRIGGERS = `SELECT t.relname AS table, g.tgname AS name
  FROM pg_trigger g ${FROM_SCHEMA.replace('%s', 'g.tgrelid')} WHERE NOT g.tgisinternal AND g.tgenabled <> 'D'`;
const COMMENTS = `SELECT t.relname AS table, coalesce(a.attname, '') AS name, d.description AS text
  FROM pg_description d ${FROM_SCHEMA.replace('%s', 'd.objoid')}
  LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
 WHERE d.classoid = 'pg_class'::regclass`;
const SCHEMA_OBJECTS = `SELECT o.kind AS table, o.name
  FROM (SELECT 'type' AS kind, typname AS name, typnamespace AS namespace FROM pg_type
        UNION ALL SELECT 'collation', collname, collnamespace FROM pg_collation
        UNION ALL SELECT 'sequence', relname, relnamespace FROM pg_class WHERE relkind = 'S') o
  JOIN pg_namespace n ON n.oid = o.namespace AND n.nspname = $1`;

async function readNames(
  target: Target,
  sql: string,
  schema: string,
): Promise<ReadonlySet<string>> {
  const rows = await target.query<{ table: string; name: string; text?: string }>(
    'reading the catalog of the target',
    sql,
    [schema],
  );
  return new Set(
    rows.map(({ table, name, text }) =>
      pairKey(table, text === undefined ? name : pairKey(name, text)),
    ),
  );
}

function pairKey(table: string, name: string): string {
  return `${table}\u0000${name}`;
}
