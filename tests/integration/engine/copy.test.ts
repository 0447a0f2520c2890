import type { DatabaseSync } from 'node:sqlite';

import { AppError } from '../../../src/errors/app-error.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

const ROWS = 2000;
const CHUNK_ROWS = 100;

/** A table whose chunks are large enough to fill sockets. */
function numbered(db: DatabaseSync): void {
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO notes VALUES (?, ?)');
  db.exec('BEGIN');
  for (let id = 1; id <= ROWS; id += 1) insert.run(id, `${String(id)} ${'x'.repeat(5000)}`);
  db.exec('COMMIT');
}

/** A table with values that its policy rejects: every tenth row. */
function withRejects(db: DatabaseSync): void {
  db.exec('CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT)');
  const insert = db.prepare('INSERT INTO texts VALUES (?, ?)');
  db.exec('BEGIN');
  for (let id = 1; id <= 1000; id += 1) insert.run(id, id % 10 === 0 ? 'nul\0inside' : 'clean');
  db.exec('COMMIT');
}

describe('copy', () => {
  let engine: TestEngine;

  beforeEach(async () => {
    engine = await startTestEngine();
  });

  afterEach(async () => {
    await engine.close();
  });

  async function idsOf(table: string): Promise<number[]> {
    const rows = await engine.sql<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`);
    return rows.map(({ id }) => Number(id));
  }

  const allIds = Array.from({ length: ROWS }, (_, index) => index + 1);

  it('lands every row exactly once when it is aborted in the middle and run again', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: CHUNK_ROWS });
    await job.create();
    const stop = new AbortController();
    job.journal.onBegin = (_, chunk) => {
      if (chunk.number === 7) stop.abort();
    };

    const failure = await failureOf(job.copy(stop.signal));
    const rowsAfterAbort = (await idsOf('notes')).length;
    job.journal.onBegin = () => undefined;
    await job.copy();

    expect(failure).toMatchObject({ name: 'AbortError' });
    expect(rowsAfterAbort).toBeGreaterThan(0);
    expect(rowsAfterAbort).toBeLessThan(ROWS);
    expect(rowsAfterAbort % CHUNK_ROWS).toBe(0);
    expect(await idsOf('notes')).toEqual(allIds);
    expect(job.journal.totals()).toEqual({ rowsRead: ROWS, rowsCopied: ROWS, rowsRejected: 0 });
    expect((await job.verify('full'))[0]?.verdict).toBe('passed');
  });

  it('throws the reason of the signal as it is', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: CHUNK_ROWS });
    await job.create();
    const stop = new AbortController();
    const reason = new AppError('SERVICE_UNAVAILABLE');
    job.journal.onBegin = () => stop.abort(reason);

    expect(await failureOf(job.copy(stop.signal))).toBe(reason);
  });

  it('keeps nothing of a chunk that fails, neither rows nor its ledger row', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), {
      chunkRows: CHUNK_ROWS,
      lanes: 1,
    });
    await job.create();
    await engine.sql(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id = 777 THEN RAISE SQLSTATE ''55P03''; END IF; RETURN NEW; END';
      CREATE TRIGGER in_the_way BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION wait()`);

    const failure = await failureOf(job.copy());

    expect(failure).toMatchObject({
      code: 'TARGET_BUSY',
      details: { what: 'copying notes, chunk 8', sqlState: '55P03' },
    });
    expect((await idsOf('notes')).length).toBe(700);
    expect([...((await job.ledger.chunks()).get('notes')?.keys() ?? [])]).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);

    await engine.sql('DROP TRIGGER in_the_way ON notes');
    await job.copy();

    expect(await idsOf('notes')).toEqual(allIds);
  });

  it('does not blame the target for a failure of the journal', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: CHUNK_ROWS });
    await job.create();
    const lost = new Error('the hub has lost its own database');
    job.journal.onBegin = () => Promise.reject(lost);

    expect(await failureOf(job.copy())).toBe(lost);
    expect(await idsOf('notes')).toEqual([]);
  });

  it('lands every row exactly once when two copies of one job run at once', async () => {
    const file = engine.buildLegacyFile(numbered);
    const first = engine.buildJob(file, { chunkRows: CHUNK_ROWS });
    const second = engine.buildJob(
      file,
      { chunkRows: CHUNK_ROWS },
      { jobId: first.jobId, target: engine.openTarget() },
    );
    await first.create();

    await Promise.all([first.copy(), second.copy()]);

    expect(await idsOf('notes')).toEqual(allIds);
    for (const job of [first, second]) {
      expect(job.journal.totals()).toEqual({ rowsRead: ROWS, rowsCopied: ROWS, rowsRejected: 0 });
    }
  });

  it('says TARGET_UNREACHABLE when its sessions are killed amid a COPY, and goes on when run again', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: 500 });
    await job.create();
    let begun = 0;
    job.journal.onBegin = () => {
      begun += 1;
      if (begun === 2) setTimeout(() => void killSessions(), 5);
    };

    const failure = await failureOf(job.copy());

    expect(failure).toMatchObject({ code: 'TARGET_UNREACHABLE', recovery: 'retriable' });
    job.journal.onBegin = () => undefined;
    await job.copy();
    expect(await idsOf('notes')).toEqual(allIds);
  });

  it('says so too when they are killed between two batches', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: ROWS, lanes: 1 });
    await job.create();
    const snapshot = await job.openSnapshot();
    const readChunk = snapshot.readChunk.bind(snapshot);
    snapshot.readChunk = async function* (request) {
      let batches = 0;
      for await (const batch of readChunk(request)) {
        yield batch;
        batches += 1;
        if (batches === 2) {
          await killSessions();
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    };

    const failure = await failureOf(job.copy(undefined, snapshot));

    expect(failure).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    await job.copy();
    expect(await idsOf('notes')).toEqual(allIds);
  });

  it('stops at once when it is aborted while the target does not take rows', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: ROWS, lanes: 1 });
    await job.create();
    const other = await engine.connect();
    await other.query('BEGIN; LOCK TABLE notes');
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const startedAt = Date.now();

    const failure = await failureOf(job.copy(stop.signal));
    const waitedMs = Date.now() - startedAt;
    await other.query('ROLLBACK');

    expect(failure).toMatchObject({ name: 'AbortError' });
    expect(waitedMs).toBeLessThan(5000);
  });

  describe('a chunk that another worker is writing', () => {
    const anotherWorkersClaim = (jobId: string): string =>
      `BEGIN; INSERT INTO migration_hub.ledger_chunk (job_id, source_table, chunk) VALUES ('${jobId}', 'notes', 1)`;

    it('is waited for, and copied when that worker has gone', async () => {
      const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: 1000 });
      await job.create();
      const other = await engine.connect();
      await other.query(anotherWorkersClaim(job.jobId));

      const copying = job.copy();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const rowsMeanwhile = (await idsOf('notes')).length;
      await other.query('ROLLBACK');
      await copying;

      expect(rowsMeanwhile).toBeLessThanOrEqual(1000);
      expect(await idsOf('notes')).toEqual(allIds);
    });

    it('is left alone when that worker has committed it', async () => {
      const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: 1000 });
      await job.create();
      const other = await engine.connect();
      await other.query(anotherWorkersClaim(job.jobId));

      const copying = job.copy();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await other.query('COMMIT');
      await copying;

      expect(await idsOf('notes')).toEqual(allIds.slice(1000));
    });

    it('is not waited for any longer after an abort', async () => {
      const job = engine.buildJob(engine.buildLegacyFile(numbered), { chunkRows: 1000 });
      await job.create();
      const other = await engine.connect();
      await other.query(anotherWorkersClaim(job.jobId));
      const startedAt = Date.now();

      const failure = await failureOf(job.copy(AbortSignal.timeout(1000)));

      expect(failure).toMatchObject({ name: 'TimeoutError' });
      expect(Date.now() - startedAt).toBeLessThan(6000);
      await other.query('ROLLBACK');
      await job.copy();
      expect(await idsOf('notes')).toEqual(allIds);
    });
  });

  async function killSessions(): Promise<void> {
    await engine.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'legacy-migration-hub'`,
    );
  }

  describe('rejects', () => {
    let job: TestJob;

    function buildRejecting(options: Parameters<TestEngine['buildJob']>[1]): TestJob {
      job = engine.buildJob(engine.buildLegacyFile(withRejects), {
        chunkRows: 100,
        lanes: 1,
        ...options,
      });
      return job;
    }

    it('accounts for every row: read is copied plus rejected', async () => {
      await buildRejecting({}).migrate();

      expect(job.journal.totals()).toEqual({ rowsRead: 1000, rowsCopied: 900, rowsRejected: 100 });
      expect((await idsOf('texts')).length).toBe(900);
      expect([...job.journal.rejects.values()].flat().length).toBe(100);
      expect((await job.verify('full'))[0]?.verdict).toBe('passed');
    });

    it('fails at the first bad row under onBadRow fail, and keeps nothing of its chunk', async () => {
      const failure = await failureOf(buildRejecting({ onBadRow: 'fail' }).migrate());

      expect(failure).toMatchObject({
        code: 'ROW_REJECTED',
        details: { table: 'texts', reasonCode: 'TEXT_NUL', key: { id: '10' } },
      });
      expect(await idsOf('texts')).toEqual([]);
      expect((await job.ledger.chunks()).size).toBe(0);
    });

    it('keeps the chunks before the one that exceeds maxRejectedRows', async () => {
      const failure = await failureOf(buildRejecting({ maxRejectedRows: 35 }).migrate());

      expect(failure).toMatchObject({ code: 'TOO_MANY_REJECTS', details: { limit: 35 } });
      expect((await idsOf('texts')).length).toBe(270);
      expect((await job.ledger.chunks()).get('texts')?.size).toBe(3);
    });

    it('counts the rejects of earlier runs against maxRejectedRows', async () => {
      await failureOf(buildRejecting({ maxRejectedRows: 35 }).migrate());

      expect(await failureOf(job.copy())).toMatchObject({ code: 'TOO_MANY_REJECTS' });
      expect((await idsOf('texts')).length).toBe(270);
    });
  });

  it('fails with ROWS_UNACCOUNTED when a trigger of the target swallows rows', async () => {
    const file = engine.buildLegacyFile(
      'CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)',
    );
    await engine.sql(`CREATE TABLE t (id bigint NOT NULL);
      CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END';
      CREATE TRIGGER swallow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION swallow()`);
    const job = engine.buildJob(file, { onExisting: 'append' });

    const failure = await failureOf(job.migrate());

    expect(failure).toMatchObject({ code: 'ROWS_UNACCOUNTED' });
    expect(await idsOf('t')).toEqual([]);
  });
});
