import { mkdir, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { Connection } from '../../../src/models/connection.ts';
import { MigrationJob } from '../../../src/models/migration-job.ts';
import { MigrationTable } from '../../../src/models/migration-table.ts';
import type { JobStatus, TablePhase } from '../../../src/models/vocabulary.ts';
import { getConnection, locateTarget } from '../../../src/services/connection-locations.ts';
import { sourcesFolder } from '../../../src/services/source-folder.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/connections';
const CANARY = 'canary-password-of-a-target';

describe('/api/v1/connections', () => {
  let api: TestApi;
  let operator: TestUser;
  let names = 0;

  const post = (body: object) => api.client.post(PATH).set(operator.headers).send(body);
  const uniqueName = () => `connection ${String((names += 1))}`;
  const targetOptions = (change: object = {}) => {
    const { hostname, port, username, password } = new URL(api.database.url);
    return {
      host: hostname,
      port: Number(port),
      database: api.database.name,
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      ...change,
    };
  };
  const createTarget = async (change: object = {}) => {
    const body = { name: uniqueName(), kind: 'postgres', options: targetOptions(change) };
    const response = await post(body).expect(201);
    return response.body as { id: string; version: number; name: string };
  };
  const createSource = async (file: string) => {
    const body = { name: uniqueName(), kind: 'sqlite', options: { path: file } };
    const response = await post(body).expect(201);
    return response.body as { id: string; version: number };
  };
  const test = (id: string) => api.client.post(`${PATH}/${id}/test`).set(operator.headers);

  beforeAll(async () => {
    api = await startTestApi({ settings: { connectionHostsAllowed: ['127.0.0.1'] } });
    operator = await buildUser(api, 'operator');
    const folder = sourcesFolder(api.dataDir);
    await mkdir(path.join(folder, 'legacy'), { recursive: true });
    const database = new DatabaseSync(path.join(folder, 'legacy', 'shop.db'));
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL NOT NULL)');
    database.close();
    await writeFile(path.join(folder, 'notes.db'), 'not a database at all');
    await writeFile(path.join(api.dataDir, 'secrets.json'), '{}');
    await symlink(path.join(api.dataDir, 'secrets.json'), path.join(folder, 'link.db'));
  });

  afterAll(async () => {
    await api.close();
  });

  it('registers a target and never shows its password again', async () => {
    const body = {
      name: uniqueName(),
      kind: 'postgres',
      options: targetOptions({ password: CANARY }),
    };

    const response = await post(body);

    expect(response.status).toBe(201);
    expect(response.headers.etag).toBe('"1"');
    const { id } = response.body as { id: string };
    expect(response.headers.location).toBe(`${PATH}/${id}`);
    expect(response.body).toEqual({
      id,
      name: body.name,
      kind: 'postgres',
      options: {
        host: body.options.host,
        port: body.options.port,
        database: body.options.database,
        user: body.options.user,
        ssl: 'disable',
      },
      createdBy: operator.user.id,
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
      version: 1,
    });
    const stored = await getConnection(id);
    expect(JSON.stringify(stored.get())).not.toContain(CANARY);
    expect(stored.secretCiphertext?.includes(CANARY)).toBe(false);
    expect(await locateTarget(api.hub, stored)).toMatchObject({ password: CANARY });
  });

  it('K1: leaves the password in no log line and no audit row', async () => {
    await post({
      name: uniqueName(),
      kind: 'postgres',
      options: targetOptions({ password: CANARY }),
    });
    const { id } = await createTarget({ password: CANARY });
    await test(id);

    const rows = await AuditTrail.findAll();
    expect(JSON.stringify(rows.map((row) => row.get()))).not.toContain(CANARY);
    expect(api.logLines.join('')).not.toContain(CANARY);
  });

  it.each([
    ['options.host', { host: ['a', 'b'] }],
    ['options.host', { host: 'a/b' }],
    ['options.port', { port: '5432' }],
    ['options.port', { port: 0 }],
    ['options.port', { port: 65_536 }],
    ['options.port', { port: 1.5 }],
    ['options.password', { password: { toString: 1 } }],
    ['options.ssl', { ssl: 'prefer' }],
    ['options.connectionString', { connectionString: 'postgres://x' }],
    ['options.sslrootcert', { sslrootcert: '/etc/passwd' }],
  ])('J4: refuses %s', async (field, change) => {
    const response = await post({
      name: uniqueName(),
      kind: 'postgres',
      options: targetOptions(change),
    });

    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ field });
  });

  it.each([
    ['kind', { kind: 'oracle' }],
    ['kind', { kind: ['sqlite'] }],
    ['kind', { kind: 'constructor' }],
    ['options', { options: [] }],
    ['options', { options: undefined }],
    ['name', { name: '' }],
    ['name', { name: 'line\nbreak' }],
    ['name', { name: 'n'.repeat(101) }],
    ['options.host', { 'options.host': 'x' }],
  ])('refuses a body whose %s is wrong', async (field, change) => {
    const body = { name: uniqueName(), kind: 'postgres', options: targetOptions(), ...change };

    const response = await post(body);

    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ field });
  });

  it('G12: counts the characters of a name, not its bytes', async () => {
    const response = await post({
      name: '🚚'.repeat(100),
      kind: 'sqlite',
      options: { path: 'legacy/shop.db' },
    });

    expect(response.status).toBe(201);
  });

  it.each(['169.254.169.254', '0x7f.1', '2130706433', '::ffff:a9fe:a9fe'])(
    'J1: refuses to reach %s',
    async (host) => {
      const options = targetOptions({ host });

      const response = await post({ name: uniqueName(), kind: 'postgres', options });

      expect(response.status).toBe(400);
      expect(response.body).toEqual({ error: 'Host is not allowed', field: 'options.host' });
    },
  );

  it.each([
    '../secrets.json',
    '/etc/passwd',
    'legacy/../../secrets.json',
    'C:\\secrets',
    '..\\secrets.json',
    './legacy/shop.db',
    'legacy//shop.db',
    'link.db',
  ])('refuses the path %s', async (file) => {
    const response = await post({ name: uniqueName(), kind: 'sqlite', options: { path: file } });

    expect(response.status).toBe(400);
    expect(response.headers['x-error-code']).toBe('PATH_OUTSIDE_DATA_FOLDER');
    expect(response.body).toMatchObject({ field: 'options.path' });
  });

  it('wants either a file id or a path, and a file that is there', async () => {
    const id = '0191a5b4-0000-7000-8000-000000000000';
    const both = { sourceFileId: id, path: 'a.db' };

    for (const options of [{}, both]) {
      const response = await post({ name: uniqueName(), kind: 'sqlite', options }).expect(400);
      expect(response.body).toMatchObject({ field: 'options' });
    }
    const unknown = await post({
      name: uniqueName(),
      kind: 'sqlite',
      options: { sourceFileId: id },
    });
    expect(unknown.status).toBe(400);
    expect(unknown.body).toMatchObject({ field: 'options.sourceFileId' });
  });

  it('answers 409 with the field for a name that is taken', async () => {
    const { name } = await createTarget();

    const response = await post({ name, kind: 'postgres', options: targetOptions() });

    expect(response.status).toBe(409);
    expect(response.body).toEqual({
      error: 'Connection with this name exists already',
      field: 'name',
    });
  });

  it('F1: answers 404 for a random id and 400 for what is no id', async () => {
    const unknown = await api.client
      .get(`${PATH}/0191a5b4-0000-7000-8000-000000000000`)
      .set(operator.headers);
    const invalid = await api.client.get(`${PATH}/abc`).set(operator.headers);

    expect(unknown.status).toBe(404);
    expect(unknown.body).toEqual({ error: 'Connection not found' });
    expect(invalid.status).toBe(400);
    expect(invalid.body).toEqual({ error: 'Not a valid id', field: 'id' });
  });

  describe('test', () => {
    it('tells the version of a target', async () => {
      const { id } = await createTarget();

      const response = await test(id);

      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        ok: true,
        version: expect.stringMatching(/^PostgreSQL \d/) as string,
        latencyMs: expect.any(Number) as number,
      });
    });

    it('tells the version of a source', async () => {
      const { id } = await createSource('legacy/shop.db');

      const response = await test(id);

      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({
        ok: true,
        version: expect.stringMatching(/^SQLite/) as string,
      });
    });

    it.each([
      [422, 'TARGET_AUTHENTICATION_FAILED', { password: 'wrong' }, 'options.password'],
      [422, 'TARGET_DATABASE_MISSING', { database: 'nothing_here' }, 'options.database'],
      [502, 'TARGET_UNREACHABLE', { port: 1 }, 'options.host'],
    ])('answers %i %s', async (status, code, change, field) => {
      const { id } = await createTarget(change);

      const response = await test(id);

      expect(response.status).toBe(status);
      expect(response.headers['x-error-code']).toBe(code);
      expect(response.body).toMatchObject({ field });
    });

    it('says of a PostgreSQL that it takes no writes, which is enough for a source', async () => {
      const { name } = api.database;
      await api.sequelize.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      const { id } = await createTarget();

      const response = await test(id);

      await api.sequelize.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ ok: true, readOnly: true });
    });

    it.each([
      ['SOURCE_FILE_MISSING', 'legacy/not-yet.db'],
      ['SOURCE_NOT_SQLITE', 'notes.db'],
    ])('answers 422 %s for %s', async (code, file) => {
      const { id } = await createSource(file);

      const response = await test(id);

      expect(response.status).toBe(422);
      expect(response.headers['x-error-code']).toBe(code);
    });

    it('J7: gives up on a server that accepts and never answers', async () => {
      const sockets: net.Socket[] = [];
      const silent = net.createServer((socket) => sockets.push(socket.resume()));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as net.AddressInfo;
      const { id } = await createTarget({ port });

      const response = await test(id);

      expect(response.status).toBe(502);
      expect(response.body).toMatchObject({
        error: 'The target cannot be reached: no answer in time',
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(sockets.every((socket) => socket.readableEnded || socket.destroyed)).toBe(true);
      sockets.forEach((socket) => socket.destroy());
      silent.close();
    }, 20_000);

    it('L1: is written down, also when it fails', async () => {
      const { id } = await createTarget({ password: 'wrong' });
      await test(id);

      const rows = await AuditTrail.findAll({ where: { action: 'connection.test', entityId: id } });

      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        outcome: 'failure',
        actor: operator.user.username,
        detail: { failure: 'TARGET_AUTHENTICATION_FAILED' },
      });
    });
  });

  describe('catalog', () => {
    it('shows what a source holds', async () => {
      const { id } = await createSource('legacy/shop.db');

      const response = await api.client.get(`${PATH}/${id}/catalog`).set(operator.headers);

      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({
        kind: 'sqlite',
        tables: [{ name: 'orders', columns: [{ name: 'id' }, { name: 'total', nullable: false }] }],
      });
    });

    it('is that of the schema, where the connection is a PostgreSQL', async () => {
      const { id } = await createTarget();

      const response = await api.client.get(`${PATH}/${id}/catalog`).set(operator.headers);

      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ kind: 'postgres', tables: [] });
    });
  });

  describe('PATCH', () => {
    const patch = (id: string, version: string | null, body: object) => {
      const request = api.client.patch(`${PATH}/${id}`).set(operator.headers);
      return (version === null ? request : request.set('If-Match', version)).send(body);
    };

    it('H12: wants to know which state the client has read', async () => {
      const { id } = await createTarget();

      const statuses = [
        (await patch(id, null, { name: uniqueName() })).status,
        (await patch(id, '"7"', { name: uniqueName() })).status,
        (await patch(id, 'W/"1"', { name: uniqueName() })).status,
        (await patch(id, 'nonsense', { name: uniqueName() })).status,
        (await patch(id, '*', { name: uniqueName() })).status,
        (await patch(id, '"1"', { name: uniqueName() })).status,
      ];

      expect(statuses).toEqual([428, 412, 412, 412, 200, 412]);
    });

    it('H12: lets one of two at the same time win', async () => {
      const { id } = await createTarget();

      const answers = await Promise.all([
        patch(id, '"1"', { name: uniqueName() }),
        patch(id, '"1"', { name: uniqueName() }),
      ]);

      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
      expect((await getConnection(id)).version).toBe(2);
    });

    it('changes one option and keeps the others and the password', async () => {
      const { id } = await createTarget({ password: CANARY });

      const response = await patch(id, '"1"', { options: { database: 'other' } });

      expect(response.status).toBe(200);
      expect(response.headers.etag).toBe('"2"');
      expect(await locateTarget(api.hub, await getConnection(id))).toMatchObject({
        database: 'other',
        host: '127.0.0.1',
        password: CANARY,
      });
    });

    it('does not send a password that is kept to another server', async () => {
      const { id } = await createTarget({ password: CANARY });

      const refused = await patch(id, '"1"', { options: { host: '93.184.215.14' } });
      const accepted = await patch(id, '"1"', {
        options: { host: '93.184.215.14', password: 'another' },
      });

      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({ field: 'options.password' });
      expect(accepted.status).toBe(200);
    });

    /** A job that has made one table, unless it has not come that far. */
    const useIn = async (
      status: JobStatus,
      ends: { sourceId: string; targetId: string },
      phase: TablePhase = 'create',
    ) => {
      const job = await MigrationJob.create({ name: 'job', status, ...ends });
      await MigrationTable.create({
        jobId: job.id,
        position: 0,
        sourceTable: 'orders',
        targetSchema: 'public',
        targetTable: 'orders',
        phase,
      });
      return job;
    };

    it.each(['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const)(
      'leads nowhere else while a job of it is %s',
      async (status) => {
        const [source, target] = [await createSource('legacy/shop.db'), await createTarget()];
        await useIn(status, { sourceId: source.id, targetId: target.id });

        const answers = [
          await patch(source.id, '*', { options: { path: 'legacy/other.db' } }),
          await patch(target.id, '*', { options: targetOptions({ host: '93.184.215.14' }) }),
          await patch(target.id, '*', { options: targetOptions({ port: 1 }) }),
          await patch(target.id, '*', { options: targetOptions({ database: 'other' }) }),
        ];

        expect(answers.map(({ status: code, headers }) => [code, headers['x-error-code']])).toEqual(
          answers.map(() => [409, 'IN_USE']),
        );
        expect(answers.map(({ body }) => (body as { field: string }).field)).toEqual([
          'options.path',
          'options.host',
          'options.port',
          'options.database',
        ]);
        expect((await getConnection(target.id)).version).toBe(1);
      },
    );

    it('keeps name and way in changeable under a job, and all of it under a draft', async () => {
      const [source, target] = [await createSource('legacy/shop.db'), await createTarget()];
      const job = await useIn('running', { sourceId: source.id, targetId: target.id });
      const sameWay = targetOptions({ user: 'another', password: 'another', ssl: 'require' });

      const underRunning = [
        await patch(source.id, '*', { name: uniqueName(), options: { path: 'legacy/shop.db' } }),
        await patch(target.id, '*', { name: uniqueName(), options: sameWay }),
      ];
      await job.update({ status: 'rolled_back' });
      const underRolledBack = await patch(target.id, '*', { options: { database: 'other' } });
      await job.update({ status: 'draft' });
      const underDraft = await patch(source.id, '*', { options: { path: 'legacy/other.db' } });

      const answers = [...underRunning, underRolledBack, underDraft];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });

    it('can be corrected after a job that failed before it made a table', async () => {
      const [source, target] = [await createSource('legacy/shop.db'), await createTarget()];
      await useIn('failed', { sourceId: source.id, targetId: target.id }, 'pending');

      const answer = await patch(target.id, '*', { options: targetOptions({ port: 6543 }) });

      expect(answer.status).toBe(200);
    });

    it('waits for a job that is being started, and then leads nowhere else', async () => {
      const [source, target] = [await createSource('legacy/shop.db'), await createTarget()];
      const job = await useIn('draft', { sourceId: source.id, targetId: target.id });
      const starting = await api.sequelize.transaction();
      await job.update({ status: 'queued' }, { transaction: starting });

      const changing = patch(target.id, '*', { options: { database: 'other' } }).then(
        (response) => response,
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      await starting.commit();

      expect((await changing).status).toBe(409);
    });

    it('F4: refuses fields that are not the client’s to change', async () => {
      const { id } = await createTarget();

      for (const [field, body] of [
        ['kind', { kind: 'sqlite' }],
        ['createdBy', { createdBy: operator.user.id }],
        ['version', { version: 9 }],
        ['options.path', { options: { path: 'a.db' } }],
      ] as const) {
        const response = await patch(id, '"1"', body);
        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ error: 'Unknown field(s)', field });
      }
    });
  });

  describe('DELETE', () => {
    const remove = (id: string) => api.client.delete(`${PATH}/${id}`).set(operator.headers);

    it('removes a connection once', async () => {
      const { id } = await createTarget();

      expect((await remove(id)).status).toBe(204);
      expect((await remove(id)).status).toBe(404);
      expect(await Connection.findByPk(id)).toBeNull();
    });

    it('answers 409 while a job uses it', async () => {
      const target = await createTarget();
      const source = await createSource('legacy/shop.db');
      await MigrationJob.create({ name: 'job', sourceId: source.id, targetId: target.id });

      const response = await remove(target.id);

      expect(response.status).toBe(409);
      expect(response.body).toEqual({ error: 'Connection is still in use by a migration job' });
      expect(await Connection.findByPk(target.id)).not.toBeNull();
    });
  });

  it('F5: is closed to viewers', async () => {
    const viewer = await buildUser(api, 'viewer');

    const response = await api.client.get(PATH).set(viewer.headers);

    expect(response.status).toBe(403);
    expect(response.body).toEqual({ error: 'Insufficient scope' });
    expect(response.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="connections:read"',
    );
    const denials = await AuditTrail.count({
      where: { action: 'authorization.denied', actorId: viewer.user.id },
    });
    expect(denials).toBe(1);
  });

  it('F7: shows no key that looks like a secret', async () => {
    const response = await api.client.get(`${PATH}?limit=100`).set(operator.headers).expect(200);

    expect(JSON.stringify(response.body)).not.toMatch(/"[^"]*(password|hash|secret|token)[^"]*":/i);
  });
});
