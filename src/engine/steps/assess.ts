import { AppError } from '../../errors/app-error.ts';
import { hashJson } from '../canonical-json.ts';
import type {
  Assessment,
  Catalog,
  Finding,
  JobOptions,
  Source,
  Table,
  TableScan,
} from '../contract.ts';
import { selectTables } from '../select-tables.ts';
import { SOURCE_DRIVERS } from '../sources/registry.ts';
import { decideTables, type TableDecisions } from './plan/decisions.ts';

export interface AssessRequest {
  readonly source: Source;
  readonly options: JobOptions;
  readonly signal: AbortSignal;
  /** Called after each table. */
  readonly onTable?: (scan: TableScan, done: number, total: number) => Promise<void> | void;
}

/**
 * Introspects the source and scans its data: a declared type is a claim, the data is the fact. Reads only.
 * Throws SOURCE_ errors; SOURCE_WITHOUT_TABLES where nothing is left to move.
 */
export async function assess({
  source,
  options,
  signal,
  onTable,
}: AssessRequest): Promise<Assessment> {
  const catalog = selectTables(await source.readCatalog(signal), options);
  if (catalog.tables.length === 0) throw new AppError('SOURCE_WITHOUT_TABLES');

  const scans: TableScan[] = [];
  for (const table of catalog.tables) {
    const scan = await source.scanTable({ table, chunkRows: options.chunkRows, signal });
    scans.push(scan);
    await onTable?.(scan, scans.length, catalog.tables.length);
  }
  return {
    catalog,
    fingerprint: fingerprintOf(catalog),
    scans,
    findings: collectFindings(
      catalog,
      scans,
      decideTables(SOURCE_DRIVERS[catalog.kind], catalog, scans, options),
    ),
  };
}

/** What has to be unchanged between plan and start: the schema, but not the source's version or counters. */
export function fingerprintOf(catalog: Catalog): string {
  const tables = catalog.tables.map(({ identity, ...table }) => ({
    ...table,
    identity: identity?.column ?? null,
  }));
  // Left out where there are none: fingerprints that were stored before such things were read still hold.
  return hashJson({
    kind: catalog.kind,
    tables,
    ...(catalog.types === undefined ? {} : { types: catalog.types }),
    ...(catalog.sequences === undefined
      ? {}
      : { sequences: catalog.sequences.map(({ name, definition }) => ({ name, definition })) }),
  });
}

/** All that the assessment tells a person: also what `plan` tells anew, with the options that hold then. */
export function collectFindings(
  catalog: Catalog,
  scans: readonly TableScan[],
  decided: readonly TableDecisions[],
): Finding[] {
  const findings = catalog.tables.flatMap((table, position) => {
    const scan = scans[position];
    const decisions = decided[position];
    return scan === undefined || decisions === undefined
      ? []
      : [...columnFindings(table, scan, decisions), ...orphanFindings(table, scan)];
  });
  return [...findings, ...catalogFindings(catalog), ...unmovedFindings(catalog)];
}

/** Of columns that were scanned: a decision without facts has nothing to say. */
function columnFindings(table: Table, scan: TableScan, decisions: TableDecisions): Finding[] {
  return table.columns.flatMap(({ name }) =>
    Object.hasOwn(scan.columns, name) ? (decisions.get(name)?.findings ?? []) : [],
  );
}

function orphanFindings(table: Table, scan: TableScan): Finding[] {
  return scan.orphans.map(({ foreignKey, rows, samples }) => {
    const key = table.foreignKeys[foreignKey];
    const columns = key?.columns.join(', ') ?? '';
    return {
      severity: 'warning' as const,
      code: 'ORPHANED_ROWS',
      table: table.name,
      column: columns,
      message: `${String(rows)} rows refer to rows of ${key?.references.table ?? 'a table'} that do not exist: the foreign key will stay NOT VALID`,
      count: rows,
      samples,
    };
  });
}

/** Of the tables that were selected, and of what belongs to none. */
function catalogFindings({ findings = [], tables }: Catalog): Finding[] {
  const names = new Set(tables.map(({ name }) => name));
  return findings.filter(({ table }) => table === null || names.has(table));
}

function unmovedFindings(catalog: Catalog): Finding[] {
  return catalog.unmoved.map(({ kind, name }) => ({
    severity: 'info' as const,
    code: 'NOT_MOVED',
    table: null,
    column: null,
    message: `The ${kind} ${name} is listed but not moved`,
    count: null,
    samples: [],
  }));
}
