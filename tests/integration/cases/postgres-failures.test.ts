import pg from 'pg';

import { DEFAULT_JOB_OPTIONS } from '../../../src/engine/contract.ts';
import { openSource } from '../../../src/engine/sources/registry.ts';
import { failureOf } from '../../helpers/engine.ts';
import { startPostgresCases, type PostgresCases } from '../../helpers/postgres-cases.ts';

const never = new AbortController().signal;
const { policies } = DEFAULT_JOB_OPTIONS;

/** What a PostgreSQL source does while it changes, and when it does not answer. */
describe('A PostgreSQL source', () => {
  let cases: PostgresCases;
  let admin: pg.Client;

  beforeAll(async () => {
    cases = await startPostgresCases();
    const { host, port, user, password, database } = cases.location;
    admin = new pg.Client({ host, port, user, password, database });
    await admin.connect();
    await cases.run(`
      CREATE SCHEMA ext; CREATE ROLE reader LOGIN PASSWORD 'reader'`);
  }, 60_000);

  afterAll(async () => {
    await admin.query('DROP OWNED BY reader; DROP ROLE reader');
    await admin.end();
    await cases.close();
  });

  const NUMBERS = `CREATE TABLE t (id integer PRIMARY KEY, v text);
    INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) n`;

  it('shows all lanes one moment, whatever is changed meanwhile', async () => {
    const { job, schema } = await cases.build(NUMBERS, { chunkRows: 100 });
    await job.create();
    const snapshot = await job.openSnapshot();
    await cases.run(
      `DELETE FROM ${schema}.t WHERE id % 2 = 0; UPDATE ${schema}.t SET v = 'changed'; INSERT INTO ${schema}.t VALUES (-1, 'new'), (9999, 'new')`,
    );

    await job.copy(never, snapshot);

    expect(snapshot.level).toBe('snapshot');
    expect(snapshot.lanes).toBe(2);
    const [row] = await cases.engine.sql(
      `SELECT count(*)::int AS rows, min(id), max(id), bool_and(v <> 'changed') AS old FROM ${schema}.t`,
    );
    expect(row).toEqual({ rows: 2000, min: 1, max: 2000, old: true });
  });

  it('reads one moment in one lane where the server does not let it share one', async () => {
    const { schema } = await cases.build(NUMBERS);
    await cases.run(
      `GRANT USAGE ON SCHEMA ${schema} TO reader; GRANT SELECT ON ${schema}.t TO reader; REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC`,
    );
    const location = { ...cases.location, user: 'reader', password: 'reader', schema };
    const job = cases.engine.buildJob(
      { kind: 'postgres', location },
      { targetSchema: schema, chunkRows: 100 },
    );
    await job.create();
    const snapshot = await job.openSnapshot();
    await cases.run(`DELETE FROM ${schema}.t`);

    await job.copy(never, snapshot);

    expect([snapshot.level, snapshot.lanes]).toEqual(['snapshot', 1]);
    expect(await cases.engine.sql(`SELECT count(*)::int AS rows FROM ${schema}.t`)).toEqual([
      { rows: 2000 },
    ]);
  });

  it('fails so that it can be retried when its connections die, and lands every row once when it is', async () => {
    const { job, schema } = await cases.build(NUMBERS, { chunkRows: 100 });
    await job.create();
    let chunks = 0;
    job.journal.onBegin = async () => {
      chunks += 1;
      if (chunks !== 6) return;
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'legacy-migration-hub' AND datname = current_database()`,
      );
    };

    const failure = await failureOf(job.copy());
    job.journal.onBegin = () => undefined;
    await job.copy();
    await job.finish();

    expect(failure).toMatchObject({ code: 'SOURCE_UNREACHABLE', recovery: 'retriable' });
    expect(await cases.engine.sql(`SELECT count(*)::int AS rows FROM ${schema}.t`)).toEqual([
      { rows: 2000 },
    ]);
    expect((await job.verify('full')).map(({ verdict }) => verdict)).toEqual(['passed']);
  });

  it.each([
    ['dropped', 'DROP TABLE t', 'SOURCE_CHANGED'],
    ['without a column', 'ALTER TABLE t DROP COLUMN v', 'SOURCE_CHANGED'],
  ])('fails where a table is %s after the plan', async (_, change, code) => {
    const { job, schema } = await cases.build(NUMBERS);
    await job.create();
    await cases.run(`SET search_path = ${schema}; ${change}`);

    expect(await failureOf(job.copy())).toMatchObject({ code });
  });

  it.each([
    ['rewritten', 'ALTER TABLE t ALTER COLUMN id TYPE bigint'],
    ['truncated', 'TRUNCATE t'],
    ['replaced', 'CREATE TABLE u AS SELECT * FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t'],
  ])('does not take a table for empty that was %s after the snapshot', async (_, change) => {
    const { job, schema } = await cases.build(NUMBERS);
    await job.create();
    const snapshot = await job.openSnapshot();
    await cases.run(`SET search_path = ${schema}; ${change}`);

    const failure = await failureOf(job.copy(never, snapshot));

    expect(failure).toMatchObject({ code: 'SOURCE_READ_FAILED', recovery: 'retriable' });
  });

  it.each([
    ['fails where a partition is gone', 'DROP TABLE p2', 'SOURCE_READ_FAILED'],
    ['fails where a partition was emptied', 'TRUNCATE p2', 'SOURCE_READ_FAILED'],
    [
      'goes on where there is another one',
      `CREATE TABLE p3 PARTITION OF t FOR VALUES IN (3)`,
      null,
    ],
  ])('%s since the snapshot', async (_, change, code) => {
    const { job, schema } = await cases.build(`
      CREATE TABLE t (id integer) PARTITION BY LIST (id);
      CREATE TABLE p1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF t FOR VALUES IN (2);
      INSERT INTO t VALUES (1), (2)`);
    await job.create();
    const snapshot = await job.openSnapshot();
    await cases.run(`SET search_path = ${schema}; ${change}; INSERT INTO t VALUES (1)`);

    const failure = await job.copy(never, snapshot).catch((error: unknown) => error);

    expect(failure ?? { code: null }).toMatchObject({ code });
  });

  it('says what an account may not read', async () => {
    const { schema } = await cases.build(
      `${NUMBERS}; CREATE TABLE secret (id integer); CREATE TABLE odd (id integer); INSERT INTO odd VALUES (1), (2);
       ALTER TABLE odd ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON odd USING (id % 2 = 1)`,
    );
    await cases.run(
      `GRANT USAGE ON SCHEMA ${schema} TO reader; GRANT SELECT ON ${schema}.t, ${schema}.odd TO reader`,
    );
    const source = openSource('postgres', {
      ...cases.location,
      user: 'reader',
      password: 'reader',
      schema,
    });
    try {
      const catalog = await source.readCatalog(never);
      const scan = (name: string): Promise<unknown> => {
        const table = catalog.tables.find((entry) => entry.name === name);
        if (table === undefined) throw new Error(name);
        return source.scanTable({ table, chunkRows: 100, signal: never });
      };

      expect(await scan('t')).toMatchObject({ rows: 2000 });
      expect(await failureOf(scan('secret'))).toMatchObject({
        code: 'SOURCE_PERMISSION_DENIED',
        recovery: 'fatal',
      });
      // Rather than half of its rows.
      expect(await failureOf(scan('odd'))).toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' });
    } finally {
      await source.close();
    }
  });

  it.each([
    ['SOURCE_AUTHENTICATION_FAILED', { password: 'wrong' }],
    ['SOURCE_DATABASE_MISSING', { database: 'nowhere' }],
    ['SOURCE_UNREACHABLE', { port: 1 }],
  ])('says %s', async (code, change) => {
    const source = openSource('postgres', { ...cases.location, ...change });

    const failure = await failureOf(source.version());
    await source.close();

    expect(failure).toMatchObject({ code });
    expect(JSON.stringify(failure)).not.toContain('wrong');
  });

  it('cancels what it runs when the job is aborted, and goes on with the same moment', async () => {
    const { job, schema } = await cases.build(
      `CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 2000) FROM generate_series(1, 20000) n`,
    );
    const [table] = (await job.plan()).tables;
    if (table === undefined) throw new Error('no table');
    const snapshot = await job.openSnapshot();
    await cases.run(`DELETE FROM ${schema}.t`);
    const stop = new AbortController();
    const request = { lane: 0, table, chunk: { number: 1, lower: null, upper: null }, policies };
    const iterator = snapshot
      .readChunk({ ...request, signal: stop.signal })
      [Symbol.asyncIterator]();
    await iterator.next();

    stop.abort(new Error('enough'));
    const failure = await failureOf(Promise.resolve(iterator.next()));
    let rows = 0;
    for await (const batch of snapshot.readChunk({ ...request, signal: never })) {
      rows += batch.rowsRead;
      // A reader that leaves early costs its connection, but not the moment.
      if (rows > 15_000) break;
    }
    const counted = await snapshot.countRows({ lane: 0, table, signal: never });
    await snapshot.close();
    const { rows: busy } = await admin.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'`,
    );

    expect(failure).toMatchObject({ message: 'enough' });
    expect(rows).toBeGreaterThan(15_000);
    expect(counted).toBe(20_000);
    expect(busy).toEqual([]);
  });

  it('finds by full verification what a broken reader has changed', async () => {
    const { job } = await cases.build(
      `CREATE TABLE t (id integer PRIMARY KEY, at timestamptz, v numeric[]);
       INSERT INTO t SELECT n, 'epoch'::timestamptz + n * interval '1 day', ARRAY[n, 0.5] FROM generate_series(1, 100) n`,
    );
    await job.create();
    const snapshot = await job.openSnapshot();
    const read = snapshot.readChunk.bind(snapshot);
    snapshot.readChunk = async function* (request) {
      for await (const batch of read(request)) {
        const text = Buffer.from(batch.lines).toString('latin1');
        yield { ...batch, lines: Buffer.from(text.replace('{7,0.5}', '{7,0.6}'), 'latin1') };
      }
    };

    await job.copy(never, snapshot);
    await job.finish();

    const [byCount] = await job.verify('checksum');
    expect(byCount?.verdict).toBe('passed');
    const [verdict] = await job.verify('full');
    expect(verdict?.verdict).toBe('failed');
    expect(verdict?.failures[0]?.differences?.missing).toEqual({ rows: 1, keys: [{ id: '7' }] });
  });

  it('tells which row each line is', async () => {
    const { job } = await cases.build(
      `CREATE TABLE t (a integer, b text, c bytea, d numeric, g integer GENERATED ALWAYS AS (a) STORED, PRIMARY KEY (b, a));
       INSERT INTO t VALUES (1, E'x\\ty', '\\x00ff', 1.50), (2, 'y', NULL, NULL), (3, 'long', NULL, NULL);
       UPDATE t SET c = decode(repeat('00', 70000), 'hex') WHERE a = 3;
       CREATE TABLE u (v text); INSERT INTO u VALUES ('one')`,
    );
    const { tables } = await job.plan();
    const snapshot = await job.openSnapshot();
    const described = [];
    for (const table of tables) {
      const chunk = { number: 1, lower: null, upper: null };
      const request = { lane: 0, table, chunk, policies, signal: never };
      for await (const batch of snapshot.readChunk({ ...request, describe: true })) {
        expect(batch.described).toHaveLength(batch.rowsEncoded);
        described.push(...(batch.described ?? []));
      }
    }
    await snapshot.close();

    expect(described.map(({ key, row }) => ({ key, row }))).toEqual([
      {
        key: { b: 'long', a: '3' },
        row: {
          a: { type: 'integer', value: '3' },
          b: { type: 'text', value: 'long' },
          c: { truncatedFrom: 70_000 },
          d: null,
        },
      },
      {
        key: { b: 'x\ty', a: '1' },
        row: {
          a: { type: 'integer', value: '1' },
          b: { type: 'text', value: 'x\ty' },
          c: { type: 'blob', base64: 'AP8=' },
          d: { type: 'real', value: '1.50' },
        },
      },
      {
        key: { b: 'y', a: '2' },
        row: {
          a: { type: 'integer', value: '2' },
          b: { type: 'text', value: 'y' },
          c: null,
          d: null,
        },
      },
      { key: { ctid: '(0,1)' }, row: { v: { type: 'text', value: 'one' } } },
    ]);
    expect(new Set(described.map(({ locator }) => locator)).size).toBe(4);
  });

  it.each(['fail', 'drop', 'truncate', 'append'] as const)(
    'is never overwritten by a job that moves a schema into itself (%s)',
    async (onExisting) => {
      const { job, schema } = await cases.build(NUMBERS);
      const target = cases.engine.openTarget({ database: cases.location.database });
      const self = cases.engine.buildJob(
        { kind: 'postgres', location: { ...cases.location, schema } },
        { targetSchema: schema, onExisting },
        { target },
      );

      const failure = await failureOf(self.migrate());

      expect(failure).toMatchObject({ code: 'TARGET_IS_SOURCE' });
      const { rows } = await admin.query(`SELECT count(*)::int AS rows FROM ${schema}.t`);
      expect(rows).toEqual([{ rows: 2000 }]);
      await job.close();
    },
  );
});
