import type { SourceDriver } from '../contract.ts';
import { canonicalTargetExpression } from '../types/mysql-canonical.ts';
import { translateExpression } from '../types/mysql-expression.ts';
import { decideColumn } from '../types/mysql.ts';
import type { MysqlLocation } from './mysql/connection.ts';
import { encodeRow } from './mysql/encode-row.ts';
import { openSnapshot } from './mysql/snapshot.ts';
import { startThread } from './mysql/thread.ts';
import { ThreadSource } from './threads/thread-source.ts';

export type { MysqlLocation } from './mysql/connection.ts';

/** A database of a MySQL or MariaDB server: each thread has a session of its own. */
export const MYSQL_DRIVER: SourceDriver<MysqlLocation> = {
  open: (location) =>
    new ThreadSource({
      capabilities: { snapshot: true, keysetChunks: true, foreignKeys: true },
      control: startThread(location, false),
      openSnapshot: (request, control) => openSnapshot({ ...request, location, control }),
    }),
  decideColumn,
  translateExpression,
  canonicalTargetExpression,
  encodeRow,
};
