import type pg from 'pg';
import { AppError } from '../../../errors/app-error.ts';
import type { PlannedTable } from '../../contract.ts';
import { primaryKeyIndex } from '../../target/ddl.ts';
import type { Target } from '../../target/target.ts';

/** Something of the target that has a name of the plan. */
export interface ExistingObject {
  readonly name: string;
  readonly oid: string;
  readonly kind: string;
}

const TABLE = 'table';

/** `pg_class.relkind` → what it is, for a person. Source: PostgreSQL manual, "pg_class". */
const KINDS: Readonly<Record<string, string>> = {
  r: TABLE,
  p: TABLE,
  v: 'view',
  m: 'materialized view',
  i: 'index',
  I: 'index',
  S: 'sequence',
  f: 'foreign table',
};

/**
 * What already has the name of a planned table: relations, and types, since every table brings a type of its name.
 * Target name → object.
 */
export async function findExisting(
  target: Target,
  tables: readonly PlannedTable[],
): Promise<ReadonlyMap<string, ExistingObject>> {
  const rows = await target.query<{ name: string; oid: string; relkind: string }>(
    'looking for existing tables',
    `SELECT c.relname AS name, c.oid::bigint AS oid, c.relkind::text AS relkind
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
      UNION ALL
     SELECT t.typname, t.oid::bigint, ''
       FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = $1 AND t.typname = ANY ($2::text[]) AND t.typrelid = 0 AND t.typelem = 0
      ORDER BY name`,
    [tables[0]?.schema ?? '', tables.map((table) => table.target)],
  );
  return new Map(
    rows.map(({ name, oid, relkind }) => [name, { name, oid, kind: KINDS[relkind] ?? 'type' }]),
  );
}

/**
 * Names that the indexes of `tables` are to have and that something else has already: building them would fail after all
 * rows are copied. Indexes of the tables in `dropped` (oids) go with these.
 */
export async function findTakenIndexNames(
  target: Target,
  tables: readonly PlannedTable[],
  dropped: readonly string[],
): Promise<string[]> {
  const names = tables.flatMap((table) =>
    [primaryKeyIndex(table), ...table.indexes].flatMap((index) => index?.name ?? []),
  );
  const rows = await target.query<{ name: string }>(
    'looking for names that are taken',
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index x ON x.indexrelid = c.oid
      WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
        AND NOT coalesce(x.indrelid::bigint = ANY ($3::bigint[]), false) AND NOT c.oid::bigint = ANY ($3::bigint[])
      ORDER BY c.relname`,
    [tables[0]?.schema ?? '', names, dropped],
  );
  return rows.map(({ name }) => name);
}

/** Throws TARGET_TABLE_UNSUITABLE for what is no table. */
export function assertTable({ name, kind }: ExistingObject): void {
  if (kind !== TABLE) throw unsuitable(name, `it is a ${kind}`);
}

interface ExistingColumn {
  readonly name: string;
  /** The type's own number. */
  readonly typeOid: string;
  readonly type: string;
  readonly generated: boolean;
  /** NOT NULL, and nothing gives it a value by itself. */
  readonly needsValue: boolean;
}

/**
 * Every planned column has to be there, of the planned type: a conversion on the way in could change values silently. What
 * the plan does not fill has to fill itself. Throws TARGET_TABLE_UNSUITABLE.
 */
export async function assertSuitable(
  session: Pick<pg.PoolClient, 'query'>,
  table: PlannedTable,
  { oid }: ExistingObject,
): Promise<void> {
  const { rows } = await session.query<ExistingColumn>(
    `SELECT attname AS name, atttypid::bigint AS "typeOid", format_type(atttypid, atttypmod) AS type, attgenerated <> '' AS generated,
            attnotnull AND NOT atthasdef AND attidentity = '' AS "needsValue"
       FROM pg_attribute WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid],
  );
  const actual = new Map(rows.map((row) => [row.name, row]));
  const typeOids = await findTypes(session, table);
  for (const column of table.columns) {
    const reason = whyUnsuitable(column, actual.get(column.target), typeOids);
    if (reason !== null) throw unsuitable(table.target, reason);
  }
  const planned = new Set(table.columns.map(({ target }) => target));
  const unfilled = rows.find(({ name, needsValue }) => needsValue && !planned.has(name));
  if (unfilled !== undefined) {
    throw unsuitable(table.target, `its column ${unfilled.name} needs a value that no row has`);
  }
}

