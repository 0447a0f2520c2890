import type { SourceSnapshot } from '../../contract.ts';
import type { SnapshotRequest } from '../threads/thread-source.ts';
import { closeThreads, ThreadSnapshot } from '../threads/thread-snapshot.ts';
import type { MysqlLocation } from './connection.ts';
import { startThread, type MysqlThread } from './thread.ts';

/** Another session may commit between two lanes' first reads; then the lanes begin anew. */
const ATTEMPTS = 10;

/** One moment, or not, and where the binary log stood then. */
interface Moment {
  readonly isOne: boolean;
  readonly position: string | null;
}

/**
 * Opens the lanes. For `snapshot` each begins a transaction with a consistent snapshot while nobody can write, which takes
 * some milliseconds. Where the account may not lock, one lane alone is still one moment, and several are where the binary log
 * proves that nothing was committed between their beginnings. Else, and where a table's engine knows no snapshot, the level
 * is `none`, and says so.
 */
export async function openSnapshot(
  request: SnapshotRequest & { readonly location: MysqlLocation; readonly control: MysqlThread },
): Promise<SourceSnapshot> {
  const { location, control, consistency } = request;
  const isWanted = consistency === 'snapshot';
  const threads = Array.from({ length: Math.max(1, request.lanes) }, () =>
    startThread(location, isWanted),
  );
  try {
    // Dialling takes longer than beginning: no lock is held meanwhile.
    await Promise.all(threads.map((thread) => thread.call('version', null)));
    if (!isWanted) return new ThreadSnapshot(threads, { level: 'none' });
    const moment = await beginTogether(threads, control);
    const uncovered = await control.call('tablesWithoutSnapshot', null);
    const level = moment.isOne && uncovered.length === 0 ? 'snapshot' : 'none';
    return new ThreadSnapshot(threads, { level, position: moment.position });
  } catch (error) {
    await closeThreads(threads);
    throw error;
  }
}

async function beginTogether(
  threads: readonly MysqlThread[],
  control: MysqlThread,
): Promise<Moment> {
  const hold = await control.call('holdWrites', null);
  if (hold === null) return await beginWithoutLock(threads, control);
  try {
    const [{ binlogSnapshot } = { binlogSnapshot: null }] = await begin(threads);
    // Others may still write elsewhere on the server: the position is of this moment only under the server's lock.
    const position = hold === 'server' ? await control.call('binlogPosition', null) : null;
    return { isOne: true, position: position ?? binlogSnapshot };
  } finally {
    await control.call('releaseWrites', null);
  }
}

async function beginWithoutLock(
  threads: readonly MysqlThread[],
  control: MysqlThread,
): Promise<Moment> {
  for (let attempt = 1; ; attempt++) {
    const before = await control.call('binlogPosition', null);
    const begun = await begin(threads);
    const after = await control.call('binlogPosition', null);
    const own = begun[0]?.binlogSnapshot ?? null;
    const isSame = own !== null && begun.every(({ binlogSnapshot }) => binlogSnapshot === own);
    const isQuiet = before !== null && before === after;
    const isOne = threads.length === 1 || isSame || isQuiet;
    const canTell = own !== null || before !== null;
    if (isOne || !canTell || attempt === ATTEMPTS)
      return { isOne, position: isOne ? (own ?? (isQuiet ? before : null)) : null };
    await Promise.all(threads.map((thread) => thread.call('endSnapshot', null)));
  }
}

async function begin(
  threads: readonly MysqlThread[],
): Promise<{ readonly binlogSnapshot: string | null }[]> {
  return await Promise.all(threads.map((thread) => thread.call('beginSnapshot', null)));
}
