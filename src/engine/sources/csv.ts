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
import { canonicalTargetExpression } from '../types/csv-canonical.ts';
import { decideColumn } from '../types/csv.ts';
import { encodeRow } from './csv/encode-row.ts';
import type { CsvLocation } from './csv/location.ts';
import { openSnapshot } from './csv/snapshot.ts';
import { startThread, type CsvThread } from './csv/thread.ts';

export type { CsvLocation } from './csv/location.ts';

/**
 * Files of records, each a table. They are read in threads, one for catalog and scans, one for each lane of a snapshot, and never
 * held in memory.
 */
class CsvSource implements Source {
  readonly capabilities: SourceCapabilities = {
    snapshot: true,
    keysetChunks: true,
    foreignKeys: false,
  };
  readonly #location: CsvLocation;
  readonly #control: CsvThread;
  readonly #snapshots = new Set<SourceSnapshot>();

  constructor(location: CsvLocation) {
    this.#location = location;
    this.#control = startThread(location);
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
    return await this.#control.call('scanTable', { table: table.name, chunkRows }, signal);
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

export const CSV_DRIVER: SourceDriver<CsvLocation> = {
  open: (location) => new CsvSource(location),
  decideColumn,
  // A file has no expressions.
  translateExpression: () => null,
  canonicalTargetExpression,
  encodeRow,
};
