import type {
  CanonicalBatch,
  Catalog,
  EncodedBatch,
  ReadRequest,
  Table,
  TableScan,
} from '../../contract.ts';
import type { CallTable } from './protocol.ts';
import type { ReaderThread } from './reader-thread.ts';

/** What crosses to a thread of a read request. */
export type ChunkRequest = Required<Pick<ReadRequest, 'table' | 'chunk' | 'policies' | 'describe'>>;

export interface CanonicalRequest extends Omit<ChunkRequest, 'describe'> {
  /** Locators of the rows to leave out. */
  readonly excluding: ReadonlySet<string>;
}

/** What a thread of every source answers once: name → argument and result. */
export interface SourceCalls {
  version: { argument: null; result: string };
  readCatalog: { argument: null; result: Catalog };
  scanTable: { argument: { readonly table: Table; readonly chunkRows: number }; result: TableScan };
  countRows: { argument: { readonly table: string }; result: number };
}

/** What a thread of every source answers batch by batch. */
export interface SourceStreams {
  readChunk: { argument: ChunkRequest; item: EncodedBatch };
  readCanonical: { argument: CanonicalRequest; item: CanonicalBatch };
}

/** The near side of a thread that reads a source; `Calls` may hold more than every source has. */
export type SourceThread<Calls extends SourceCalls & CallTable<Calls> = SourceCalls> = ReaderThread<
  Calls,
  SourceStreams
>;
