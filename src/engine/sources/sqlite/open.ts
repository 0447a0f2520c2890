import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

import { AppError } from '../../../errors/app-error.ts';
import { TEXT_ENCODINGS, type TextEncoding } from '../../types/sqlite-cells.ts';
import { mapSqliteError } from './errors.ts';
import { firstRow } from './query.ts';

/** How long a statement waits for another program's lock. */
const BUSY_TIMEOUT_MS = 5000;
const CANNOT_OPEN = 14;

/** A legacy file, opened so that nothing in it can write, load code or reach another file. */
export interface OpenDatabase {
  readonly db: DatabaseSync;
  readonly encoding: TextEncoding;
}

/**
 * Opens a database and proves that it can be read. Throws SOURCE_FILE_MISSING, SOURCE_FILE_EMPTY, SOURCE_NOT_SQLITE,
 * SOURCE_DAMAGED (also where the file is shorter than its header says: SQLite compares them), SOURCE_BUSY.
 *
 * The file is never opened by other means than SQLite: closing any other handle of it would drop the locks of all
 * connections of this process (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export function openDatabase(path: string): OpenDatabase {
  assertFile(path);
  try {
    return openAt(path);
  } catch (error) {
    // A WAL database in a folder that cannot be written opens only if nobody promises to write it.
    const isClosedWal =
      (error as { errcode?: number }).errcode === CANNOT_OPEN && !existsSync(`${path}-wal`);
    if (!isClosedWal) throw mapSqliteError(error, 'the source');
  }
  try {
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return openAt(url);
  } catch (error) {
    throw mapSqliteError(error, 'the source');
  }
}

function openAt(location: string | URL): OpenDatabase {
  const db = new DatabaseSync(location, {
    readOnly: true,
    allowExtension: false,
    defensive: true,
    enableForeignKeyConstraints: false,
    timeout: BUSY_TIMEOUT_MS,
  });
  try {
    db.exec(
      'PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = FILE',
    );
    firstRow(db, 'SELECT count(*) FROM sqlite_schema');
    const [encoding] = firstRow(db, 'PRAGMA encoding');
    return { db, encoding: TEXT_ENCODINGS.find((known) => known === encoding) ?? 'UTF-8' };
  } catch (error) {
    db.close();
    throw error;
  }
}

function assertFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new AppError('SOURCE_FILE_MISSING');
  if (stat.size === 0) throw new AppError('SOURCE_FILE_EMPTY');
}
