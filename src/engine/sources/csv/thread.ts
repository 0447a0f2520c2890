import { ReaderThread } from '../threads/reader-thread.ts';
import type { SourceCalls, SourceThread } from '../threads/source-thread.ts';
import type { FileIdentity } from './file-identity.ts';
import type { CsvLocation } from './location.ts';

/** Table → the state of its file. */
export type Identities = Readonly<Record<string, FileIdentity>>;

/** `workerData` of a thread. */
export interface ThreadData {
  readonly location: CsvLocation;
  /** The files as they have to be, to the end; null = they may change. */
  readonly identities: Identities | null;
}

/** What a thread answers once: name → argument and result. */
export interface ThreadCalls extends SourceCalls {
  identify: { argument: null; result: Identities };
}

/** The near side of a thread that reads files. */
export type CsvThread = SourceThread<ThreadCalls>;

export function startThread(location: CsvLocation, identities: Identities | null): CsvThread {
  return new ReaderThread({
    entry: new URL('./worker.ts', import.meta.url),
    workerData: { location, identities } satisfies ThreadData,
    keepsState: false,
  });
}
