import type { Plan, PlannedTable } from '../../contract.ts';
import { primaryKeyIndex } from '../../target/ddl.ts';
import type { Target } from '../../target/target.ts';

/** What of the plan is not in the target, by name; columns as `table.column`. */
export interface Inventory {
  readonly columns: ReadonlySet<string>;
  readonly indexes: ReadonlySet<string>;
  readonly primaryKeys: ReadonlySet<string>;
  /** Foreign keys and checks, valid or not. */
  readonly constraints: ReadonlySet<string>;
  readonly identities: ReadonlySet<string>;
}

type PlannedObject = readonly [table: string, name: string, label?: string];

/** Compares the plan of the given tables with the target's catalog. */
export async function findMissing(
  target: Target,
  tables: readonly PlannedTable[],
  plan: Plan,
): Promise<Inventory> {
  const schema = plan.options.targetSchema;
  const actual = {
    columns: await readNames(target, COLUMNS, schema),
    indexes: await readNames(target, INDEXES, schema),
    constraints: await readNames(target, CONSTRAINTS, schema),
    identities: await readNames(target, IDENTITIES, schema),
  };
  const missing = (planned: readonly PlannedObject[], found: ReadonlySet<string>): Set<string> =>
    new Set(
      planned
        .filter(([table, name]) => !found.has(pairKey(table, name)))
        .map(([, name, label]) => label ?? name),
    );

  return {
    columns: missing(
      tables.flatMap(({ target: table, columns }) =>
        columns.map((column) => [table, column.target, `${table}.${column.target}`] as const),
      ),
      actual.columns,
    ),
    indexes: missing(
      tables.flatMap((table) => {
        const key = primaryKeyIndex(table);
        return [...(key === null ? [] : [key]), ...table.indexes].map(
          ({ name }) => [table.target, name] as const,
        );
      }),
      actual.indexes,
    ),
    primaryKeys: missing(
      tables.flatMap(({ target: table, primaryKey }) =>
        primaryKey === null ? [] : [[table, primaryKey.name] as const],
      ),
      actual.constraints,
    ),
    constraints: missing(
      tables.flatMap(({ target: table, foreignKeys, checks }) =>
        [...foreignKeys, ...checks].map(({ name }) => [table, name] as const),
      ),
      actual.constraints,
    ),
    identities: missing(
      tables.flatMap(({ target: table, identity }) =>
        identity === null
          ? []
          : [[table, identity.column, `the identity of ${table}.${identity.column}`] as const],
      ),
      actual.identities,
    ),
  };
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

async function readNames(
  target: Target,
  sql: string,
  schema: string,
): Promise<ReadonlySet<string>> {
  const rows = await target.query<{ table: string; name: string }>(
    'reading the catalog of the target',
    sql,
    [schema],
  );
  return new Set(rows.map(({ table, name }) => pairKey(table, name)));
}

function pairKey(table: string, name: string): string {
  return `${table}\u0000${name}`;
}
