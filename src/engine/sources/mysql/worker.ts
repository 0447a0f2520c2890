/** The entry of a thread: one session of the server, one thing at a time. */
import { workerData } from 'node:worker_threads';

import { serveReader } from '../threads/serve-reader.ts';
import type { SourceStreams } from '../threads/source-thread.ts';
import { readCatalog } from './catalog.ts';
import { readVersion } from './catalog-product.ts';
import type { CatalogQuery } from './catalog-query.ts';
import { MysqlConnection } from './connection.ts';
import {
  beginSnapshot,
  binlogPosition,
  endSnapshot,
  holdWrites,
  releaseWrites,
  tablesWithoutSnapshot,
} from './consistency.ts';
import { mapMysqlError } from './errors.ts';
import { readCanonical } from './read-canonical.ts';
import { encodeChunk } from './read-chunk.ts';
import { scanTable } from './scan.ts';
import type { ThreadCalls, ThreadData } from './thread.ts';
import { quoteMysqlName } from '../../types/mysql-sql.ts';

const { location, reconnects } = workerData as ThreadData;
const connection = new MysqlConnection(location, { reconnects });

function queryUntil(signal: AbortSignal): CatalogQuery {
  return (sql, parameters) => connection.query(sql, parameters, signal);
}

serveReader<ThreadCalls, SourceStreams>({
  calls: {
    version: (_, signal) => readVersion(queryUntil(signal)),
    readCatalog: (_, signal) => readCatalog(queryUntil(signal), location.database),
    scanTable: (argument, signal) => scanTable(connection, { ...argument, signal }),
    countRows: async ({ table }, signal) => {
      const [count] = await connection.firstTexts(
        `SELECT COUNT(*) FROM ${quoteMysqlName(table)}`,
        signal,
      );
      return Number(count);
    },
    holdWrites: () => holdWrites(connection),
    releaseWrites: () => releaseWrites(connection),
    beginSnapshot: () => beginSnapshot(connection),
    endSnapshot: () => endSnapshot(connection),
    binlogPosition: () => binlogPosition(connection),
    tablesWithoutSnapshot: () => tablesWithoutSnapshot(connection),
  },
  streams: {
    readChunk: (argument, signal) => encodeChunk(connection, { ...argument, signal }),
    readCanonical: (argument, signal) => readCanonical(connection, { ...argument, signal }),
  },
  mapError: (error, what) => mapMysqlError(error, what, location.database),
  close: () => connection.close(),
});
