import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const SQLITE_BUSY = 5;
const RETRY_MILLISECONDS = 100;

export interface LockOptions {
  readonly file: string;
  readonly timeoutSeconds: number;
}

/**
 * Runs `work` while no other process (nor another call in this one) holds the lock on `file`.
 *
 * The lock is SQLite's lock on an empty database file, so the operating system holds it: a killed
 * process leaves nothing behind that would have to be judged stale by a process id, which another
 * process may carry by then (in a container it usually does).
 */
export async function withExclusiveLock<Result>(
  { file, timeoutSeconds }: LockOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const database = new DatabaseSync(file);
  try {
    await acquire(database, { file, timeoutSeconds });
    return await work();
  } finally {
    database.close();
  }
}

async function acquire(database: DatabaseSync, { file, timeoutSeconds }: LockOptions) {
  const deadline = Date.now() + timeoutSeconds * 1000;
  while (!tryBegin(database)) {
    if (Date.now() > deadline) {
      throw new Error(`Another process has held ${file} for more than ${timeoutSeconds} seconds`);
    }
    await sleep(RETRY_MILLISECONDS);
  }
}

function tryBegin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
