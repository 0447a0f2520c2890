import type {
  Catalog,
  ConsistencyLevel,
  Source,
  SourceCapabilities,
  SourceDriver,
  SourceSnapshot,
  Table,
  TableScan,
} from '../contract.ts';
import { canonicalTargetExpression } from '../types/sqlite-canonical.ts';
import { translateExpression } from '../types/sqlite-expression.ts';
import { decideColumn } from '../types/sqlite.ts';
import { encodeRow } from './sqlite/encode-row.ts';
import { openSnapshot } from './sqlite/snapshot.ts';
import { startThread, type SqliteThread } from './sqlite/thread.ts';

export interface SqliteLocation {
  /** Absolute path of the file. */
  readonly path: string;
}

/**
 * A SQLite file. All work with it is done in threads: one for catalog and scans, one for each lane of a snapshot, so that
 * neither the event loop nor another lane waits for a statement.
 */
class SqliteSource implements Source {
  readonly capabilities: SourceCapabilities = {
    snapshot: true,
    keysetChunks: true,
    foreignKeys: true,
  };
  readonly #path: string;
  readonly #control: SqliteThread;
  readonly #snapshots = new Set<SourceSnapshot>();

  constructor({ path }: SqliteLocation) {
    this.#path = path;
    this.#control = startThread(path, false);
  }

  async version(): Promise<string> {
    return await this.#control.call('version', null);
  }

  async readCatalog(signal: AbortSignal): Promise<Catalog> {
    return await this.#control.call('readCatalog', null, signal);
  }

  async scanTable({
    table,
    chunkRows,
    signal,
  }: {
    readonly table: Table;
    readonly chunkRows: number;
    readonly signal: AbortSignal;
  }): Promise<TableScan> {
    return await this.#control.call('scanTable', { table, chunkRows }, signal);
  }

  async openSnapshot(request: {
    readonly lanes: number;
    readonly consistency: ConsistencyLevel;
  }): Promise<SourceSnapshot> {
    const snapshot = await openSnapshot({ ...request, path: this.#path, control: this.#control });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#control.close(),
      ...[...this.#snapshots].map((snapshot) => snapshot.close()),
    ]);
  }
}

export const SQLITE_DRIVER: SourceDriver<SqliteLocation> = {
  open: (location) => new SqliteSource(location),
  decideColumn,
  translateExpression,
  canonicalTargetExpression,
  encodeRow,
};
