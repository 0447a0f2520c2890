import {
  DEFAULT_JOB_OPTIONS,
  type Plan,
  type PlannedTable,
  type Policies,
} from '../../src/engine/contract.ts';
import { readCatalog } from '../../src/engine/sources/sqlite/catalog.ts';
import { openDatabase, type OpenDatabase } from '../../src/engine/sources/sqlite/open.ts';
import { scanTable } from '../../src/engine/sources/sqlite/scan.ts';
import { plan } from '../../src/engine/steps/plan.ts';

export interface PlannedSqlite {
  readonly database: OpenDatabase;
  readonly plan: Plan;
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
  return { database, plan: plan(assessment, { ...DEFAULT_JOB_OPTIONS, policies, chunkRows }) };
}

export function plannedTable({ plan: whole }: PlannedSqlite, source: string): PlannedTable {
  const table = whole.tables.find((candidate) => candidate.source === source);
  if (table === undefined) throw new Error(`no table ${source} in the plan`);
  return table;
}
