import { ReaderThread } from '../threads/reader-thread.ts';
import type { SourceCalls, SourceThread } from '../threads/source-thread.ts';

/** What a thread answers once: name → argument and result. */
export interface ThreadCalls extends SourceCalls {
  /** A number that changes when another connection has written the file. */
  dataVersion: { argument: null; result: number };
  /** Fixes the moment that all later reads of this thread see. */
  beginSnapshot: { argument: null; result: null };
  endSnapshot: { argument: null; result: null };
}

/** The near side of a thread that reads one file. */
export type SqliteThread = SourceThread<ThreadCalls>;

/** `keepsState`: the thread will hold a read transaction. */
export function startThread(path: string, keepsState: boolean): SqliteThread {
  return new ReaderThread({
    entry: new URL('./worker.ts', import.meta.url),
    workerData: { path },
    keepsState,
  });
}
