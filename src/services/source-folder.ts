import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import { findErrorCode } from '../config/error-code.ts';
import { AppError } from '../errors/app-error.ts';

/** Below the data folder: what operators put there to be migrated, and what clients have sent. The hub's own files lie beside both. */
const SOURCES_FOLDER = 'sources';
const UPLOADS_FOLDER = 'uploads';

const MISSING: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

export function sourcesFolder(dataDir: string): string {
  return path.join(dataDir, SOURCES_FOLDER);
}

export function uploadsFolder(dataDir: string): string {
  return path.join(dataDir, UPLOADS_FOLDER);
}

/**
 * The file that a client names by a path relative to the sources folder. Symbolic links are refused: they lead wherever whoever
 * made them wanted.
 * @throws AppError PATH_OUTSIDE_DATA_FOLDER, SOURCE_FILE_MISSING
 */
export async function resolveSourcePath(dataDir: string, relative: string): Promise<string> {
  assertInside(relative);
  try {
    const folder = await realpath(sourcesFolder(dataDir));
    const file = path.join(folder, relative);
    if ((await realpath(file)) !== file) throw outside();
    // Opening a pipe or a device would wait for ever, or worse.
    if ((await stat(file)).isFile()) return file;
  } catch (error) {
    if (!MISSING.includes(findErrorCode(error))) throw error;
  }
  throw new AppError('SOURCE_FILE_MISSING', { field: 'options.path' });
}

/**
 * Looks only at the text.
 * @throws AppError PATH_OUTSIDE_DATA_FOLDER
 */
export function assertInside(relative: string): void {
  const isAbsolute = path.posix.isAbsolute(relative) || path.win32.isAbsolute(relative);
  const segments = relative.split(/[/\\]/);
  const isPlain = segments.every((segment) => !['', '.', '..'].includes(segment));
  if (isAbsolute || !isPlain || relative.includes('\0')) throw outside();
}

function outside(): AppError {
  return new AppError('PATH_OUTSIDE_DATA_FOLDER', { field: 'options.path' });
}
