import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { isAppError } from '../../../../src/errors/app-error.ts';
import { openDatabase } from '../../../../src/engine/sources/sqlite/open.ts';
import { openSource } from '../../../../src/engine/sources/registry.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'legacy-open-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
  return 'opened';
}

function buildRows(file: string, rows: number): void {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < ${String(rows)}) INSERT INTO t SELECT i, printf('%050d', i) FROM g`);
  db.close();
}

describe('openDatabase', () => {
  it('names what is wrong with a file', async () => {
    const file = path.join(folder, 'file');
    expect(codeOf(() => openDatabase(file))).toBe('SOURCE_FILE_MISSING');
    expect(codeOf(() => openDatabase(folder))).toBe('SOURCE_FILE_MISSING');
    await writeFile(file, '');
    expect(codeOf(() => openDatabase(file))).toBe('SOURCE_FILE_EMPTY');
    await writeFile(file, Buffer.alloc(8192, 'encrypted? '));
    expect(codeOf(() => openDatabase(file))).toBe('SOURCE_NOT_SQLITE');
    await writeFile(file, 'id,name\n1,x\n');
    expect(codeOf(() => openDatabase(file))).toBe('SOURCE_NOT_SQLITE');
  });

  it('notices a file that is shorter than its header says', async () => {
    const file = path.join(folder, 'cut.db');
    buildRows(file, 2000);
    await truncate(file, 4096 * 10);

    expect(codeOf(() => openDatabase(file))).toBe('SOURCE_DAMAGED');
  });

  it('notices damaged pages where they are read', async () => {
    const file = path.join(folder, 'damaged.db');
    buildRows(file, 5000);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(4096 * 20, 0x5a), 0, 4096 * 20, 4096 * 15);
    await handle.close();
    const source = openSource('sqlite', { path: file });

    const { signal } = new AbortController();
    const { tables } = await source.readCatalog(signal);
    const [table] = tables;
    if (table === undefined) throw new Error('no table');
    await expect(source.scanTable({ table, chunkRows: 1000, signal })).rejects.toMatchObject({
      code: 'SOURCE_DAMAGED',
    });

    await source.close();
  });

  it('waits for a lock, and says that the file is busy', async () => {
    const file = path.join(folder, 'locked.db');
    buildRows(file, 10);
    const writer = new DatabaseSync(file);
    writer.exec('BEGIN EXCLUSIVE');
    const source = openSource('sqlite', { path: file });

    await expect(source.version()).rejects.toMatchObject({ code: 'SOURCE_BUSY' });

    writer.close();
    await expect(source.version()).resolves.toMatch(/^SQLite 3\./);
    await source.close();
  });

  it('cannot write, attach or load', () => {
    const file = path.join(folder, 'plain.db');
    buildRows(file, 1);
    const { db } = openDatabase(file);

    expect(() => db.exec('DELETE FROM t')).toThrow(/readonly/);
    expect(() => db.exec("SELECT load_extension('x')")).toThrow();
    expect(() => db.exec(`ATTACH '${path.join(folder, 'other.db')}' AS other`)).toThrow();

    db.close();
  });
});
