/** The entry of a thread that reads files, one thing at a time. */
import { workerData } from 'node:worker_threads';

import { serveReader } from '../threads/serve-reader.ts';
import { readCatalog, readVersion } from './catalog.ts';
import { countRecords } from './count-records.ts';
import { mapFileError } from './errors.ts';
import type { CsvLocation } from './location.ts';
import { OpenFiles } from './open-files.ts';
import { renderCanonical } from './read-canonical.ts';
import { encodeChunk } from './read-chunk.ts';
import { scanFile } from './scan.ts';
import type { ThreadCalls, ThreadStreams } from './thread.ts';

const files = new OpenFiles(workerData as CsvLocation);

serveReader<ThreadCalls, ThreadStreams>({
  calls: {
    version: async (_, signal) => readVersion(await files.all(signal)),
    readCatalog: async (_, signal) => readCatalog(await files.all(signal)),
    identify: async (_, signal) => {
      const opened = await files.all(signal);
      return Object.fromEntries(opened.map(({ table, identity }) => [table, identity]));
    },
    scanTable: async ({ table, chunkRows }, signal) =>
      await scanFile(await files.of(table, signal), chunkRows, signal),
    countRows: async ({ table, identity }, signal) =>
      await countRecords(await files.of(table, signal), identity, signal),
  },
  streams: {
    async *readChunk(request, signal) {
      yield* encodeChunk(await files.of(request.table.source, signal), request, signal);
    },
    async *readCanonical(request, signal) {
      yield* renderCanonical(await files.of(request.table.source, signal), request, signal);
    },
  },
  mapError: mapFileError,
  close: () => undefined,
});
