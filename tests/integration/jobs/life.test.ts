import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startTestHub, type JobBody, type TableBody, type TestHub } from '../../helpers/hub.ts';

const ROWS = 5_000;

/** A file with enough chunks to be stopped between two of them. */
function writeSource(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, Name TEXT NOT NULL);
    CREATE TABLE Purchase (
      id INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer (CustomerId), note TEXT, active BOOLEAN);
    CREATE INDEX purchase_note ON Purchase (note);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
      INSERT INTO Customer SELECT i, 'Customer ' || i FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(ROWS)})
      INSERT INTO Purchase SELECT i, 1 + i % 100, 'note ' || i, i % 3 FROM n;
    UPDATE Purchase SET note = CAST(x'610062' AS TEXT) WHERE id = 4321;`);
  database.close();
}

describe('a migration job', () => {
  let folder: string;
  let hub: TestHub;
  let sourceId: string;
  let schemas = 0;

  const nextSchema = (): string => `life_${String((schemas += 1))}`;
  const act = (job: JobBody, action: string) =>
    hub.call('post', `/migration-jobs/${job.id}/${action}`);
  const tablesOf = async (job: JobBody): Promise<TableBody[]> =>
    (
      (await hub.call('get', `/migration-jobs/${job.id}/tables`).expect(200)).body as {
        data: TableBody[];
      }
    ).data;
  const countIn = async (schema: string, table: string): Promise<number> => {
    const { rows } = await hub.targetClient.query<{ rows: string }>(
      `SELECT count(*) AS rows FROM ${schema}.${table}`,
    );
    return Number(rows[0]?.rows);
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-jobs-'));
    const file = path.join(folder, 'source.sqlite');
    writeSource(file);
    hub = await startTestHub();
    sourceId = await hub.addSource(file);
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('can be assessed and planned before anything is written', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema });
    await hub
      .call('get', `/migration-jobs/${job.id}/assessment`)
      .expect(404, { error: 'The job has not been assessed yet' });
    await hub
      .call('get', `/migration-jobs/${job.id}/plan`)
      .expect(404, { error: 'The job has not been planned yet' });

    await act(job, 'assess').expect(202);
    await hub.waitFor(job.id, 'draft');
    const assessment = await hub.call('get', `/migration-jobs/${job.id}/assessment`).expect(200);
    await act(job, 'plan').expect(202);
    await hub.waitFor(job.id, 'draft');
    const plan = await hub.call('get', `/migration-jobs/${job.id}/plan`).expect(200);

    expect(assessment.body).toMatchObject({
      tables: [
        { name: 'Customer', rows: 100 },
        { name: 'Purchase', rows: ROWS },
      ],
    });
    expect(JSON.stringify(plan.body)).toContain('values outside {0,1} → smallint');
    const { create } = (plan.body as { ddl: { create: string[] } }).ddl;
    expect(create.filter((statement) => statement.startsWith('CREATE TABLE'))).toHaveLength(2);
    const { rows } = await hub.targetClient.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
      schema,
    ]);
    expect(rows).toEqual([]);
  });

  it('does everything from assess to verify on start, and reports it', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, chunkRows: 500 });

    const answer = await act(job, 'start').expect(202);
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');
    const report = await hub.call('get', `/migration-jobs/${job.id}/report`).expect(200);
    const rejects = await hub.call('get', `/migration-jobs/${job.id}/rejects`).expect(200);

    expect((answer.body as JobBody).status).toBe('queued');
    expect(ended).toMatchObject({
      status: 'succeeded',
      phase: null,
      error: null,
      verification: { status: 'passed', tablesPassed: 2, tablesFailed: 0 },
      progress: {
        tablesTotal: 2,
        tablesDone: 2,
        rowsTotal: ROWS + 100,
        rowsCopied: ROWS + 99,
        rowsRejected: 1,
      },
    });
    expect(report.body).toMatchObject({
      consistency: { requested: 'snapshot', reached: 'snapshot' },
      rows: { read: ROWS + 100, copied: ROWS + 99, rejected: 1, isBalanced: true },
      rejects: [{ table: 'Purchase', reasonCode: 'TEXT_NUL', rows: 1 }],
    });
    expect(rejects.body).toMatchObject({
      data: [{ table: 'Purchase', key: { id: '4321' }, column: 'note', reasonCode: 'TEXT_NUL' }],
    });
    expect(await countIn(schema, 'purchase')).toBe(ROWS - 1);
  });

  it('started twice at once runs once', async () => {
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema() });

    const answers = await Promise.all(Array.from({ length: 8 }, () => act(job, 'start')));
    await hub.waitFor(job.id, 'succeeded');

    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    for (const { status, body, headers } of answers.filter((answer) => answer.status !== 202)) {
      expect([status, body, headers['x-error-code']]).toEqual([
        409,
        { error: 'Job is already running' },
        'JOB_ALREADY_RUNNING',
      ]);
    }
  });

  it('can be paused and resumed, and every row is there once', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, chunkRows: 100 });
    await act(job, 'start').expect(202);

    await act(job, 'pause').expect(202);
    const paused = await hub.waitFor(job.id, 'paused');
    await act(job, 'start').expect(409, { error: 'Job is paused: it cannot start' });
    await act(job, 'resume').expect(202);
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(paused.status).toBe('paused');
    expect(ended.error).toBeNull();
    expect(await countIn(schema, 'purchase')).toBe(ROWS - 1);
  });

  it('that was cancelled can be taken up again', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, chunkRows: 100 });
    await act(job, 'start').expect(202);

    await act(job, 'cancel').expect(202);
    await act(job, 'cancel').expect(409, { error: 'Job is cancelled: it cannot cancel' });
    await act(job, 'retry').expect(202);
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(ended.error).toBeNull();
    expect(await countIn(schema, 'purchase')).toBe(ROWS - 1);
  });

  it('finds what was changed in the target afterwards, and names table, key range and row', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, chunkRows: 1000 });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');
    await hub.targetClient.query(`UPDATE ${schema}.purchase SET note = 'changed' WHERE id = 2500`);

    await act(job, 'verify').expect(202);
    const ended = await hub.waitFor(job.id, 'failed', 'succeeded');
    const tables = await tablesOf(job);

    expect(ended).toMatchObject({
      status: 'failed',
      error: { code: 'VERIFICATION_FAILED', error: 'Verification failed for Purchase' },
      verification: { status: 'failed', tablesPassed: 1, tablesFailed: 1 },
    });
    expect(tables.find(({ sourceTable }) => sourceTable === 'Purchase')).toMatchObject({
      verdict: 'failed',
      failures: [
        {
          lower: { id: '2000' },
          upper: { id: '3000' },
          differences: {
            missing: { rows: 1, keys: [{ id: '2500' }] },
            unexpected: { rows: 1, keys: [{ id: '2500' }] },
          },
        },
      ],
    });

    await hub.targetClient.query(
      `UPDATE ${schema}.purchase SET note = 'note 2500' WHERE id = 2500`,
    );
    await act(job, 'verify').expect(202);
    expect(await hub.waitFor(job.id, 'succeeded', 'failed')).toMatchObject({
      status: 'succeeded',
      error: null,
    });
  });

  it('that is rolled back leaves nothing, and can be changed and started again', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');

    await act(job, 'rollback').expect(202);
    const rolledBack = await hub.waitFor(job.id, 'rolled_back', 'failed');
    const { rows } = await hub.targetClient.query(`SELECT 1 FROM pg_tables WHERE schemaname = $1`, [
      schema,
    ]);
    const changed = await hub
      .call('patch', `/migration-jobs/${job.id}`, { options: { identifiers: 'preserve' } })
      .set('If-Match', `"${String(rolledBack.version)}"`)
      .expect(200);
    await act(job, 'start').expect(202);
    const again = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(rows).toEqual([]);
    expect(changed.body).toMatchObject({
      status: 'draft',
      options: { targetSchema: schema, identifiers: 'preserve' },
    });
    expect(again.error).toBeNull();
    expect(await countIn(schema, '"Purchase"')).toBe(ROWS - 1);
  });

  it('that is rolled back says no more that anything was copied or verified', async () => {
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema() });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');
    await act(job, 'rollback').expect(202);
    const rolledBack = await hub.waitFor(job.id, 'rolled_back', 'failed');

    const rejects = await hub.call('get', `/migration-jobs/${job.id}/rejects`).expect(200);

    expect(rolledBack).toMatchObject({ verification: null, progress: { rowsCopied: 0 } });
    expect(rejects.body).toEqual({ data: [], nextCursor: null });
    expect(await tablesOf(job)).toEqual([
      expect.objectContaining({ rowsCopied: 0, verdict: 'pending' }),
      expect.objectContaining({ rowsCopied: 0, verdict: 'pending' }),
    ]);
    await hub
      .call('get', `/migration-jobs/${job.id}/report`)
      .expect(404, { error: 'The job has not finished yet' });
    await act(job, 'verify').expect(409);
  });

  it('whose rollback is refused can still be brought to its end', async () => {
    const schema = nextSchema();
    await hub.targetClient.query(
      `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.customer (customerid bigint PRIMARY KEY, name text NOT NULL);
       INSERT INTO ${schema}.customer VALUES (9999, 'was here')`,
    );
    const options = { targetSchema: schema, onExisting: 'append', include: ['Customer'] };
    const job = await hub.createJob(sourceId, options);
    await act(job, 'start').expect(202);
    const first = await hub.waitFor(job.id, 'succeeded', 'failed');

    await act(job, 'rollback').expect(202);
    const refused = await hub.waitFor(job.id, 'failed', 'rolled_back');
    await act(job, 'plan').expect(409);
    await act(job, 'start').expect(202);
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(first).toMatchObject({ status: 'succeeded', error: null });
    expect(refused.error).toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
    expect(ended).toMatchObject({ status: 'succeeded', error: null });
    expect(await countIn(schema, 'customer')).toBe(101);
  });

  it('whose verification could not begin is not taken for one that has written nothing', async () => {
    const file = path.join(folder, 'gone.sqlite');
    writeSource(file);
    const goneId = await hub.addSource(file);
    const job = await hub.createJob(goneId, { targetSchema: nextSchema(), include: ['Customer'] });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');
    const answer = await hub.call('get', `/connections/${goneId}`).expect(200);
    const { path: stored } = (answer.body as { options: { path: string } }).options;
    await rm(path.join(hub.api.dataDir, 'sources', stored));

    await act(job, 'verify').expect(202);
    const failed = await hub.waitFor(job.id, 'failed', 'succeeded');

    expect(failed).toMatchObject({ phase: 'verify', error: { code: 'SOURCE_FILE_MISSING' } });
    await act(job, 'plan').expect(409);
    await act(job, 'assess').expect(409);
    await hub
      .call('patch', `/migration-jobs/${job.id}`, { options: { identifiers: 'preserve' } })
      .set('If-Match', '*')
      .expect(409);
  });

  it('that lost a table copies it once more, and counts each row once', async () => {
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, chunkRows: 1000 });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');
    const before = await tablesOf(job);
    await hub.targetClient.query(`DROP TABLE ${schema}.purchase`);

    await act(job, 'verify').expect(202);
    const failed = await hub.waitFor(job.id, 'failed', 'succeeded');
    await act(job, 'start').expect(202);
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(failed.error).toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(ended).toMatchObject({ status: 'succeeded', error: null });
    expect(await tablesOf(job)).toEqual(before);
    expect(await countIn(schema, 'purchase')).toBe(ROWS - 1);
  });

  it('answers many refused requests at once without waiting for itself', async () => {
    const job = await hub.createJob(sourceId);

    const answers = await Promise.all(Array.from({ length: 30 }, () => act(job, 'pause')));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([409]));
  });

  it('fails where a table is in the way, makes nothing, and says which option is to blame', async () => {
    const schema = nextSchema();
    await hub.targetClient.query(
      `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.purchase (kept int)`,
    );
    const job = await hub.createJob(sourceId, { targetSchema: schema });

    await act(job, 'start').expect(202);
    const failed = await hub.waitFor(job.id, 'failed');

    expect(failed.error).toMatchObject({
      code: 'TARGET_TABLE_EXISTS',
      field: 'options.onExisting',
    });
    expect(failed.error?.error).toContain('purchase');
    const { rows } = await hub.targetClient.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = $1`,
      [schema],
    );
    expect(rows).toEqual([{ tablename: 'purchase' }]);
  });

  it('of two that want the same tables at once one makes them, and the other says what is in the way', async () => {
    const schema = nextSchema();
    const jobs = await Promise.all(
      [1, 2].map(() => hub.createJob(sourceId, { targetSchema: schema })),
    );
    await Promise.all(jobs.map((job) => act(job, 'start').expect(202)));

    const ended = await Promise.all(jobs.map(({ id }) => hub.waitFor(id, 'succeeded', 'failed')));

    expect(ended.map(({ status }) => status).sort()).toEqual(['failed', 'succeeded']);
    expect(ended.find(({ status }) => status === 'failed')?.error).toMatchObject({
      code: 'TARGET_TABLE_EXISTS',
      field: 'options.onExisting',
    });
    expect(await countIn(schema, 'purchase')).toBe(ROWS - 1);
  });

  it('stops at the first bad row when that was asked for, and keeps the row', async () => {
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema(), onBadRow: 'fail' });

    await act(job, 'start').expect(202);
    const failed = await hub.waitFor(job.id, 'failed');
    const rejects = await hub.call('get', `/migration-jobs/${job.id}/rejects`).expect(200);

    expect(failed.error).toMatchObject({ code: 'ROW_REJECTED' });
    expect((rejects.body as { data: object[] }).data).toHaveLength(1);
  });

  it('gives its log without gap or double to a reader that comes back', async () => {
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema() });
    await act(job, 'start').expect(202);
    await hub.waitFor(job.id, 'succeeded');

    const whole = await hub.call('get', `/migration-jobs/${job.id}/events`).expect(200);
    const rest = await hub
      .call('get', `/migration-jobs/${job.id}/events`)
      .set('Last-Event-ID', '5')
      .expect(200);
    const idsOf = (text: string): number[] =>
      [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

    const ids = idsOf(whole.text);
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    expect(idsOf(rest.text)).toEqual(ids.slice(5));
    expect(whole.text.trimEnd()).toMatch(/event: end\ndata: \{\}$/);
  });

  it('cannot be deleted while it is at work, and takes everything along when it is', async () => {
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema(), chunkRows: 100 });
    await act(job, 'start').expect(202);

    const refused = await hub.call('delete', `/migration-jobs/${job.id}`);
    await hub.waitFor(job.id, 'succeeded');
    await hub.call('delete', `/migration-jobs/${job.id}`).expect(204);

    expect(refused.status).toBe(409);
    await hub.call('get', `/migration-jobs/${job.id}`).expect(404, { error: 'Job not found' });
    await hub.call('get', `/migration-jobs/${job.id}/logs`).expect(404, { error: 'Job not found' });
  });
});
