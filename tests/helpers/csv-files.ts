import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import type { CsvLocation } from '../../src/engine/sources/csv.ts';

/** A folder of CSV files. */
export interface CsvFolder {
  /** Writes files, table → content, and says where they are. */
  write(
    files: Readonly<Record<string, string | Uint8Array>>,
    format?: CsvLocation['format'],
  ): Promise<CsvLocation>;
  readonly path: string;
  remove(): Promise<void>;
}

export async function makeCsvFolder(): Promise<CsvFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hub-csv-'));
  let files = 0;
  return {
    path: folder,
    async write(contents, format) {
      const written = [];
      for (const [table, content] of Object.entries(contents)) {
        files += 1;
        const file = path.join(folder, `${String(files)}.csv`);
        await writeFile(file, content);
        written.push({ path: file, table });
      }
      return { files: written, ...(format === undefined ? {} : { format }) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
