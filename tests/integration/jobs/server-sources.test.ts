import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { locationOf } from '../../helpers/engine.ts';
import { startTestHub, type JobBody, type TestHub } from '../../helpers/hub.ts';
import { createTestMariaDb, describeWithMariaDb } from '../../helpers/mariadb.ts';
import { createTestDatabase } from '../../helpers/test-database.ts';

const ROWS = 20_000;

interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** A server with a table `people (id integer key, note varchar(200))` and an empty one, `pets`. */
interface LegacyServer {
  readonly options: ServerOptions;
  sql(text: string): Promise<unknown>;
  /** An account that may read `people`, but not `pets`. */
  readonly limited: ServerOptions;
  allowAll(): Promise<void>;
  /** Ends the sessions of everybody else, as a restart would. */
  endSessions(): Promise<void>;
  close(): Promise<void>;
}

async function startMariaDb(): Promise<LegacyServer> {
  const server = await createTestMariaDb();
  const { host, port, database, user, password } = server;
  await server.sql(
    `CREATE TABLE people (id int PRIMARY KEY, note varchar(200) NOT NULL);
     CREATE TABLE pets (id int PRIMARY KEY);
     INSERT INTO people SELECT seq, repeat('x', 200) FROM seq_1_to_${String(ROWS)}`,
  );
  const account = await server.createAccount([`SELECT ON ${database}.people`]);
  return {
    options: { host, port, database, user, password },
    sql: (text) => server.sql(text),
    // In MariaDB a table that an account may not read does not exist for it: another database is what it is refused.
    limited: { host, port, ...account, database: 'mysql' },
    allowAll: async () => {
      await server.sql(`GRANT SELECT ON mysql.* TO '${account.user}'@'%'`);
    },
    endSessions: async () => {
      const sessions = await server.sql(
        `SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = '${database}'`,
      );
      for (const { id } of sessions) await server.sql(`KILL CONNECTION ${String(id)}`);
    },
    close: () => server.close(),
  };
}

async function startPostgres(): Promise<LegacyServer> {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const role = `few_${randomBytes(5).toString('hex')}`;
  await client.query(
    `CREATE TABLE people (id integer PRIMARY KEY, note varchar(200) NOT NULL);
     CREATE TABLE pets (id integer PRIMARY KEY);
     INSERT INTO people SELECT i, repeat('x', 200) FROM generate_series(1, ${String(ROWS)}) i;
     CREATE ROLE ${role} LOGIN PASSWORD 'few'; GRANT SELECT ON people TO ${role}`,
  );
  const { host, port, database: name, user, password } = locationOf(database.url);
  const options = { host, port, database: name, user, password };
  return {
    options,
    sql: (text) => client.query(text),
    limited: { ...options, user: role, password: 'few' },
    allowAll: async () => {
      await client.query(`GRANT SELECT ON pets TO ${role}`);
    },
    endSessions: async () => {
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    },
    close: async () => {
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await client.end();
      await database.drop();
    },
  };
}

describe('PostgreSQL as a source', () => {
  describeServer('postgres', startPostgres);
});
describeWithMariaDb('MariaDB as a source', () => {
  describeServer('mysql', startMariaDb);
});

