import { AppError } from '../../errors/app-error.ts';
import { hashJson } from '../canonical-json.ts';
import type { Assessment, Catalog, Finding, JobOptions, Plan, PlannedTable } from '../contract.ts';
import {
  addCheckSql,
  addForeignKeySql,
  addPrimaryKeySql,
  createIndexSql,
  createTableSql,
  primaryKeyIndex,
} from '../target/ddl.ts';
import { planForeignKeys } from './plan/foreign-keys.ts';
import { nameTables, ObjectNames } from './plan/names.ts';
import { planTable, type TableDraft } from './plan/table.ts';

/** PostgreSQL's own limit (MaxHeapAttributeNumber). */
const MAX_COLUMNS = 1600;

/**
 * What the job will do, as data. Pure: the same assessment and options give the same bytes. Nothing is read or written.
 * Throws TOO_MANY_COLUMNS and IDENTIFIER_COLLISION.
 */
export function plan(assessment: Assessment, options: JobOptions): Plan {
  const { catalog } = assessment;
  for (const table of catalog.tables) {
    if (table.columns.length <= MAX_COLUMNS) continue;
    throw new AppError('TOO_MANY_COLUMNS', { table: table.name, columns: table.columns.length });
  }

  const tableNames = nameTables(catalog.tables, options);
  const objectNames = new ObjectNames(tableNames.values());
  const drafts = catalog.tables.map((table, position): TableDraft => {
    const scan = assessment.scans[position];
    if (scan === undefined) throw new Error(`no scan of table ${table.name}`);
    const target = tableNames.get(table.name) ?? table.name;
    return planTable({ kind: catalog.kind, table, scan, target, options, objectNames });
  });

  const findings = [
    ...assessment.findings.filter((finding) => finding.code !== 'ORPHANED_ROWS'),
    ...drafts.flatMap((draft) => draft.findings),
    ...findUnmatchedRenames(catalog, options),
  ];
  const keyed = planForeignKeys(drafts, assessment.scans, objectNames);
  const tables = sortForCopy(keyed.tables);
  return seal({
    formatVersion: 1,
    source: { kind: catalog.kind, version: catalog.version, fingerprint: assessment.fingerprint },
    options,
    tables,
    ddl: describeDdl(tables),
    unmoved: catalog.unmoved,
    findings: sortFindings([...findings, ...keyed.findings]),
  });
}

/** A wish that names nothing is a typing error more often than not. */
function findUnmatchedRenames(catalog: Catalog, { rename }: JobOptions): Finding[] {
  const names = new Set(
    catalog.tables.flatMap(({ name, columns }) => [
      name,
      ...columns.map((column) => `${name}.${column.name}`),
    ]),
  );
  return Object.keys(rename)
    .filter((name) => !names.has(name))
    .map((name) => ({
      severity: 'warning' as const,
      code: 'RENAME_UNMATCHED',
      table: null,
      column: null,
      message: `There is nothing called ${name} to be renamed`,
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

function describeDdl(tables: readonly PlannedTable[]): Plan['ddl'] {
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
  return { create: tables.map(createTableSql), finish: [...indexes, ...constraints] };
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