/**
 * A foreign key needs a unique index on exactly the columns that it refers to. Without one, adding it would fail after all
 * rows are copied. Throws TARGET_TABLE_UNSUITABLE.
 */
export async function assertReferable(
  session: Pick<pg.PoolClient, 'query'>,
  { name, oid }: ExistingObject,
  columns: readonly string[],
): Promise<void> {
  const { rows } = await session.query<{ columns: string[] }>(
    `SELECT (SELECT array_agg(attname::text) FROM pg_attribute
              WHERE attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1])) AS columns
       FROM pg_index WHERE indrelid = $1::bigint::oid AND indisunique AND indisvalid AND indimmediate
        AND indpred IS NULL AND indexprs IS NULL`,
    [oid],
  );
  const isThere = rows.some(
    (index) =>
      index.columns.length === columns.length &&
      columns.every((column) => index.columns.includes(column)),
  );
  if (isThere) return;
  const reason = `a foreign key refers to ${columns.join(', ')}, which it does not keep unique`;
  throw unsuitable(name, reason);
}

/**
 * Tables are filled side by side, the greatest first: foreign keys between them that are there already would refuse rows
 * that come before the ones they refer to. Throws TARGET_TABLE_UNSUITABLE.
 */
export async function assertNoReferences(
  session: Pick<pg.PoolClient, 'query'>,
  objects: readonly ExistingObject[],
): Promise<void> {
  const { rows } = await session.query<{ name: string; oid: string }>(
    `SELECT conname AS name, conrelid::bigint AS oid FROM pg_constraint
      WHERE contype = 'f' AND conrelid::bigint = ANY ($1::bigint[]) AND confrelid::bigint = ANY ($1::bigint[])
      ORDER BY conname LIMIT 1`,
    [objects.map(({ oid }) => oid)],
  );
  const [key] = rows;
  if (key === undefined) return;
  const table = objects.find(({ oid }) => oid === key.oid)?.name ?? '';
  const reason = `its foreign key ${key.name} would refuse rows that come before the ones they refer to`;
  throw unsuitable(table, reason);
}

/** Types that have a schema in their name: PostgreSQL prints them with or without it, so they are told by their number. */
async function findTypes(
  session: Pick<pg.PoolClient, 'query'>,
  { columns }: PlannedTable,
): Promise<ReadonlyMap<string, string>> {
  const named = columns.map(({ targetType }) => targetType).filter((type) => type.startsWith('"'));
  const { rows } = await session.query<{ type: string; oid: string }>(
    `SELECT type, to_regtype(type)::oid::bigint AS oid FROM unnest($1::text[]) AS type
      WHERE to_regtype(type) IS NOT NULL`,
    [[...new Set(named)]],
  );
  return new Map(rows.map(({ type, oid }) => [type, oid]));
}

function whyUnsuitable(
  { target, targetType, generatedExpression }: PlannedTable['columns'][number],
  actual: ExistingColumn | undefined,
  typeOids: ReadonlyMap<string, string>,
): string | null {
  if (actual === undefined) return `it has no column ${target}`;
  const isSame = targetType.startsWith('"')
    ? typeOids.get(targetType) === actual.typeOid
    : normalizeType(actual.type) === normalizeType(targetType);
  if (!isSame) return `${target} is ${actual.type}, not ${targetType}`;
  const isGenerated = generatedExpression !== null;
  if (actual.generated === isGenerated) return null;
  return isGenerated ? `${target} is not a generated column` : `${target} is a generated column`;
}

/** PostgreSQL's long names (`format_type`) → the short ones that plans use. */
function normalizeType(type: string): string {
  return type
    .toLowerCase()
    .replace(/\b(timestamp|time)(\(\d\))? with time zone/, '$1tz$2')
    .replace(/\b(timestamp|time)(\(\d\))? without time zone/, '$1$2')
    .replace('character varying', 'varchar')
    .replace('bit varying', 'varbit')
    .replace(/\bcharacter\b/, 'char')
    .replace(/\s*,\s*/g, ',');
}

function unsuitable(table: string, reason: string): AppError {
  return new AppError('TARGET_TABLE_UNSUITABLE', { table, reason, field: 'options.onExisting' });
}
