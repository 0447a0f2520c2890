import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { randomBytes, randomUUID } from 'node:crypto';
import { startTestHub, type JobBody, type TestHub } from '../../helpers/hub.ts';

describe('bad input', () => {
  let folder: string;
  let hub: TestHub;
  let goodSource: string;
  let files = 0;

  function buildFile(sql: string): string {
    files += 1;
    const file = path.join(folder, `file-${String(files)}.sqlite`);
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
    return file;
  }

  async function connectionOptions(id: string): Promise<Record<string, unknown>> {
    const answer = await hub.call('get', `/connections/${id}`).expect(200);
    return (answer.body as { options: Record<string, unknown> }).options;
  }

  /** Where a registered source lies. */
  async function storedPath(sourceId: string): Promise<string> {
    const { path: name } = await connectionOptions(sourceId);
    return path.join(hub.api.dataDir, 'sources', String(name));
  }

  async function run(sourceId: string, options: object = {}): Promise<JobBody> {
    const schema = `bad_${randomBytes(4).toString('hex')}`;
    const job = await hub.createJob(sourceId, { targetSchema: schema, ...options });
    await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
    return await hub.waitFor(job.id, 'succeeded', 'failed');
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-bad-'));
    hub = await startTestHub();
    goodSource = await hub.addSource(
      buildFile(
        `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')`,
      ),
    );
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  describe('in a request', () => {
    it.each([
      [{ targetSchema: 'pg_catalog' }, 'options.targetSchema'],
      [{ targetSchema: 'x'.repeat(64) }, 'options.targetSchema'],
      [{ targetSchema: 5 }, 'options.targetSchema'],
      [{ identifiers: 'UPPER' }, 'options.identifiers'],
      [{ onExisting: ['fail'] }, 'options.onExisting'],
      [{ include: 'all' }, 'options.include'],
      [{ include: [1] }, 'options.include'],
      [{ exclude: [''] }, 'options.exclude'],
      [{ rename: ['a'] }, 'options.rename'],
      [{ rename: { a: '' } }, 'options.rename'],
      [{ chunkRows: 0 }, 'options.chunkRows'],
      [{ chunkRows: '1000' }, 'options.chunkRows'],
      [{ lanes: 17 }, 'options.lanes'],
      [{ lanes: 1.5 }, 'options.lanes'],
      [{ maxRejectedRows: -1 }, 'options.maxRejectedRows'],
      [{ verify: true }, 'options.verify'],
      [{ policies: { emptyDate: 'drop' } }, 'options.policies.emptyDate'],
      [{ policies: { unknown: 'null' } }, 'options.policies.unknown'],
      [{ policies: { toString: 'null' } }, 'options.policies.toString'],
      [{ policies: null }, 'options.policies'],
      [{ policies: 'strict' }, 'options.policies'],
      [{ policies: [] }, 'options.policies'],
      [{ valueOf: 1 }, 'options.valueOf'],
      [{ casts: [] }, 'options.casts'],
      [{ unknown: {} }, 'options.unknown'],
    ])('options %j are refused, and %s is named', async (options, field) => {
      const body = { name: 'x', sourceId: goodSource, targetId: hub.targetId, options };

      const answer = await hub.call('post', '/migration-jobs', body);

      expect([answer.status, (answer.body as { field: string }).field]).toEqual([400, field]);
      expect(answer.headers['x-error-code']).toBe('VALIDATION_FAILED');
    });

    it('a connection that does not exist is named', async () => {
      const body = { name: 'x', sourceId: randomUUID(), targetId: hub.targetId };

      await hub
        .call('post', '/migration-jobs', body)
        .expect(404, { error: 'Connection not found', field: 'sourceId' });
    });

    it('ends that are swapped are refused', async () => {
      const body = { name: 'x', sourceId: hub.targetId, targetId: goodSource };

      const answer = await hub.call('post', '/migration-jobs', body);

      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({
        error: 'A sqlite connection cannot be a target',
        field: 'targetId',
      });
    });

    it('a change without If-Match, or of an older version, is refused (H12)', async () => {
      const { id } = await hub.createJob(goodSource);
      const change = { name: 'new name' };

      await hub.call('patch', `/migration-jobs/${id}`, change).expect(428);
      await hub.call('patch', `/migration-jobs/${id}`, change).set('If-Match', '"7"').expect(412);
      await hub.call('patch', `/migration-jobs/${id}`, change).set('If-Match', 'W/"1"').expect(412);
      const both = await Promise.all([
        hub.call('patch', `/migration-jobs/${id}`, { name: 'one' }).set('If-Match', '"1"'),
        hub.call('patch', `/migration-jobs/${id}`, { name: 'two' }).set('If-Match', '"1"'),
      ]);

      expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    });

    it('fields that a client must not set are refused, and the job stays as it is (F4)', async () => {
      const { id } = await hub.createJob(goodSource);

      const answer = await hub
        .call('patch', `/migration-jobs/${id}`, {
          name: 'x',
          status: 'succeeded',
          createdBy: randomUUID(),
        })
        .set('If-Match', '"1"');
      const job = await hub.call('get', `/migration-jobs/${id}`);

      expect(answer.status).toBe(400);
      expect(job.body).toMatchObject({ name: 'a job', status: 'draft', version: 1 });
    });

    it('an id that is none gives 400, an unknown one 404', async () => {
      for (const resource of [
        '',
        '/plan',
        '/tables',
        '/logs',
        '/rejects',
        '/adjustments',
        '/report',
        '/events',
      ]) {
        await hub.call('get', `/migration-jobs/abc${resource}`).expect(400);
        await hub
          .call('get', `/migration-jobs/${randomUUID()}${resource}`)
          .expect(404, { error: 'Job not found' });
      }
      await hub
        .call('post', `/migration-jobs/${randomUUID()}/start`)
        .expect(404, { error: 'Job not found' });
    });

    it.each(['x', '-1', '1e3', '01'])('Last-Event-ID %s is refused', async (id) => {
      const job = await hub.createJob(goodSource);

      const answer = await hub
        .call('get', `/migration-jobs/${job.id}/events`)
        .set('Last-Event-ID', id);

      expect([answer.status, (answer.body as { field: string }).field]).toEqual([
        400,
        'Last-Event-ID',
      ]);
    });
  });

  describe('in a source', () => {
    it.each([
      [
        'a file that is no database',
        'SOURCE_NOT_SQLITE',
        (file: string) => writeFile(file, 'id,name\n1,a\n'.repeat(500)),
      ],
      [
        'an encrypted file',
        'SOURCE_NOT_SQLITE',
        (file: string) => writeFile(file, randomBytes(8192)),
      ],
      ['an empty file', 'SOURCE_FILE_EMPTY', (file: string) => writeFile(file, '')],
      ['a truncated file', 'SOURCE_DAMAGED', (file: string) => truncate(file, 9000)],
    ])('%s fails the job with %s', async (_, code, damage) => {
      const file = buildFile(
        `CREATE TABLE t (v TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT 'row ' || i FROM n`,
      );
      await damage(file);

      const job = await run(await hub.addSource(file));

      expect(job).toMatchObject({ status: 'failed', error: { code } });
    });

    it('no table at all fails the job', async () => {
      const job = await run(await hub.addSource(buildFile('CREATE TABLE t (v); DROP TABLE t')));

      expect(job.error).toEqual({
        code: 'SOURCE_WITHOUT_TABLES',
        error: 'The source has no table to move',
        recovery: 'fatal',
      });
    });

    it('a file that has gone fails the job, and the job can be retried when it is back', async () => {
      const file = buildFile('CREATE TABLE t (v TEXT); INSERT INTO t VALUES (1)');
      const sourceId = await hub.addSource(file);
      const stored = await storedPath(sourceId);
      await rm(stored);

      const failed = await run(sourceId);
      const database = new DatabaseSync(stored);
      database.exec('CREATE TABLE t (v TEXT); INSERT INTO t VALUES (1)');
      database.close();
      await hub.call('post', `/migration-jobs/${failed.id}/retry`).expect(202);
      const ended = await hub.waitFor(failed.id, 'succeeded', 'failed');

      expect(failed.error?.code).toBe('SOURCE_FILE_MISSING');
      expect(ended.status).toBe('succeeded');
    });

    it('tables named by reserved words, with quotes and emoji, arrive', async () => {
      const job = await run(
        await hub.addSource(
          buildFile(`CREATE TABLE "select" ("from" TEXT, "a""b" TEXT, "🚲" INT); INSERT INTO "select" VALUES ('x', 'y', 1);
                     CREATE TABLE "drop table x; --" ("'" TEXT); CREATE TABLE "constructor" ("__proto__" TEXT, "constructor" INT);
                     INSERT INTO "constructor" VALUES ('p', 1)`),
        ),
        { verify: 'full' },
      );

      expect(job).toMatchObject({
        status: 'succeeded',
        verification: { status: 'passed' },
        progress: { rowsCopied: 2 },
      });
    });

    it('300 columns arrive', async () => {
      const columns = Array.from({ length: 300 }, (_, index) => `c${String(index)}`);
      const file = buildFile(
        `CREATE TABLE wide (${columns.map((name) => `${name} TEXT`).join(', ')});
         INSERT INTO wide VALUES (${columns.map((name) => `'${name}'`).join(', ')})`,
      );

      const job = await run(await hub.addSource(file), { verify: 'full' });

      expect(job).toMatchObject({ status: 'succeeded', progress: { rowsCopied: 1 } });
    });

    it('a value of 50 MB arrives, as text and as bytes', async () => {
      const file = buildFile('CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT, b BLOB)');
      const database = new DatabaseSync(file);
      database
        .prepare('INSERT INTO big VALUES (1, ?, ?)')
        .run('x'.repeat(50_000_000), randomBytes(50_000_000));
      database.close();

      const job = await run(await hub.addSource(file), { targetSchema: 'bad_big' });

      expect(job).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } });
      const { rows } = await hub.targetClient.query(
        'SELECT length(t) AS t, length(b) AS b FROM bad_big.big',
      );
      expect(rows).toEqual([{ t: 50_000_000, b: 50_000_000 }]);
    }, 60_000);

    it('a schema that has changed since it was planned is not migrated by the old plan', async () => {
      const file = buildFile(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 1)',
      );
      const sourceId = await hub.addSource(file);
      const job = await hub.createJob(sourceId, { targetSchema: 'bad_changed' });
      await hub.call('post', `/migration-jobs/${job.id}/plan`).expect(202);
      await hub.waitFor(job.id, 'draft');
      const stored = await storedPath(sourceId);
      const database = new DatabaseSync(stored);
      database.exec('ALTER TABLE t ADD COLUMN w TEXT');
      database.close();

      await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
      const failed = await hub.waitFor(job.id, 'failed', 'succeeded');
      await hub.call('post', `/migration-jobs/${job.id}/plan`).expect(202);
      await hub.waitFor(job.id, 'draft');
      await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
      const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

      expect(failed.error?.code).toBe('SOURCE_CHANGED');
      expect(ended.status).toBe('succeeded');
    });
  });

  describe('in a target', () => {
    async function runAgainst(options: object): Promise<JobBody> {
      const good = await connectionOptions(hub.targetId);
      const password = new URL(hub.target.url).password;
      const created = await hub
        .call('post', '/connections', {
          name: randomUUID(),
          kind: 'postgres',
          options: { ...good, password: decodeURIComponent(password), ...options },
        })
        .expect(201);
      const job = await hub.call('post', '/migration-jobs', {
        name: 'x',
        sourceId: goodSource,
        targetId: (created.body as { id: string }).id,
        options: { targetSchema: 'bad_target' },
      });
      const { id } = job.body as JobBody;
      await hub.call('post', `/migration-jobs/${id}/start`).expect(202);
      return await hub.waitFor(id, 'succeeded', 'failed');
    }

    it('a wrong password, an unknown database and an unreachable port are each named', async () => {
      expect(await runAgainst({ password: 'wrong' })).toMatchObject({
        status: 'failed',
        error: { code: 'TARGET_AUTHENTICATION_FAILED', field: 'options.password' },
      });
      expect(await runAgainst({ database: 'no_such_database' })).toMatchObject({
        error: { code: 'TARGET_DATABASE_MISSING', field: 'options.database' },
      });
      expect(await runAgainst({ port: 1 })).toMatchObject({
        error: { code: 'TARGET_UNREACHABLE', field: 'options.host' },
      });
    });

    it('that is read-only is not taken for one that works', async () => {
      await hub.targetClient.query(
        `ALTER DATABASE ${hub.target.name} SET default_transaction_read_only = on`,
      );
      try {
        expect((await run(goodSource)).error).toMatchObject({
          code: 'TARGET_READ_ONLY',
          error: 'The target is read-only',
        });
      } finally {
        await hub.targetClient.query('SET default_transaction_read_only = off');
        await hub.targetClient.query(
          `ALTER DATABASE ${hub.target.name} RESET default_transaction_read_only`,
        );
      }
    });
  });
});
