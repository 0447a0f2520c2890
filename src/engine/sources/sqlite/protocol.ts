import type { CanonicalBatch, Catalog, EncodedBatch, Table, TableScan } from '../../contract.ts';
import type { WireError } from './errors.ts';
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

export type CallName = keyof ThreadCalls;
export type StreamName = keyof ThreadStreams;

export type ToThread =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly name: CallName;
      readonly argument: unknown;
    }
  | {
      readonly kind: 'stream';
      readonly id: number;
      readonly name: StreamName;
      readonly argument: unknown;
    }
  /** One more batch may be under way. */
  | { readonly kind: 'credit'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'batch'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

/** Batches on their way to a consumer that has not asked for them yet: with 256 KiB each, 1 MiB a lane. */
export const CREDITS = 3;
