import { ReaderThread } from '../threads/reader-thread.ts';
import type { SourceCalls, SourceThread } from '../threads/source-thread.ts';
import type { MysqlLocation } from './connection.ts';

/** `workerData` of a thread. */
export interface ThreadData {
  readonly location: MysqlLocation;
  readonly reconnects: boolean;
}

/** What a thread answers once: name → argument and result. */
export interface ThreadCalls extends SourceCalls {
  /** Keeps everybody else from writing, by the strongest means that the account has; how, or null. */
  holdWrites: { argument: null; result: 'server' | 'tables' | null };
  releaseWrites: { argument: null; result: null };
  /** Fixes the moment that all later reads of this thread see; its position in the binary log, where it can be told. */
  beginSnapshot: { argument: null; result: { readonly binlogSnapshot: string | null } };
  endSnapshot: { argument: null; result: null };
  /** Where the binary log stands now; null = there is none, or the account may not know. */
  binlogPosition: { argument: null; result: string | null };
  /** Tables whose engine takes no part in a consistent snapshot. */
  tablesWithoutSnapshot: { argument: null; result: readonly string[] };
}

/** The near side of a thread with a session of its own. */
export type MysqlThread = SourceThread<ThreadCalls>;

/** `keepsState`: the thread will hold a transaction. */
export function startThread(location: MysqlLocation, keepsState: boolean): MysqlThread {
  return new ReaderThread({
    entry: new URL('./worker.ts', import.meta.url),
    workerData: { location, reconnects: !keepsState } satisfies ThreadData,
    keepsState,
  });
}
