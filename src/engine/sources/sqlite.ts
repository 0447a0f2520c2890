import type { SourceDriver } from '../contract.ts';
import { canonicalTargetExpression } from '../types/sqlite-canonical.ts';
import { translateExpression } from '../types/sqlite-expression.ts';
import { decideColumn } from '../types/sqlite.ts';
import { encodeRow } from './sqlite/encode-row.ts';
import { openSnapshot } from './sqlite/snapshot.ts';
import { startThread } from './sqlite/thread.ts';
import { ThreadSource } from './threads/thread-source.ts';

export interface SqliteLocation {
  /** Absolute path of the file. */
  readonly path: string;
}

/** A SQLite file. */
export const SQLITE_DRIVER: SourceDriver<SqliteLocation> = {
  open: ({ path }) =>
    new ThreadSource({
      capabilities: { snapshot: true, keysetChunks: true, foreignKeys: true },
      control: startThread(path, false),
      openSnapshot: (request, control) => openSnapshot({ ...request, path, control }),
    }),
  decideColumn,
  translateExpression,
  canonicalTargetExpression,
  encodeRow,
};
