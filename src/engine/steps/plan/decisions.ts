import type {
  Catalog,
  Column,
  ColumnDecision,
  ColumnScan,
  JobOptions,
  Policies,
  SourceDriver,
  Table,
  TableScan,
} from '../../contract.ts';
import { castType } from '../../types/cast-encoder.ts';

/** The part of a source's driver that decides and translates: all of it pure. */
export type PlanningDriver = Pick<
  SourceDriver<never>,
  'decideColumn' | 'translateExpression' | 'canonicalTargetExpression'
>;

/** Column → decision. */
export type TableDecisions = ReadonlyMap<string, ColumnDecision>;

const EMPTY_SCAN: ColumnScan = {
  facts: {},
  minInteger: null,
  maxInteger: null,
  maxLength: null,
  samples: {},
};

/** A chain of references is followed so far: a column that refers to a key that refers to a key. */
const MAX_PASSES = 16;

/** The type of every column of every table, in the order of the catalog. Foreign keys get the type of what they refer to. */
export function decideTables(
  driver: PlanningDriver,
  { tables }: Catalog,
  scans: readonly TableScan[],
  options: JobOptions,
): readonly TableDecisions[] {
  const decisions = tables.map((table, position) => {
    const scan = scanOf(scans, position, table);
    return new Map(
      table.columns.map((column) => [
        column.name,
        decide({ driver, table, column, scan, options }, castOf(table, column, options)),
      ]),
    );
  });
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    if (!followReferences({ driver, tables, scans, options, decisions })) break;
  }
  return decisions;
}

interface DecideRequest {
  readonly driver: PlanningDriver;
  readonly table: Table;
  readonly column: Column;
  readonly scan: TableScan;
  readonly options: JobOptions;
}

function decide(
  { driver, table, column, scan, options }: DecideRequest,
  cast: string | undefined,
): ColumnDecision {
  return driver.decideColumn({
    table,
    column,
    scan: columnScan(scan, column.name),
    rows: scan.rows,
    policies: policiesOf(table, column.name, options),
    ...(cast === undefined ? {} : { cast }),
  });
}

/** The job's policies, with the column's own in their place. */
export function policiesOf(table: Table, column: string, options: JobOptions): Policies {
  return { ...options.policies, ...columnPolicies(table, column, options) };
}

