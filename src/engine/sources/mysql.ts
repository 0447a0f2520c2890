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
import { canonicalTargetExpression } from '../types/mysql-canonical.ts';
import { translateExpression } from '../types/mysql-expression.ts';
import { decideColumn } from '../types/mysql.ts';
import type { MysqlLocation } from './mysql/connection.ts';
import { encodeRow } from './mysql/encode-row.ts';
import { openSnapshot } from './mysql/snapshot.ts';
import { startThread, type MysqlThread } from './mysql/thread.ts';

export type { MysqlLocation } from './mysql/connection.ts';

/**
 * A database of a MySQL or MariaDB server. Each session is in a thread of its own: one for catalog and scans, one for each
 * lane of a snapshot, so that neither the event loop nor another lane waits for rows to be encoded.
 */
class MysqlSource implements Source {
  readonly capabilities: SourceCapabilities = {
    snapshot: true,
    keysetChunks: true,
    foreignKeys: true,
  };
  readonly #location: MysqlLocation;
  readonly #control: MysqlThread;
  readonly #snapshots = new Set<SourceSnapshot>();

  constructor(location: MysqlLocation) {
    this.#location = location;
    this.#control = startThread(location, false);
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
    const snapshot = await openSnapshot({
      ...request,
      location: this.#location,
      control: this.#control,
    });
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

export const MYSQL_DRIVER: SourceDriver<MysqlLocation> = {
  open: (location) => new MysqlSource(location),
  decideColumn,
  translateExpression,
  canonicalTargetExpression,
  encodeRow,
};
