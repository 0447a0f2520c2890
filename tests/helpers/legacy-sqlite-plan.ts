import {
  DEFAULT_JOB_OPTIONS,
  type ColumnDecision,
  type Plan,
  type PlannedTable,
  type Policies,
} from '../../src/engine/contract.ts';
import { readCatalog } from '../../src/engine/sources/sqlite/catalog.ts';
import { openDatabase, type OpenDatabase } from '../../src/engine/sources/sqlite/open.ts';
import { scanTable } from '../../src/engine/sources/sqlite/scan.ts';
import { decideColumn } from '../../src/engine/types/sqlite.ts';
import { plan } from '../../src/engine/steps/plan.ts';

export interface PlannedSqlite {
  readonly database: OpenDatabase;
  readonly plan: Plan;
  /** What is said of each column, table by table. */
  readonly decisions: readonly ColumnDecision[];
}

/** Opens a SQLite file in this thread and plans all of it. Close `database.db` afterwards. */
export function planSqlite(
  path: string,
  options: { readonly policies?: Partial<Policies>; readonly chunkRows?: number } = {},
): PlannedSqlite {
  const database = openDatabase(path);
  const catalog = readCatalog(database.db);
  const chunkRows = options.chunkRows ?? DEFAULT_JOB_OPTIONS.chunkRows;
  const scans = catalog.tables.map((table) => scanTable(database, { table, chunkRows }));
  const policies = { ...DEFAULT_JOB_OPTIONS.policies, ...options.policies };
  const assessment = { catalog, scans, findings: [], fingerprint: '' };
  const decisions = catalog.tables.flatMap((table, position) =>
    table.columns.flatMap((column) => {
      const scan = scans[position];
      const columnScan = scan?.columns[column.name];
      if (scan === undefined || columnScan === undefined) return [];
      return [decideColumn({ table, column, scan: columnScan, rows: scan.rows, policies })];
    }),
  );
  const jobOptions = { ...DEFAULT_JOB_OPTIONS, policies, chunkRows };
  return { database, plan: plan(assessment, jobOptions), decisions };
}

export function plannedTable({ plan: whole }: PlannedSqlite, source: string): PlannedTable {
  const table = whole.tables.find((candidate) => candidate.source === source);
  if (table === undefined) throw new Error(`no table ${source} in the plan`);
  return table;
}