/** The column's own policies, as far as they are others than the job's. */
export function differingPolicies(
  table: Table,
  column: string,
  options: JobOptions,
): Partial<Policies> | undefined {
  const own = Object.entries(columnPolicies(table, column, options)).filter(
    ([name, value]) => options.policies[name as keyof Policies] !== value,
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Own members only: a column may be called `constructor`. */
function columnPolicies(
  table: Table,
  column: string,
  options: JobOptions,
): Readonly<Partial<Policies>> {
  const name = `${table.name}.${column}`;
  return Object.hasOwn(options.columnPolicies, name) ? (options.columnPolicies[name] ?? {}) : {};
}

/** The type of the user's wish, as PostgreSQL spells it in DDL: `decimal(10, 2)` is `numeric(10,2)`. */
function castOf(table: Table, { name }: Column, { casts }: JobOptions): string | undefined {
  const column = `${table.name}.${name}`;
  const wish = Object.hasOwn(casts, column) ? casts[column] : undefined;
  if (wish === undefined) return undefined;
  return castType(wish)?.targetType ?? wish.replace(/,\s+/, ',');
}

function scanOf(scans: readonly TableScan[], position: number, table: Table): TableScan {
  const scan = scans[position];
  if (scan === undefined) throw new Error(`no scan of table ${table.name}`);
  return scan;
}

function columnScan(scan: TableScan, column: string): ColumnScan {
  return Object.hasOwn(scan.columns, column) ? (scan.columns[column] ?? EMPTY_SCAN) : EMPTY_SCAN;
}

interface FollowRequest {
  readonly driver: PlanningDriver;
  readonly tables: readonly Table[];
  readonly scans: readonly TableScan[];
  readonly options: JobOptions;
  readonly decisions: readonly Map<string, ColumnDecision>[];
}

/**
 * PostgreSQL wants both sides of a foreign key of one type. A key may have become bigint by its counter where the columns that
 * refer to it became numeric by their declaration: these follow, if all of their values fit. True: something changed.
 */
function followReferences({ driver, tables, scans, options, decisions }: FollowRequest): boolean {
  let changed = false;
  for (const [position, table] of tables.entries()) {
    for (const { child, parent } of referencesOf(table, position, tables, decisions)) {
      const column = findByName(table.columns, child);
      const own = decisions[position];
      const current = column === undefined ? undefined : own?.get(column.name);
      if (column === undefined || own === undefined || current === undefined) continue;
      if (castOf(table, column, options) !== undefined) continue;
      const scan = scanOf(scans, position, table);
      if (!shouldFollow(current, parent, columnScan(scan, column.name))) continue;
      const followed = decide({ driver, table, column, scan, options }, parent.targetType);
      if (followed.targetType !== parent.targetType) continue;
      own.set(column.name, {
        ...followed,
        evidence: `${current.evidence}; ${parent.targetType} as the key that it refers to`,
      });
      changed = true;
    }
  }
  return changed;
}

function referencesOf(
  table: Table,
  position: number,
  tables: readonly Table[],
  decisions: readonly TableDecisions[],
): { readonly child: string; readonly parent: ColumnDecision }[] {
  return table.foreignKeys.flatMap(({ columns, references }) => {
    const referenced = findTable(tables, references.table);
    const parents = decisions[referenced];
    const parentTable = tables[referenced];
    if (parents === undefined || parentTable === undefined) return [];
    return columns.flatMap((child, index) => {
      const name = findByName(parentTable.columns, references.columns[index] ?? '')?.name ?? '';
      const parent = parents.get(name);
      const isItself = referenced === position && name === child;
      return parent === undefined || isItself ? [] : [{ child, parent }];
    });
  });
}

/** Sources that compare names without case keep in a foreign key what its author typed. −1: there is none. */
export function findTable(tables: readonly { readonly name: string }[], name: string): number {
  const exact = tables.findIndex((table) => table.name === name);
  if (exact >= 0) return exact;
  return tables.findIndex((table) => table.name.toLowerCase() === name.toLowerCase());
}

function findByName<Named extends { readonly name: string }>(
  named: readonly Named[],
  name: string,
): Named | undefined {
  return (
    named.find((entry) => entry.name === name) ??
    named.find((entry) => entry.name.toLowerCase() === name.toLowerCase())
  );
}

/** Digits before and after the point. */
interface NumericShape {
  readonly limit: bigint;
  readonly scale: number;
}

const INTEGER_LIMITS: Readonly<Record<string, bigint>> = {
  boolean: 2n,
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};

function shouldFollow(child: ColumnDecision, parent: ColumnDecision, scan: ColumnScan): boolean {
  if (child.targetType === parent.targetType || parent.targetType === 'boolean') return false;
  const [from, to] = [numericShape(child.targetType), numericShape(parent.targetType)];
  if (from === null || to === null || from.scale > to.scale) return false;
  const { minInteger, maxInteger } = scan;
  if (minInteger === null || maxInteger === null) return true;
  return BigInt(minInteger) >= -to.limit && BigInt(maxInteger) < to.limit;
}

/** Null: no number, or one of any size. */
function numericShape(type: string): NumericShape | null {
  const integer = Object.hasOwn(INTEGER_LIMITS, type) ? INTEGER_LIMITS[type] : undefined;
  if (integer !== undefined) return { limit: integer, scale: 0 };
  const match = /^numeric\((\d+)(?:,\s*(\d+))?\)$/.exec(type);
  if (match === null) return null;
  const scale = Number(match[2] ?? 0);
  return { limit: 10n ** BigInt(Math.max(0, Number(match[1]) - scale)), scale };
}
