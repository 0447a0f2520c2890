import type { SourceDriver } from '../contract.ts';
import { canonicalTargetExpression } from '../types/csv-canonical.ts';
import { decideColumn } from '../types/csv.ts';
import { encodeRow } from './csv/encode-row.ts';
import type { CsvLocation } from './csv/location.ts';
import { openSnapshot } from './csv/snapshot.ts';
import { startThread } from './csv/thread.ts';
import { ThreadSource } from './threads/thread-source.ts';

export type { CsvLocation } from './csv/location.ts';

/** Files of records, each a table. They are never held in memory. */
export const CSV_DRIVER: SourceDriver<CsvLocation> = {
  open: (location) =>
    new ThreadSource({
      capabilities: { snapshot: true, keysetChunks: true, foreignKeys: false },
      control: startThread(location, null),
      openSnapshot: (request, control) => openSnapshot({ ...request, location, control }),
    }),
  decideColumn,
  // A file has no expressions.
  translateExpression: () => null,
  canonicalTargetExpression,
  encodeRow,
};
