import { AppError } from '../../errors/app-error.ts';
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
import { encodeRow } from '../types/postgres-encode-row.ts';
import { canonicalTargetExpression } from '../types/postgres-encoders.ts';
import { translateExpression } from '../types/postgres-expression.ts';
import { decideColumn } from '../types/postgres.ts';
import { readCatalog, readVersion } from './postgres/catalog.ts';
import { scanTable } from './postgres/scan.ts';
import { PostgresServer, type PostgresLocation } from './postgres/session.ts';
import { openSnapshot } from './postgres/snapshot.ts';

export type { PostgresLocation };

/**
 * One schema of a PostgreSQL, 12 or newer. Values go from COPY to COPY: the server does the work, so that no threads are needed
 * here.
 */
class PostgresSource implements Source {
  readonly capabilities: SourceCapabilities = {
    snapshot: true,
    keysetChunks: true,
    foreignKeys: true,
  };
  readonly #server: PostgresServer;
  readonly #snapshots = new Set<SourceSnapshot>();
  readonly #closing = new AbortController();

  constructor(location: PostgresLocation) {
    this.#server = new PostgresServer(location);
  }

  async version(): Promise<string> {
    return await this.#server.read('the source', this.#closing.signal, readVersion);
  }

  async readCatalog(signal: AbortSignal): Promise<Catalog> {
    return await this.#server.read('the catalog', this.#until(signal), (session) =>
      readCatalog(session, this.#server.schema),
    );
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
    return await this.#server.read(table.name, this.#until(signal), (session) =>
      scanTable(session, this.#server.schema, { table, chunkRows }),
    );
  }

  async openSnapshot(request: {
    readonly lanes: number;
    readonly consistency: ConsistencyLevel;
  }): Promise<SourceSnapshot> {
    this.#closing.signal.throwIfAborted();
    const snapshot = await openSnapshot({ ...request, server: this.#server });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError('SOURCE_UNREACHABLE', { reason: 'it was closed' }));
    await Promise.all([...this.#snapshots].map((snapshot) => snapshot.close()));
    await this.#server.close();
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([this.#closing.signal, signal]);
  }
}

export const POSTGRES_DRIVER: SourceDriver<PostgresLocation> = {
  open: (location) => new PostgresSource(location),
  decideColumn,
  translateExpression,
  canonicalTargetExpression,
  encodeRow,
};
