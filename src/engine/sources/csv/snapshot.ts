import type { SourceSnapshot } from '../../contract.ts';
import type { SnapshotRequest } from '../threads/thread-source.ts';
import { ThreadSnapshot } from '../threads/thread-snapshot.ts';
import type { CsvLocation } from './location.ts';
import { startThread, type CsvThread } from './thread.ts';

/**
 * Opens the lanes. For `snapshot` the state of every file is noted, and whoever reads one makes sure before and after that it
 * is still in this state: what has changed meanwhile is an error, not a mixture of two moments.
 */
export async function openSnapshot({
  location,
  control,
  lanes,
  consistency,
}: SnapshotRequest & {
  readonly location: CsvLocation;
  readonly control: CsvThread;
}): Promise<SourceSnapshot> {
  const identities = consistency === 'snapshot' ? await control.call('identify', null) : null;
  const threads = Array.from({ length: Math.max(1, lanes) }, () =>
    startThread(location, identities),
  );
  return new ThreadSnapshot(threads, { level: identities === null ? 'none' : 'snapshot' });
}
