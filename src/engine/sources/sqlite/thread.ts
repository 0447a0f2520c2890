import type { CanonicalBatch, Catalog, EncodedBatch, Table, TableScan } from '../../contract.ts';
import { ReaderThread } from '../threads/reader-thread.ts';
import type { CanonicalRequest } from './read-canonical.ts';
import type { ChunkRequest } from './read-chunk.ts';

/** What a thread answers once: name → argument and result. */
export interface ThreadCalls {
  version: { argument: null; result: string };
  readCatalog: { argument: null; result: Catalog };
  scanTable: { argument: { readonly table: Table; readonly chunkRows: number }; result: TableScan };
  countRows: { argument: { readonly table: string }; result: number };
  /** A number that changes when another connection has written the file. */
  dataVersion: { argument: null; result: number };
  /** Fixes the moment that all later reads of this thread see. */
  beginSnapshot: { argument: null; result: null };
  endSnapshot: { argument: null; result: null };
}

/** What a thread answers batch by batch. */
export interface ThreadStreams {
  readChunk: { argument: ChunkRequest; item: EncodedBatch };
  readCanonical: { argument: CanonicalRequest; item: CanonicalBatch };
}

/** The near side of a thread that reads one file. */
export type SqliteThread = ReaderThread<ThreadCalls, ThreadStreams>;

/** `keepsState`: the thread will hold a read transaction. */
export function startThread(path: string, keepsState: boolean): SqliteThread {
  return new ReaderThread({
    entry: new URL('./worker.ts', import.meta.url),
    workerData: { path },
    keepsState,
  });
}
