import type { CanonicalBatch, Catalog, EncodedBatch, TableScan } from '../../contract.ts';
import { ReaderThread } from '../threads/reader-thread.ts';
import type { FileIdentity } from './file-identity.ts';
import type { CsvLocation } from './location.ts';
import type { CanonicalRequest } from './read-canonical.ts';
import type { ChunkRequest } from './read-chunk.ts';

/** Table → the state of its file. */
export type Identities = Readonly<Record<string, FileIdentity>>;

/** What a thread answers once: name → argument and result. */
export interface ThreadCalls {
  version: { argument: null; result: string };
  readCatalog: { argument: null; result: Catalog };
  identify: { argument: null; result: Identities };
  scanTable: {
    argument: { readonly table: string; readonly chunkRows: number };
    result: TableScan;
  };
  countRows: {
    argument: { readonly table: string; readonly identity: FileIdentity | null };
    result: number;
  };
}

/** What a thread answers batch by batch. */
export interface ThreadStreams {
  readChunk: { argument: ChunkRequest; item: EncodedBatch };
  readCanonical: { argument: CanonicalRequest; item: CanonicalBatch };
}

/** The near side of a thread that reads files. */
export type CsvThread = ReaderThread<ThreadCalls, ThreadStreams>;

export function startThread(location: CsvLocation): CsvThread {
  return new ReaderThread({
    entry: new URL('./worker.ts', import.meta.url),
    workerData: location,
    keepsState: false,
  });
}
