/** The entry of a thread: one connection to one file, one thing at a time. */
import { workerData } from 'node:worker_threads';

import { serveReader } from '../threads/serve-reader.ts';
import type { SourceStreams } from '../threads/source-thread.ts';
import { readCatalog, readVersion } from './catalog.ts';
import { mapSqliteError } from './errors.ts';
import { openDatabase, type OpenDatabase } from './open.ts';
import type { ThreadCalls } from './thread.ts';
import { firstRow, quoteName } from './query.ts';
import { renderCanonical } from './read-canonical.ts';
import { encodeChunk } from './read-chunk.ts';
import { scanTable } from './scan.ts';

const { path } = workerData as { readonly path: string };

let database: OpenDatabase | null = null;

function open(): OpenDatabase {
  return (database ??= openDatabase(path));
}

serveReader<ThreadCalls, SourceStreams>({
  calls: {
    version: () => readVersion(open().db),
    readCatalog: () => readCatalog(open().db),
    scanTable: (argument) => scanTable(open(), argument),
    countRows: ({ table }) =>
      Number(firstRow(open().db, `SELECT count(*) FROM main.${quoteName(table)}`)[0]),
    dataVersion: () => Number(firstRow(open().db, 'PRAGMA data_version')[0]),
    beginSnapshot: () => {
      const { db } = open();
      db.exec('BEGIN');
      // The moment is fixed by the first read, not by BEGIN.
      firstRow(db, 'SELECT count(*) FROM sqlite_schema');
      return null;
    },
    endSnapshot: () => {
      open().db.exec('ROLLBACK');
      return null;
    },
  },
  streams: {
    readChunk: (argument) => encodeChunk(open(), argument),
    readCanonical: (argument) => renderCanonical(open(), argument),
  },
  mapError: mapSqliteError,
  close: () => database?.db.close(),
});
