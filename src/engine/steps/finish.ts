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
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../target/identifiers.ts';
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
 * whatever of the plan is missing makes the job fail (TARGET_OBJECT_MISSING). Everything that exists is left as it is, so a
 * resume goes on where it stopped. Tables that the job did not make keep the keys and indexes that they have.
 */
export async function finish(request: FinishRequest): Promise<void> {
  const { ledger, plan } = request;
  const objects = await ledger.objects();
  const made = plan.tables.filter((table) => objects.get(table.source)?.origin === 'created');
  const inventory = await findMissing(request.target, made, plan);

  await buildIndexes(request, made, inventory.indexes);
  await addPrimaryKeys(request, made, inventory.primaryKeys);
  for (const table of plan.tables) await advanceIdentity(request.target, table);
  await addConstraints(request, made, inventory.constraints);
  await inLanes(plan.tables, request, async (table) => {
    await request.target.query(`analyzing ${table.target}`, `ANALYZE ${qualifiedName(table)}`);
  });

  const left = await findMissing(request.target, made, plan);
  const missing = [
    ...left.columns,
    ...left.indexes,
    ...left.primaryKeys,
    ...left.constraints,
    ...left.identities,
  ];
  if (missing.length > 0) throw new AppError('TARGET_OBJECT_MISSING', { objects: missing });
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
  await inLanes(tasks, request, async ({ table, index }) => {
    await request.target.query(
      `building ${describeIndex(index)} of ${table.target}`,
      createIndexSql(table, index),
    );
    await request.onEvent?.({
      level: 'info',
      table: table.source,
      message: `Built ${describeIndex(index)}`,
    });
  });
}

function describeIndex(index: PlannedIndex): string {
  return `${index.unique ? 'unique ' : ''}index ${index.name}`;
}

async function addPrimaryKeys(
  { target, signal }: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  for (const table of tables) {
    const key = table.primaryKey;
    if (key === null || !missing.has(key.name)) continue;
    signal.throwIfAborted();
    await target.query(`adding primary key ${key.name}`, addPrimaryKeySql(table, key.name));
  }
}

/** The next number is at least the one that the source's own counter would give, and beyond every row that is there. */
async function advanceIdentity(target: Target, table: PlannedTable): Promise<void> {
  if (table.identity === null) return;
  const column = quoteIdentifier(table.identity.column);
  const sequence = `pg_get_serial_sequence(${quoteLiteral(qualifiedName(table))}, ${quoteLiteral(table.identity.column)})`;
  await target.query(
    `setting the identity of ${table.target}`,
    `SELECT setval(${sequence}, greatest((SELECT coalesce(max(${column}), 0) + 1 FROM ${qualifiedName(table)}), $1::bigint, 1), false)
      WHERE ${sequence} IS NOT NULL`,
    [table.identity.next],
  );
}

/** First NOT VALID, which only needs a short lock, then VALIDATE, which reads. Data that breaks one leaves it NOT VALID. */
async function addConstraints(
  request: FinishRequest,
  tables: readonly PlannedTable[],
  missing: ReadonlySet<string>,
): Promise<void> {
  const { target, plan, signal } = request;
  for (const table of tables) {
    for (const { name, sql } of constraintsOf(table, plan)) {
      signal.throwIfAborted();
      if (missing.has(name))
        await target.query(`adding constraint ${name} of ${table.target}`, sql);
    }
  }
  const tasks = tables.flatMap((table) =>
    constraintsOf(table, plan).map(({ name, label }) => ({ table, name, label })),
  );
  await inLanes(tasks, request, async ({ table, name, label }) => {
    const broken = await validate(target, table, name);
    if (broken === null) return;
    const message = `The ${label} ${name} stays NOT VALID: ${broken}`;
    await request.onEvent?.({ level: 'warning', table: table.source, message });
  });
}

function constraintsOf(
  table: PlannedTable,
  plan: Plan,
): { readonly name: string; readonly label: string; readonly sql: string }[] {
  const checks = table.checks.map((check) => ({
    name: check.name,
    label: 'check',
    sql: addCheckSql(table, check),
  }));
  const keys = table.foreignKeys.flatMap((key: PlannedForeignKey) => {
    const referenced = plan.tables[key.referencedTable];
    return referenced === undefined
      ? []
      : [{ name: key.name, label: 'foreign key', sql: addForeignKeySql(table, key, referenced) }];
  });
  return [...checks, ...keys];
}

/** Null: valid now. Text: why the data does not allow it. */
async function validate(target: Target, table: PlannedTable, name: string): Promise<string | null> {
  try {
    await target.query(`validating ${name}`, validateConstraintSql(table, name));
    return null;
  } catch (error) {
    const isViolation = error instanceof AppError && VIOLATIONS.has(String(error.details.sqlState));
    if (!isViolation) throw error;
    return String(error.details.reason);
  }
}
