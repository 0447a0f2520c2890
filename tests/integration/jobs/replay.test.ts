import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { MigrationJob } from '../../../src/models/migration-job.ts';
import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { MigrationChunk } from '../../../src/models/migration-chunk.ts';
import { MigrationTable } from '../../../src/models/migration-table.ts';
import { RejectedRow } from '../../../src/models/rejected-row.ts';
import { startTestHub, type JobBody, type TableBody, type TestHub } from '../../helpers/hub.ts';

interface RejectBody {
  readonly id: string;
  readonly table: string;
  readonly key: Record<string, unknown>;
  readonly column: string | null;
  readonly reasonCode: string;
  readonly message: string;
  readonly row: Record<string, unknown>;
  readonly mended: Record<string, unknown> | null;
  readonly replayedAt: string | null;
}

const ROWS = 500;

describe('mending and replaying rejects', () => {
  let folder: string;
  let hub: TestHub;
  let sourceId: string;
  let schemas = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-replay-'));
    const file = path.join(folder, 'source.sqlite');
    const database = new DatabaseSync(file);
    database.exec(`
      CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, n INTEGER NOT NULL);
      CREATE TABLE plain (a TEXT, b INTEGER);
      WITH RECURSIVE i(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM i WHERE id < ${String(ROWS)})
        INSERT INTO notes SELECT id, 'note ' || id, id FROM i;
      UPDATE notes SET body = 'a' || char(0) || id WHERE id IN (3, 250, 499);
      UPDATE notes SET body = replace(hex(zeroblob(40000)), '00', 'xy') || char(0) WHERE id = 400;
      INSERT INTO plain VALUES ('x', 1), ('y' || char(0), 2)`);
    database.close();
    hub = await startTestHub();
    sourceId = await hub.addSource(file);
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  async function migrated(options: object = {}): Promise<{ job: JobBody; schema: string }> {
    schemas += 1;
    const schema = `replay_${String(schemas)}`;
    const created = await hub.createJob(sourceId, {
      targetSchema: schema,
      chunkRows: 100,
      // Rejects are listed in the order in which they were found.
      lanes: 1,
      ...options,
    });
    await hub.call('post', `/migration-jobs/${created.id}/start`).expect(202);
    return { job: await hub.waitFor(created.id, 'succeeded', 'failed'), schema };
  }

  async function rejectsOf({ id }: JobBody, query = ''): Promise<RejectBody[]> {
    const answer = await hub.call('get', `/migration-jobs/${id}/rejects${query}`).expect(200);
    return (answer.body as { data: RejectBody[] }).data;
  }

  async function rejectOf(job: JobBody, id: string): Promise<RejectBody> {
    const found = (await rejectsOf(job)).find(({ key }) => key.id === id);
    if (found === undefined) throw new Error(`no reject of ${id}`);
    return found;
  }

  async function replay({ id }: JobBody, body: object): Promise<JobBody> {
    await hub.call('post', `/migration-jobs/${id}/rejects/replay`, body).expect(202);
    return await hub.waitFor(id, 'succeeded', 'failed', 'cancelled');
  }

  async function tablesOf({ id }: JobBody): Promise<TableBody[]> {
    const answer = await hub.call('get', `/migration-jobs/${id}/tables`).expect(200);
    return (answer.body as { data: TableBody[] }).data;
  }

  it('lands what is mended, keeps what is still bad, and leaves every number true', async () => {
    const { job, schema } = await migrated();
    const [first, second, third] = await Promise.all(
      ['3', '250', '499'].map((id) => rejectOf(job, id)),
    );

    const after = await replay(job, {
      rejects: [
        { id: first?.id, set: { body: 'mended', n: '9007199254740993' } },
        { id: second?.id, set: { id: 4, body: 'another row has this key' } },
        { id: third?.id },
      ],
    });

    expect(after).toMatchObject({
      status: 'succeeded',
      phase: null,
      error: null,
      progress: { rowsCopied: ROWS - 3 + 1 - 1 + 1 - 1 + 1, rowsRejected: 4 },
    });
    expect(
      (await hub.targetClient.query(`SELECT body, n FROM ${schema}.notes WHERE id = 3`)).rows,
    ).toEqual([{ body: 'mended', n: '9007199254740993' }]);
    expect(await rejectOf(job, '3')).toMatchObject({
      replayedAt: expect.any(String) as string,
      mended: {
        body: { type: 'text', value: 'mended' },
        n: { type: 'text', value: '9007199254740993' },
      },
    });
    expect(await rejectOf(job, '250')).toMatchObject({
      replayedAt: null,
      mended: null,
      reasonCode: 'TARGET_REFUSED',
      column: null,
      message: 'duplicate key value violates unique constraint "notes_pkey"',
    });
    expect(await rejectOf(job, '499')).toMatchObject({ replayedAt: null, reasonCode: 'TEXT_NUL' });
    expect((await tablesOf(job))[0]).toMatchObject({
      rowsRead: ROWS,
      rowsCopied: ROWS - 3,
      rowsRejected: 3,
      rowsVerified: ROWS - 3,
      verdict: 'passed',
    });
    const report = await hub.call('get', `/migration-jobs/${job.id}/report`).expect(200);
    expect(report.body).toMatchObject({
      bytes: after.progress.bytesCopied,
      rows: { read: ROWS + 2, copied: ROWS - 2, rejected: 4, replayed: 1, isBalanced: true },
    });
    const logs = await hub.call('get', `/migration-jobs/${job.id}/logs?limit=100`).expect(200);
    expect(JSON.stringify(logs.body)).toContain('Replayed 1 of 3 rows of notes');
    expect(JSON.stringify(logs.body)).not.toContain('another row has this key');
  });

  it('replays all that pass a filter, by other policies, and verifies in every mode', async () => {
    const { job } = await migrated({ verify: 'full' });

    await replay(job, { all: true, table: 'notes', policies: { nulCharacter: 'strip' } });
    const left = await rejectsOf(job, '?replayed=false');
    await replay(job, { all: true, reasonCode: 'TEXT_NUL', policies: { nulCharacter: 'strip' } });
    await hub.call('post', `/migration-jobs/${job.id}/verify`).expect(202);
    const verified = await hub.waitFor(job.id, 'succeeded', 'failed');

    // The value of more than 64 KiB is not kept whole, and has to be given.
    expect(left.map(({ table, key, message }) => [table, key, message])).toEqual([
      ['notes', { id: '400' }, expect.stringContaining('`set`') as string],
      ['plain', { rowid: '2' }, expect.any(String) as string],
    ]);
    expect(verified).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } });
    expect(verified.progress).toMatchObject({ rowsCopied: ROWS + 1, rowsRejected: 1 });
    const adjustments = await hub.call('get', `/migration-jobs/${job.id}/adjustments`).expect(200);
    expect((adjustments.body as { data: object[] }).data).toMatchObject([
      { table: 'notes', column: 'body', rule: 'TEXT_NUL', count: 3 },
      { table: 'plain', column: 'a', rule: 'TEXT_NUL', count: 1 },
    ]);
  });

  it('is harmless when it is asked for again', async () => {
    const { job, schema } = await migrated();
    const { id } = (await rejectsOf(job, '?table=plain'))[0] ?? {};
    const body = { rejects: [{ id, set: { a: 'y' } }] };

    await replay(job, body);
    const after = await replay(job, body);

    expect(after.progress).toMatchObject({ rowsCopied: ROWS - 4 + 2, rowsRejected: 4 });
    const { rows } = await hub.targetClient.query(`SELECT a FROM ${schema}.plain ORDER BY a`);
    expect(rows).toEqual([{ a: 'x' }, { a: 'y' }]);
  });

  it('makes up for a worker that died between the target and the hub', async () => {
    const { job } = await migrated();
    const { id } = await rejectOf(job, '3');
    await replay(job, { rejects: [{ id, set: { body: 'a' } }] });
    // As the hub would be if it had not come to its own transaction.
    await RejectedRow.update({ replayedAt: null, mended: null }, { where: { id } });

    await replay(job, { rejects: [{ id, set: { body: 'b' } }] });

    // What landed is not what was asked for the second time.
    expect(await rejectOf(job, '3')).toMatchObject({
      replayedAt: expect.any(String) as string,
      mended: null,
    });
  });

  it('knows what was mended when it makes up for a worker that died', async () => {
    const { job } = await migrated();
    const { id } = await rejectOf(job, '3');
    const body = { rejects: [{ id, set: { body: 'a' } }] };
    await replay(job, body);
    await RejectedRow.update({ replayedAt: null, mended: null }, { where: { id } });

    await replay(job, body);

    expect(await rejectOf(job, '3')).toMatchObject({
      replayedAt: expect.any(String) as string,
      mended: { body: { type: 'text', value: 'a' } },
    });
  });

  it('takes over what a stopped replay has landed when the job is verified', async () => {
    const { job } = await migrated();
    const { id } = await rejectOf(job, '3');
    await replay(job, { rejects: [{ id, set: { body: 'a' } }] });
    // As the hub would be if it had been stopped before its own transaction.
    await RejectedRow.update({ replayedAt: null, mended: null }, { where: { id } });
    const back = { rowsCopied: -1, rowsRejected: 1 };
    const table = await MigrationTable.findOne({ where: { jobId: job.id, sourceTable: 'notes' } });
    await table?.increment(back);
    await MigrationChunk.increment(back, { where: { tableId: table?.id, number: 1 } });

    await hub.call('post', `/migration-jobs/${job.id}/verify`).expect(202);
    await hub.waitFor(job.id, 'succeeded', 'failed');

    const answer = await hub.call('get', `/migration-jobs/${job.id}/certificate`).expect(200);
    expect(answer.body).toMatchObject({
      certificate: { tables: [{ rowsCopied: ROWS - 3, rowsRejected: 3, rowsReplayed: 1 }, {}] },
    });
  });

  it('withdraws the certificate, which a new verification gives anew', async () => {
    const { job } = await migrated();
    await hub.call('get', `/migration-jobs/${job.id}/certificate`).expect(200);
    const { id } = await rejectOf(job, '3');

    await replay(job, { rejects: [{ id, set: { body: 'a' } }] });

    await hub.call('get', `/migration-jobs/${job.id}/certificate`).expect(404);
    await hub.call('post', `/migration-jobs/${job.id}/verify`).expect(202);
    expect(await hub.waitFor(job.id, 'succeeded', 'failed')).toMatchObject({ status: 'succeeded' });
    await hub.call('get', `/migration-jobs/${job.id}/certificate`).expect(200);
  });

  it('gives a failed job its error and phase back', async () => {
    const { job, schema } = await migrated();
    await hub.targetClient.query(`UPDATE ${schema}.notes SET body = 'changed' WHERE id = 7`);
    await hub.call('post', `/migration-jobs/${job.id}/verify`).expect(202);
    const failed = await hub.waitFor(job.id, 'failed');
    const { id } = await rejectOf(job, '3');

    const after = await replay(job, { rejects: [{ id, set: { body: 'a' } }] });

    expect(after).toMatchObject({ status: 'failed', error: failed.error, phase: 'verify' });
    expect(await rejectOf(job, '3')).toMatchObject({ replayedAt: expect.any(String) as string });
  });

  it('fails for what is no row’s fault, and goes on when it is retried', async () => {
    const { job, schema } = await migrated();
    const { id } = await rejectOf(job, '3');
    await hub.targetClient.query(`ALTER TABLE ${schema}.notes RENAME TO elsewhere`);

    const failed = await replay(job, { rejects: [{ id, set: { body: 'a' } }] });
    await hub.targetClient.query(`ALTER TABLE ${schema}.elsewhere RENAME TO notes`);
    await hub.call('post', `/migration-jobs/${job.id}/retry`).expect(202);
    const after = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(failed).toMatchObject({ status: 'failed', error: { code: 'TARGET_OBJECT_MISSING' } });
    expect(after).toMatchObject({ status: 'succeeded', error: null });
    expect(await rejectOf(job, '3')).toMatchObject({ replayedAt: expect.any(String) as string });
  });

  it('is refused before everything is copied, and while the job runs', async () => {
    const draft = await hub.createJob(sourceId, { targetSchema: 'replay_draft' });

    await hub
      .call('post', `/migration-jobs/${draft.id}/rejects/replay`, { all: true })
      .expect(409, {
        error:
          'Job is draft: it cannot replay rejects before it has ended and everything is copied',
      });
    const { job } = await migrated();
    await MigrationJob.update({ status: 'paused' }, { where: { id: job.id } });
    await hub.call('post', `/migration-jobs/${job.id}/rejects/replay`, { all: true }).expect(409);
  });

  it('can be left by starting the job again, with every number as it is', async () => {
    const { job, schema } = await migrated();
    await replay(job, { rejects: [{ id: (await rejectOf(job, '3')).id, set: { body: 'a' } }] });
    await hub.targetClient.query(`ALTER TABLE ${schema}.notes RENAME TO elsewhere`);
    const failed = await replay(job, {
      rejects: [{ id: (await rejectOf(job, '250')).id, set: { body: 'a' } }],
    });
    await hub.targetClient.query(`ALTER TABLE ${schema}.elsewhere RENAME TO notes`);

    await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
    const after = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(failed.status).toBe('failed');
    expect(after).toMatchObject({
      status: 'succeeded',
      verification: { status: 'passed' },
      progress: { rowsCopied: ROWS - 4 + 1 + 1, rowsRejected: 4 },
    });
  });

  it('says at once what is wrong with a row, by its place in the request', async () => {
    const { job } = await migrated();
    const [cut, other] = [await rejectOf(job, '400'), await rejectOf(job, '3')];

    const answer = await hub.call('post', `/migration-jobs/${job.id}/rejects/replay`, {
      rejects: [
        { id: cut.id },
        { id: other.id, set: { nothing: 1 } },
        { id: '0191a5b4-0000-7000-8000-000000000000' },
      ],
    });

    expect([answer.status, answer.body]).toEqual([
      400,
      {
        error: 'The reject does not hold this value whole: give it',
        field: 'rejects[0].set.body',
        errors: [
          {
            error: 'The reject does not hold this value whole: give it',
            field: 'rejects[0].set.body',
          },
          { error: 'There is no such column', field: 'rejects[1].set.nothing' },
          { error: 'This job has no such reject', field: 'rejects[2].id' },
        ],
      },
    ]);
  });

  it.each([
    [{}, 'rejects'],
    [{ all: true, rejects: [{ id: '0191a5b4-0000-7000-8000-000000000000' }] }, 'rejects'],
    [{ all: false }, 'all'],
    [{ rejects: [] }, 'rejects'],
    [{ rejects: [{ id: 'x' }] }, 'rejects'],
    [{ rejects: [{ id: '0191a5b4-0000-7000-8000-000000000000', sets: {} }] }, 'rejects'],
    [{ rejects: [{ id: '0191a5b4-0000-7000-8000-000000000000', set: { a: [] } }] }, 'rejects'],
    [{ rejects: [{ id: '0191a5b4-0000-7000-8000-000000000000', set: { a: 2 ** 53 } }] }, 'rejects'],
    [
      {
        rejects: [
          { id: '0191a5b4-0000-7000-8000-000000000000' },
          { id: '0191a5b4-0000-7000-8000-000000000000' },
        ],
      },
      'rejects',
    ],
    [{ rejects: [{ id: '0191a5b4-0000-7000-8000-000000000000' }], table: 'notes' }, 'table'],
    [{ all: true, policies: { nulCharacter: 'drop' } }, 'policies.nulCharacter'],
  ])('refuses %j', async (body, field) => {
    const draft = await hub.createJob(sourceId, { targetSchema: 'replay_draft' });

    const answer = await hub.call('post', `/migration-jobs/${draft.id}/rejects/replay`, body);

    expect([answer.status, (answer.body as { field?: string }).field]).toEqual([400, field]);
  });

  it('is written down with ids and columns, but without values', async () => {
    const { job } = await migrated();
    const { id } = await rejectOf(job, '3');
    await replay(job, {
      rejects: [{ id, set: { body: 'a secret' } }],
      policies: { zeroDate: 'null' },
    });

    const audit = await AuditTrail.findAll({
      where: { action: 'job.rejects.replay', entityId: job.id },
    });

    expect(audit.map(({ actor, detail }) => [actor, detail])).toEqual([
      [
        hub.admin.user.username,
        { rows: 1, rejects: [{ id, columns: ['body'] }], policies: { zeroDate: 'null' } },
      ],
    ]);
  });

  it('ends with the job when it is rolled back', async () => {
    const { job } = await migrated();
    const { id } = await rejectOf(job, '3');
    await replay(job, { rejects: [{ id, set: { body: 'a' } }] });

    await hub.call('post', `/migration-jobs/${job.id}/rollback`).expect(202);
    await hub.waitFor(job.id, 'rolled_back', 'failed');

    const { rows } = await hub.targetClient.query(
      'SELECT count(*)::int AS rows FROM migration_hub.ledger_replay WHERE job_id = $1',
      [job.id],
    );
    expect(rows).toEqual([{ rows: 0 }]);
  });

  describe('reading them', () => {
    let job: JobBody;

    beforeAll(async () => {
      ({ job } = await migrated());
      await replay(job, { rejects: [{ id: (await rejectOf(job, '3')).id, set: { body: 'a' } }] });
    }, 30_000);

    it.each([
      ['', ['3', '250', '400', '499', undefined]],
      ['?replayed=true', ['3']],
      ['?replayed=false', ['250', '400', '499', undefined]],
      ['?column=a', [undefined]],
      ['?column=body&replayed=false&table=notes', ['250', '400', '499']],
      ['?reasonCode=OUT_OF_RANGE', []],
    ])('lists and exports those that %j asks for', async (query, ids) => {
      const listed = await rejectsOf(job, query);
      const exported = await hub
        .call('get', `/migration-jobs/${job.id}/rejects/export${query}`)
        .buffer(true)
        .parse((response, done) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => done(null, text));
        })
        .expect(200);

      expect(listed.map(({ key }) => key.id)).toEqual(ids);
      const lines = String(exported.body).split('\n').slice(0, -1);
      expect(lines.map((line) => JSON.parse(line) as RejectBody)).toEqual(listed);
      expect(exported.headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename=rejects-${job.id}.ndjson`,
      });
    });

    it('pages through them with a cursor, which goes with its filter only', async () => {
      const found: unknown[] = [];
      let query = '?limit=2&column=body';
      for (;;) {
        const answer = await hub
          .call('get', `/migration-jobs/${job.id}/rejects${query}`)
          .expect(200);
        const page = answer.body as { data: RejectBody[]; nextCursor: string | null };
        found.push(...page.data.map(({ key }) => key.id));
        if (page.nextCursor === null) break;
        const other = `/migration-jobs/${job.id}/rejects?column=a&cursor=${page.nextCursor}`;
        await hub.call('get', other).expect(400);
        query = `?limit=2&column=body&cursor=${page.nextCursor}`;
      }

      expect(found).toEqual(['3', '250', '400', '499']);
    });

    it.each(['replayed=yes', 'reasonCode=NONE', 'limit=0'])('refuses %s', async (query) => {
      await hub.call('get', `/migration-jobs/${job.id}/rejects?${query}`).expect(400);
    });
  });
});
