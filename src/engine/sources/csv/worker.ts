/** The entry of a thread that reads files, one thing at a time. */
import { workerData } from 'node:worker_threads';

import { serveReader } from '../threads/serve-reader.ts';
import type { SourceStreams } from '../threads/source-thread.ts';
import { readCatalog, readVersion } from './catalog.ts';
import { countRecords } from './count-records.ts';
import { mapFileError } from './errors.ts';
import type { FileIdentity } from './file-identity.ts';
import { OpenFiles } from './open-files.ts';
import { renderCanonical } from './read-canonical.ts';
import { encodeChunk } from './read-chunk.ts';
import { scanFile } from './scan.ts';
import type { ThreadCalls, ThreadData } from './thread.ts';

const { location, identities } = workerData as ThreadData;
const files = new OpenFiles(location);

function identityOf(table: string): FileIdentity | null {
  return identities?.[table] ?? null;
}

serveReader<ThreadCalls, SourceStreams>({
  calls: {
    version: async (_, signal) => readVersion(await files.all(signal)),
    readCatalog: async (_, signal) => readCatalog(await files.all(signal)),
    identify: async (_, signal) => {
      const opened = await files.all(signal);
      return Object.fromEntries(opened.map(({ table, identity }) => [table, identity]));
    },
    scanTable: async ({ table, chunkRows }, signal) =>
      await scanFile(await files.of(table.name, signal), chunkRows, signal),
    countRows: async ({ table }, signal) =>
      await countRecords(await files.of(table, signal), identityOf(table), signal),
  },
  streams: {
    async *readChunk(request, signal) {
      const { source } = request.table;
      const checked = { ...request, identity: identityOf(source) };
      yield* encodeChunk(await files.of(source, signal), checked, signal);
    },
    async *readCanonical(request, signal) {
      const { source } = request.table;
      const checked = { ...request, identity: identityOf(source) };
      yield* renderCanonical(await files.of(source, signal), checked, signal);
    },
  },
  mapError: mapFileError,
  close: () => undefined,
});
