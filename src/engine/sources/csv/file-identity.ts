import { stat } from 'node:fs/promises';

import { AppError } from '../../../errors/app-error.ts';

/** What changes when a file is written or replaced. JSON. */
export interface FileIdentity {
  readonly size: number;
  /** Time of the last change, and the file's number in its file system. */
  readonly changed: string;
  readonly inode: string;
}

/** Throws SOURCE_FILE_MISSING and SOURCE_FILE_EMPTY. */
export async function identifyFile(path: string): Promise<FileIdentity> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  });
  if (!found?.isFile()) throw new AppError('SOURCE_FILE_MISSING');
  if (found.size === 0n) throw new AppError('SOURCE_FILE_EMPTY');
  return {
    size: Number(found.size),
    changed: String(found.mtimeNs),
    inode: String(found.ino),
  };
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.changed === b.changed && a.inode === b.inode;
}
