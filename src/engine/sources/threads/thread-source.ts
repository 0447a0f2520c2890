import type {
  Catalog,
  ConsistencyLevel,
  Source,
  SourceCapabilities,
  SourceSnapshot,
  Table,
  TableScan,
} from '../../contract.ts';
import type { SourceThread } from './source-thread.ts';

export interface SnapshotRequest {
  readonly lanes: number;
  readonly consistency: ConsistencyLevel;
}

export interface ThreadSourceOptions<Thread extends SourceThread> {
  readonly capabilities: SourceCapabilities;
  /** Reads catalog and scans. */
  readonly control: Thread;
  /** Starts the threads of the lanes and fixes their moment. */
  readonly openSnapshot: (request: SnapshotRequest, control: Thread) => Promise<SourceSnapshot>;
}

/**
 * A source that is read in threads: one for catalog and scans, one for each lane of a snapshot, so that neither the event loop
 * nor another lane waits for rows to be encoded.
 */
export class ThreadSource<Thread extends SourceThread> implements Source {
  readonly capabilities: SourceCapabilities;
  readonly #control: Thread;
  readonly #openSnapshot: ThreadSourceOptions<Thread>['openSnapshot'];
  readonly #snapshots = new Set<SourceSnapshot>();

  constructor({ capabilities, control, openSnapshot }: ThreadSourceOptions<Thread>) {
    this.capabilities = capabilities;
    this.#control = control;
    this.#openSnapshot = openSnapshot;
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

  async openSnapshot(request: SnapshotRequest): Promise<SourceSnapshot> {
    const snapshot = await this.#openSnapshot(request, this.#control);
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
