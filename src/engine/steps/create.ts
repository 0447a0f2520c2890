import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type { JobOptions, Plan, PlannedTable } from '../contract.ts';
import { createTableSql } from '../target/ddl.ts';
import { qualifiedName, quoteIdentifier } from '../target/identifiers.ts';
import type { Ledger, LedgerObject } from '../target/ledger.ts';
import type { Target } from '../target/target.ts';

export interface CreateRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** Called after each table that was made or emptied. */
  readonly onTable?: (table: PlannedTable, origin: LedgerObject['origin']) => Promise<void> | void;
}

/**
 * Makes schema and tables, without indexes and keys. Table and ledger row are one transaction, so a resume makes only what
 * is missing. With `onExisting: fail` nothing at all is made where one table is in the way.
 * Throws TARGET_READ_ONLY, TARGET_TABLE_EXISTS, TARGET_TABLE_UNSUITABLE, TARGET_PERMISSION_DENIED.
 */
export async function create({
  target,
  ledger,
  plan,
  signal,
  onTable,
}: CreateRequest): Promise<void> {
  await assertWritable(target);
  await ledger.install();
  const done = await ledger.objects();
  const pending = plan.tables.filter((table) => !done.has(table.source));
  const existing = await findExisting(target, pending);
  if (plan.options.onExisting === 'fail' && existing.size > 0) {
    throw new AppError('TARGET_TABLE_EXISTS', {
      tables: [...existing],
      field: 'options.onExisting',
    });
  }

  await createSchema(target, plan.options.targetSchema);
  for (const table of pending) {
    signal.throwIfAborted();
    const origin = await target.inTransaction(`creating table ${table.target}`, async (session) => {
      const object = await makeTable(
        session,
        table,
        existing.has(table.target),
        plan.options.onExisting,
      );
      await ledger.recordObject(session, object);
      return object.origin;
    });
    await onTable?.(table, origin);
  }
}

async function assertWritable(target: Target): Promise<void> {
  const [row] = await target.query<{ read_only: boolean }>(
    'asking whether the target can be written',
    `SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery() AS read_only`,
  );
  if (row?.read_only === true) throw new AppError('TARGET_READ_ONLY');
}

/** Target names of planned tables that already are something: a table, a view, an index, a sequence. */
async function findExisting(
  target: Target,
  tables: readonly PlannedTable[],
): Promise<ReadonlySet<string>> {
  const [first] = tables;
  if (first === undefined) return new Set();
  const rows = await target.query<{ relname: string }>(
    'looking for existing tables',
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) ORDER BY c.relname`,
    [first.schema, tables.map((table) => table.target)],
  );
  return new Set(rows.map((row) => row.relname));
}

async function createSchema(target: Target, schema: string): Promise<void> {
  const [row] = await target.query<{ found: boolean }>(
    'looking for the target schema',
    'SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS found',
    [schema],
  );
  if (row?.found === true) return;
  await target.query(
    `creating schema ${schema}`,
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,
  );
}

async function makeTable(
  session: pg.PoolClient,
  table: PlannedTable,
  exists: boolean,
  onExisting: JobOptions['onExisting'],
): Promise<LedgerObject> {
  if (exists && onExisting !== 'drop') return await takeOver(session, table, onExisting);
  // Without CASCADE: what others have built on the old table is theirs, and PostgreSQL says what is in the way.
  if (exists) await session.query(`DROP TABLE ${qualifiedName(table)}`);
  await session.query(createTableSql(table));
  return await describeObject(session, table, 'created', 0);
}

async function takeOver(
  session: pg.PoolClient,
  table: PlannedTable,
  onExisting: JobOptions['onExisting'],
): Promise<LedgerObject> {
  await session.query(`LOCK TABLE ${qualifiedName(table)} IN SHARE ROW EXCLUSIVE MODE`);
  await assertSuitable(session, table);
  if (onExisting === 'truncate') {
    await session.query(`TRUNCATE ${qualifiedName(table)}`);
    return await describeObject(session, table, 'truncated', 0);
  }
  const { rows } = await session.query<{ count: string }>(
    `SELECT count(*) FROM ${qualifiedName(table)}`,
  );
  return await describeObject(session, table, 'appended', Number(rows[0]?.count ?? 0));
}

/** Every planned column has to be there, of the planned type: a conversion on the way in could change values silently. */
async function assertSuitable(session: pg.PoolClient, table: PlannedTable): Promise<void> {
  const { rows } = await session.query<{ attname: string; type: string }>(
    `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [qualifiedName(table)],
  );
  const actual = new Map(rows.map((row) => [row.attname, row.type]));
  for (const column of table.columns) {
    const type = actual.get(column.target);
    if (type !== undefined && normalizeType(type) === normalizeType(column.targetType)) continue;
    const reason =
      type === undefined
        ? `it has no column ${column.target}`
        : `${column.target} is ${type}, not ${column.targetType}`;
    throw new AppError('TARGET_TABLE_UNSUITABLE', {
      table: table.target,
      reason,
      field: 'options.onExisting',
    });
  }
}

/** PostgreSQL's long names (`format_type`) → the short ones that plans use. */
export function normalizeType(type: string): string {
  return type
    .toLowerCase()
    .replace('timestamp with time zone', 'timestamptz')
    .replace('timestamp without time zone', 'timestamp')
    .replace('time without time zone', 'time')
    .replace('character varying', 'varchar')
    .replace(/\s*,\s*/g, ',');
}

async function describeObject(
  session: pg.PoolClient,
  table: PlannedTable,
  origin: LedgerObject['origin'],
  rowsBefore: number,
): Promise<LedgerObject> {
  const { rows } = await session.query<{ oid: string }>('SELECT $1::regclass::oid::bigint AS oid', [
    qualifiedName(table),
  ]);
  const oid = rows[0]?.oid ?? '0';
  return {
    sourceTable: table.source,
    schema: table.schema,
    table: table.target,
    oid,
    origin,
    rowsBefore,
  };
}
