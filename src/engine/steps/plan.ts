import { AppError } from '../../errors/app-error.ts';
import { hashJson } from '../canonical-json.ts';
import type {
  Assessment,
  Catalog,
  Finding,
  JobOptions,
  Plan,
  PlannedSchemaObject,
  PlannedTable,
} from '../contract.ts';
import { SOURCE_DRIVERS } from '../sources/registry.ts';
import {
  addCheckSql,
  addForeignKeySql,
  addPrimaryKeySql,
  commentSql,
  createIndexSql,
  createSchemaObjectSql,
  createTableSql,
  primaryKeyIndex,
} from '../target/ddl.ts';
import { collectFindings } from './assess.ts';
import { decideTables, findTable, type PlanningDriver } from './plan/decisions.ts';
import { planForeignKeys } from './plan/foreign-keys.ts';
import { nameTables, ObjectNames } from './plan/names.ts';
import { SchemaObjects } from './plan/schema-objects.ts';
import { planTable, type TableDraft } from './plan/table.ts';

/** PostgreSQL's own limit (MaxHeapAttributeNumber). */
const MAX_COLUMNS = 1600;

/**
 * What the job will do, as data. Pure: the same assessment and options give the same bytes. Nothing is read or written.
 * Throws TOO_MANY_COLUMNS and IDENTIFIER_COLLISION.
 */
export function plan(
  assessment: Assessment,
  options: JobOptions,
  driver: PlanningDriver = SOURCE_DRIVERS[assessment.catalog.kind],
): Plan {
  const { catalog, scans } = assessment;
  for (const table of catalog.tables) {
    if (table.columns.length <= MAX_COLUMNS) continue;
    throw new AppError('TOO_MANY_COLUMNS', { table: table.name, columns: table.columns.length });
  }

  const tableNames = nameTables(catalog.tables, options);
  const objectNames = new ObjectNames(tableNames.values());
  const schemaObjects = new SchemaObjects(catalog, options, objectNames);
  const decided = decideTables(driver, catalog, scans, options);
  const referenced = referencedColumns(catalog);
  const drafts = catalog.tables.map((table, position): TableDraft => {
    const scan = scans[position];
    const decisions = decided[position];
    if (scan === undefined || decisions === undefined)
      throw new Error(`no scan of table ${table.name}`);
    return planTable({
      driver,
      table,
      scan,
      decisions,
      referencedColumns: referenced[position] ?? new Set(),
      target: tableNames.get(table.name) ?? table.name,
      options,
      objectNames,
      schemaObjects,
    });
  });

  const findings = [
    // Not those of the assessment: options may have changed since, and orphans are told with their keys.
    ...collectFindings(catalog, scans, decided).filter(({ code }) => code !== 'ORPHANED_ROWS'),
    ...drafts.flatMap((draft) => draft.findings),
    ...findUnmatched(catalog, options),
  ];
  const keyed = planForeignKeys(drafts, scans, { objectNames, options });
  const tables = sortForCopy(keyed.tables);
  const objects = schemaObjects.all();
  return seal({
    formatVersion: 1,
    source: {
      kind: catalog.kind,
      version: catalog.version,
      fingerprint: assessment.fingerprint,
      ...(catalog.place === undefined ? {} : { place: catalog.place }),
    },
    options,
    tables,
    ...(objects.length === 0 ? {} : { schemaObjects: objects }),
    ddl: describeDdl(tables, objects),
    unmoved: catalog.unmoved,
    findings: sortFindings([...findings, ...keyed.findings]),
  });
}

/** Columns that any foreign key refers to, in the order of the tables. */
function referencedColumns({ tables }: Catalog): readonly ReadonlySet<string>[] {
  const referenced = tables.map(() => new Set<string>());
  for (const { references } of tables.flatMap(({ foreignKeys }) => foreignKeys)) {
    const columns = referenced[findTable(tables, references.table)];
    for (const column of references.columns) columns?.add(column);
  }
  return referenced;
}

/** A wish that names nothing is a typing error more often than not. */
function findUnmatched(catalog: Catalog, { rename, casts, columnPolicies }: JobOptions): Finding[] {
  const tables = catalog.tables.map(({ name }) => name);
  const columns = catalog.tables.flatMap(({ name, columns: own }) =>
    own.map((column) => `${name}.${column.name}`),
  );
  return [
    ...unmatched('RENAME_UNMATCHED', rename, [...tables, ...columns], 'to be renamed'),
    ...unmatched('CAST_UNMATCHED', casts, columns, 'to be cast'),
    ...unmatched('COLUMN_POLICY_UNMATCHED', columnPolicies, columns, 'to have policies'),
  ];
}

function unmatched(
  code: string,
  wishes: Readonly<Record<string, unknown>>,
  names: readonly string[],
  wish: string,
): Finding[] {
  const known = new Set(names);
  return Object.keys(wishes)
    .filter((name) => !known.has(name))
    .map((name) => ({
      severity: 'warning' as const,
      code,
      table: null,
      column: null,
      message: `There is nothing called ${name} ${wish}`,
      count: null,
      samples: [],
    }));
}

function seal(unsealed: Omit<Plan, 'hash'>): Plan {
  return { ...unsealed, hash: hashJson(unsealed) };
}

/** Greatest first, so that the longest table does not start when all others are done. Positions of references follow. */
function sortForCopy(tables: readonly PlannedTable[]): PlannedTable[] {
  const order = tables
    .map((table, position) => ({ table, position }))
    .sort(
      (a, b) =>
        b.table.estimatedRows - a.table.estimatedRows ||
        compareText(a.table.source, b.table.source),
    );
  const newPosition = new Map(order.map(({ position }, index) => [position, index]));
  return order.map(({ table }) => ({
    ...table,
    foreignKeys: table.foreignKeys.map((key) => ({
      ...key,
      referencedTable: newPosition.get(key.referencedTable) ?? key.referencedTable,
    })),
  }));
}

function describeDdl(
  tables: readonly PlannedTable[],
  objects: readonly PlannedSchemaObject[],
): Plan['ddl'] {
  const indexes = tables.flatMap((table) => {
    const key = primaryKeyIndex(table);
    return [
      ...(key === null ? [] : [createIndexSql(table, key), addPrimaryKeySql(table, key.name)]),
      ...table.indexes.map((index) => createIndexSql(table, index)),
    ];
  });
  const constraints = tables.flatMap((table) => [
    ...table.checks.map((check) => addCheckSql(table, check)),
    ...table.foreignKeys.flatMap((key) => {
      const referenced = tables[key.referencedTable];
      return referenced === undefined ? [] : [addForeignKeySql(table, key, referenced)];
    }),
  ]);
  const triggers = tables.flatMap((table) =>
    (table.triggers ?? []).flatMap(({ createFunction, createTrigger }) => [
      createFunction,
      createTrigger,
    ]),
  );
  return {
    create: [
      ...objects.flatMap(createSchemaObjectSql),
      ...tables.flatMap((table) => [createTableSql(table), ...commentSql(table)]),
    ],
    finish: [...indexes, ...constraints, ...triggers],
  };
}

const SEVERITY_ORDER = { error: 0, warning: 1, info: 2 } as const;

function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
      compareText(a.table ?? '', b.table ?? '') ||
      compareText(a.column ?? '', b.column ?? '') ||
      compareText(a.code, b.code),
  );
}

/** By code unit: the machine's language must not change a plan. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
