import type { SourceSnapshot } from '../../contract.ts';
import type { SnapshotRequest } from '../threads/thread-source.ts';
import { closeThreads, ThreadSnapshot } from '../threads/thread-snapshot.ts';
import { startThread, type SqliteThread } from './thread.ts';

/** Another program may commit between two lanes' first reads; then the lanes begin anew. */
const ATTEMPTS = 10;

/**
 * Opens the lanes. For `snapshot` each holds a read transaction, and `control` proves that nothing was committed between
 * the first and the last of them. Where that does not succeed, the level is `none`, and says so.
 */
export async function openSnapshot(
  request: SnapshotRequest & { readonly path: string; readonly control: SqliteThread },
): Promise<SourceSnapshot> {
  const holdsTransaction = request.consistency === 'snapshot';
  const threads = Array.from({ length: Math.max(1, request.lanes) }, () =>
    startThread(request.path, holdsTransaction),
  );
  try {
    const isOneMoment = holdsTransaction && (await beginTogether(threads, request.control));
    if (!holdsTransaction) await Promise.all(threads.map((thread) => thread.call('version', null)));
    return new ThreadSnapshot(threads, { level: isOneMoment ? 'snapshot' : 'none' });
  } catch (error) {
    await closeThreads(threads);
    throw error;
  }
}

async function beginTogether(
  threads: readonly SqliteThread[],
  control: SqliteThread,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const before = await control.call('dataVersion', null);
    await Promise.all(threads.map((thread) => thread.call('beginSnapshot', null)));
    const after = await control.call('dataVersion', null);
    if (before === after) return true;
    if (attempt === ATTEMPTS) return false;
    await Promise.all(threads.map((thread) => thread.call('endSnapshot', null)));
  }
}
