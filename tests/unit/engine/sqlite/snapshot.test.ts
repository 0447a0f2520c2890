import { DatabaseSync } from 'node:sqlite';

import {
  DEFAULT_JOB_OPTIONS,
  type EncodedBatch,
  type PlannedTable,
  type SourceSnapshot,
} from '../../../../src/engine/contract.ts';
import { openSource } from '../../../../src/engine/sources/registry.ts';
import { buildLegacySqlite, type LegacySqlite } from '../../../helpers/legacy-sqlite.ts';
import { plannedTable, planSqlite } from '../../../helpers/legacy-sqlite-plan.ts';

const { policies } = DEFAULT_JOB_OPTIONS;
const { signal } = new AbortController();
const WHOLE = { number: 1, lower: null, upper: null } as const;

let file: LegacySqlite;
let table: PlannedTable;
beforeEach(async () => {
  file =
    await buildLegacySqlite(`PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 60000) INSERT INTO t SELECT i, printf('%0100d', i) FROM g`);
  const planned = planSqlite(file.path);
  table = plannedTable(planned, 't');
  planned.database.db.close();
});
afterEach(() => file.remove());

async function countRows(snapshot: SourceSnapshot, lane: number): Promise<number> {
  let rows = 0;
  for await (const batch of snapshot.readChunk({ lane, table, chunk: WHOLE, policies, signal }))
    rows += batch.rowsEncoded;
  return rows;
}

describe('a snapshot', () => {
  it('shows all lanes the same moment while the file is written', async () => {
    const source = openSource('sqlite', { path: file.path });
    const writer = new DatabaseSync(file.path);
    const snapshot = await source.openSnapshot({ lanes: 3, consistency: 'snapshot' });

    writer.exec('DELETE FROM t WHERE id > 100');

    expect(snapshot.level).toBe('snapshot');
    expect(await Promise.all([0, 1, 2].map((lane) => countRows(snapshot, lane)))).toEqual([
      60_000, 60_000, 60_000,
    ]);
    expect(await snapshot.countRows({ lane: 1, table, signal })).toBe(60_000);
    writer.close();
    await source.close();
  });

  it('reads no further than a few batches ahead of its consumer', async () => {
    const source = openSource('sqlite', { path: file.path });
    const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'snapshot' });
    const batches = snapshot
      .readChunk({ lane: 0, table, chunk: WHOLE, policies, signal })
      [Symbol.asyncIterator]();
    const first = (await batches.next()).value as EncodedBatch;

    await new Promise((resolve) => setTimeout(resolve, 300));
    await batches.return?.();

    expect(first.lines.byteLength).toBeLessThan(300 * 1024);
    // A consumer that leaves early leaves the lane usable.
    expect(await countRows(snapshot, 0)).toBe(60_000);
    await source.close();
  });

  it('makes a second request to a lane wait for the first', async () => {
    const source = openSource('sqlite', { path: file.path });
    const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'snapshot' });

    expect(
      await Promise.all([
        countRows(snapshot, 0),
        countRows(snapshot, 0),
        snapshot.countRows({ lane: 0, table, signal }),
      ]),
    ).toEqual([60_000, 60_000, 60_000]);
    await source.close();
  });

  it('stops at once when it is cancelled, also within a long statement', async () => {
    const source = openSource('sqlite', { path: file.path });
    const slow =
      await buildLegacySqlite(`CREATE TABLE big (a INTEGER, b INTEGER REFERENCES big (a));
      WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 1000000) INSERT INTO big SELECT i, i FROM g`);
    const slowSource = openSource('sqlite', { path: slow.path });
    const [big] = (await slowSource.readCatalog(signal)).tables;
    if (big === undefined) throw new Error('no table');

    const started = performance.now();
    await expect(
      slowSource.scanTable({ table: big, chunkRows: 1000, signal: AbortSignal.timeout(100) }),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - started).toBeLessThan(2000);

    // The next call gets a new thread.
    await expect(slowSource.version()).resolves.toMatch(/^SQLite/);
    await slowSource.close();
    await slowSource.close();
    await expect(slowSource.version()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await source.close();
    await slow.remove();
  });

  it('ends what waits for it when it is closed', async () => {
    const source = openSource('sqlite', { path: file.path });
    const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'none' });
    const batches = snapshot
      .readChunk({ lane: 0, table, chunk: WHOLE, policies, signal })
      [Symbol.asyncIterator]();
    await batches.next();

    await source.close();

    await expect(
      (async () => {
        while ((await batches.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });
});