function describeServer(kind: string, start: () => Promise<LegacyServer>): void {
  let hub: TestHub;
  let server: LegacyServer;

  beforeAll(async () => {
    [hub, server] = await Promise.all([startTestHub(), start()]);
  }, 120_000);

  afterAll(async () => {
    await hub.close();
    await server.close();
  }, 30_000);

  const act = (job: JobBody, action: string) =>
    hub.call('post', `/migration-jobs/${job.id}/${action}`).expect(202);
  const connect = (options: Partial<ServerOptions> = {}): Promise<string> =>
    hub.addConnection(kind, { ...server.options, ...options });
  const nextSchema = (): string => `legacy_${randomBytes(4).toString('hex')}`;
  const countIn = async (schema: string): Promise<number> => {
    const { rows } = await hub.targetClient.query<{ rows: string }>(
      `SELECT count(*) AS rows FROM ${schema}.people`,
    );
    return Number(rows[0]?.rows);
  };

  it('is tried, looked into and moved', async () => {
    const sourceId = await connect();
    const tested = await hub.call('post', `/connections/${sourceId}/test`).expect(200);
    const catalog = await hub.call('get', `/connections/${sourceId}/catalog`).expect(200);
    const schema = nextSchema();
    const job = await hub.createJob(sourceId, { targetSchema: schema, verify: 'full' });
    await act(job, 'start');

    expect(await hub.waitFor(job.id, 'succeeded', 'failed')).toMatchObject({
      status: 'succeeded',
      error: null,
      verification: { status: 'passed', tablesPassed: 2 },
    });
    expect(await countIn(schema)).toBe(ROWS);
    expect(tested.body).toMatchObject({ ok: true });
    expect((catalog.body as { tables: { name: string }[] }).tables).toMatchObject([
      { name: 'people' },
      { name: 'pets' },
    ]);
  }, 90_000);

  it.each([
    ['SOURCE_AUTHENTICATION_FAILED', { password: 'wrong' }],
    ['SOURCE_DATABASE_MISSING', { database: 'nowhere' }],
  ])('says %s, at once and in a job, without the password', async (code, options) => {
    const sourceId = await connect(options);
    const tested = await hub.call('post', `/connections/${sourceId}/test`);
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema() });
    await act(job, 'start');
    const failed = await hub.waitFor(job.id, 'succeeded', 'failed');
    const logs = await hub.call('get', `/migration-jobs/${job.id}/logs?limit=100`).expect(200);

    // A connection of kind postgres may be a target as well, which is what its test speaks of.
    const expected = kind === 'postgres' ? code.replace('SOURCE', 'TARGET') : code;
    expect(tested.headers['x-error-code']).toBe(expected);
    expect(failed).toMatchObject({ status: 'failed', error: { code } });
    for (const { password } of [server.options, { password: 'wrong' }]) {
      expect(JSON.stringify([tested.body, failed.error, logs.body])).not.toContain(`"${password}"`);
    }
  });

  it('that does not answer fails the job, which goes on when the connection is corrected', async () => {
    const closed = await findClosedPort();
    const sourceId = await connect({ port: closed });
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema() });
    await act(job, 'start');
    const failed = await hub.waitFor(job.id, 'succeeded', 'failed');

    const { port, password } = server.options;
    await hub
      .call('patch', `/connections/${sourceId}`, { options: { port, password } })
      .set('If-Match', '"1"')
      .expect(200);
    await act(job, 'retry');

    expect(failed.error).toMatchObject({ code: 'SOURCE_UNREACHABLE', recovery: 'retriable' });
    expect(await hub.waitFor(job.id, 'succeeded', 'failed')).toMatchObject({ error: null });
  }, 90_000);

  it('that ends its sessions in the middle of copying leaves a job that can be retried', async () => {
    const schema = nextSchema();
    const gate = await buildGate(hub, schema);
    const options = { targetSchema: schema, onExisting: 'truncate', chunkRows: 1000, lanes: 1 };
    const job = await hub.createJob(await connect(), { ...options, include: ['people'] });
    await act(job, 'start');
    await gate.untilReached();
    await server.endSessions();
    await gate.open();
    const failed = await hub.waitFor(job.id, 'succeeded', 'failed');
    const copied = await countIn(schema);

    await act(job, 'retry');
    const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(failed.error).toMatchObject({ code: 'SOURCE_UNREACHABLE', recovery: 'retriable' });
    expect(copied).toBeGreaterThan(0);
    expect(copied).toBeLessThan(ROWS);
    expect(ended).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } });
    expect(await countIn(schema)).toBe(ROWS);
  }, 90_000);

  it('that an account may not read is named, and read when it may', async () => {
    const include = kind === 'postgres' ? [] : ['time_zone_name'];
    const sourceId = await hub.addConnection(kind, server.limited);
    const job = await hub.createJob(sourceId, { targetSchema: nextSchema(), include });
    await act(job, 'start');
    const failed = await hub.waitFor(job.id, 'succeeded', 'failed');
    await server.allowAll();
    await act(job, 'retry');

    expect(failed.error).toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' });
    expect(failed.error?.error ?? JSON.stringify(failed.error)).toContain(
      kind === 'postgres' ? 'pets' : 'mysql',
    );
    expect(await hub.waitFor(job.id, 'succeeded', 'failed')).toMatchObject({ error: null });
  }, 90_000);

  it.each([
    ['dropped', 'DROP TABLE extra'],
    ['altered', 'ALTER TABLE extra ADD note varchar(10)'],
  ])(
    'whose table was %s since the plan is planned anew',
    async (_, change) => {
      await server.sql('CREATE TABLE extra (id integer PRIMARY KEY)');
      const job = await hub.createJob(await connect(), { targetSchema: nextSchema() });
      await act(job, 'plan');
      await hub.waitFor(job.id, 'draft');
      await untilPlanned(job);
      await server.sql(change);
      await act(job, 'start');
      const failed = await hub.waitFor(job.id, 'succeeded', 'failed');
      await act(job, 'plan');
      await hub.waitFor(job.id, 'draft', 'failed');
      await untilPlanned(job);
      await act(job, 'start');
      const ended = await hub.waitFor(job.id, 'succeeded', 'failed');
      await server.sql('DROP TABLE IF EXISTS extra');

      expect(failed.error).toMatchObject({ code: 'SOURCE_CHANGED' });
      expect(ended).toMatchObject({ status: 'succeeded', error: null });
    },
    90_000,
  );

  async function untilPlanned(job: JobBody): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const answer = await hub.call('get', `/migration-jobs/${job.id}/plan`);
      if (answer.status === 200) return;
      await sleep(25);
    }
    throw new Error('the job has no plan');
  }
}

/** A table of the target that takes 5,499 rows, and the next one only when it is let in. */
async function buildGate(hub: TestHub, schema: string) {
  const holder = new pg.Client({ connectionString: hub.target.url });
  holder.on('error', () => undefined);
  await holder.connect();
  const key = String(randomBytes(4).readUInt32BE());
  await holder.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.people (id integer NOT NULL, note varchar(200) NOT NULL);
    CREATE FUNCTION ${schema}.wait() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock(${key}); RETURN NEW; END';
    CREATE TRIGGER gate BEFORE INSERT ON ${schema}.people FOR EACH ROW WHEN (NEW.id = 5500)
      EXECUTE FUNCTION ${schema}.wait();
    SELECT pg_advisory_lock(${key})`);
  return {
    untilReached: async (): Promise<void> => {
      for (let attempt = 0; attempt < 2000; attempt += 1) {
        const { rowCount } = await holder.query(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ${key}::bigint::oid`,
        );
        if (rowCount !== 0) return;
        await sleep(25);
      }
      throw new Error('nobody waits at the gate');
    },
    open: () => holder.end(),
  };
}

async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
