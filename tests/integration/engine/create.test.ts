import { createServer, type Server } from 'node:net';

import type { PartialJobOptions } from '../../../src/engine/contract.ts';
import { failureOf, startTestEngine, type TestEngine } from '../../helpers/engine.ts';

const TWO_TABLES = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id), note TEXT);
  CREATE INDEX orders_by_note ON orders (note);
  INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob');
  INSERT INTO orders VALUES (10, 1, 'a'), (11, 2, 'b'), (12, 1, 'c')`;

describe('create', () => {
  let engine: TestEngine;
  let file: string;
  let schemas = 0;
  let schema: string;

  beforeAll(async () => {
    engine = await startTestEngine();
    file = engine.buildLegacyFile(TWO_TABLES);
  });

  afterAll(async () => {
    await engine.close();
  });

  beforeEach(async () => {
    schemas += 1;
    schema = `place_${String(schemas)}`;
    await engine.sql(`CREATE SCHEMA ${schema}`);
  });

  const buildJob = (options: PartialJobOptions = {}, path = file) =>
    engine.buildJob(path, { targetSchema: schema, ...options });

  /** Relations of the schema, with their kind. */
  async function relations(): Promise<string[]> {
    const rows = await engine.sql<{ text: string }>(
      `SELECT c.relname || ' ' || c.relkind::text AS text FROM pg_class c
        WHERE c.relnamespace = '${schema}'::regnamespace ORDER BY 1`,
    );
    return rows.map(({ text }) => text);
  }

  async function count(table: string): Promise<number> {
    const [row] = await engine.sql<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM ${schema}.${table}`,
    );
    return row?.rows ?? -1;
  }

  async function passes(job: ReturnType<typeof buildJob>): Promise<void> {
    await job.migrate();
    const verdicts = await job.verify('checksum');
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['passed', 'passed']);
  }

  it.each(['drop', 'truncate', 'append'] as const)(
    'leaves a table alone that somebody puts in the place of the one that it found (%s)',
    async (onExisting) => {
      await engine.sql(`CREATE TABLE ${schema}.customers (id bigint PRIMARY KEY, name text)`);
      const other = await engine.connect();
      await other.query(`BEGIN; ALTER TABLE ${schema}.customers RENAME TO kept;
        CREATE TABLE ${schema}.customers AS SELECT 1::bigint AS id, 'theirs' AS name`);
      const failing = failureOf(buildJob({ onExisting }).create());
      await engine.untilWaiting();

      await other.query('COMMIT');

      expect(await failing).toMatchObject({
        code: 'TARGET_TABLE_UNSUITABLE',
        details: { table: 'customers', reason: 'it was just exchanged for another table' },
      });
      expect(await count('customers')).toBe(1);
      expect(await relations()).toEqual(['customers r', 'customers_pkey i', 'kept r']);
    },
  );

  describe('onExisting fail', () => {
    it.each([
      ['table', 'CREATE TABLE %.orders (x int)', 'orders'],
      ['view', 'CREATE VIEW %.orders AS SELECT 1 AS x', 'orders'],
      ['sequence', 'CREATE SEQUENCE %.orders', 'orders'],
      ['index', 'CREATE TABLE %.t (x int); CREATE INDEX customers ON %.t (x)', 'customers'],
      ['type', "CREATE TYPE %.customers AS ENUM ('a')", 'customers'],
      [
        'index with the name of a planned one',
        'CREATE TABLE %.t (x int); CREATE INDEX orders_by_note ON %.t (x)',
        'orders_by_note',
      ],
      [
        'table with the name of a planned key',
        'CREATE TABLE %.customers_pkey (x int)',
        'customers_pkey',
      ],
    ])('makes nothing at all where a %s is in the way', async (_, sql, name) => {
      await engine.sql(sql.replaceAll('%', schema));
      const before = await relations();

      const failure = await failureOf(buildJob().create());

      expect(failure).toMatchObject({
        code: 'TARGET_TABLE_EXISTS',
        details: { tables: [name], field: 'options.onExisting' },
      });
      expect(await relations()).toEqual(before);
    });

    it('does not mind the array type of another table', async () => {
      const legacy = engine.buildLegacyFile(
        'CREATE TABLE "_t" (a INTEGER); CREATE TABLE "t" (a INTEGER)',
      );

      await buildJob({}, legacy).migrate();

      expect(await relations()).toEqual(['_t r', 't r']);
    });
  });

  describe('onExisting truncate', () => {
    it('empties suitable tables and fills them', async () => {
      await buildJob({ include: ['orders'] }).migrate();
      await engine.sql(`INSERT INTO ${schema}.orders (id, note) VALUES (99, 'old')`);
      const job = buildJob({ onExisting: 'truncate' });

      await passes(job);

      expect(Object.fromEntries(job.origins)).toEqual({
        customers: 'created',
        orders: 'truncated',
      });
      expect(await count('orders')).toBe(3);
    });

    it('touches no tables that refer to each other: rows could not come in any order', async () => {
      await buildJob().migrate();

      const failure = await failureOf(buildJob({ onExisting: 'truncate' }).create());

      expect(failure).toMatchObject({
        code: 'TARGET_TABLE_UNSUITABLE',
        details: {
          table: 'orders',
          reason:
            'its foreign key orders_customer_fkey would refuse rows that come before the ones they refer to',
        },
      });
      expect(await count('customers')).toBe(2);
    });

    it.each([
      [
        'another type',
        'CREATE TABLE %.orders (id bigint, customer bigint, note varchar(10))',
        'note is character varying(10), not text',
      ],
      [
        'a column less',
        'CREATE TABLE %.orders (id bigint, note text)',
        'it has no column customer',
      ],
      [
        'a column that needs a value',
        'CREATE TABLE %.orders (id bigint, customer bigint, note text, extra int NOT NULL)',
        'its column extra needs a value that no row has',
      ],
      [
        'a generated column',
        "CREATE TABLE %.orders (id bigint, customer bigint, note text GENERATED ALWAYS AS ('x') STORED)",
        'note is a generated column',
      ],
      [
        'a view',
        "CREATE VIEW %.orders AS SELECT 1::bigint AS id, 1::bigint AS customer, ''::text AS note",
        'it is a view',
      ],
      ['a sequence', 'CREATE SEQUENCE %.orders', 'it is a sequence'],
    ])('touches nothing where one table has %s', async (_, sql, reason) => {
      await engine.sql(
        `CREATE TABLE ${schema}.customers (id bigint, name text); INSERT INTO ${schema}.customers VALUES (7, 'kept');
         ${sql.replaceAll('%', schema)}`,
      );

      for (const onExisting of ['truncate', 'append'] as const) {
        const failure = await failureOf(buildJob({ onExisting }).create());

        expect(failure).toMatchObject({
          code: 'TARGET_TABLE_UNSUITABLE',
          details: { table: 'orders', reason, field: 'options.onExisting' },
        });
        expect(await count('customers')).toBe(1);
      }
    });

    it('fills columns that the plan does not know with their defaults', async () => {
      await engine.sql(
        `CREATE TABLE ${schema}.customers (id bigint UNIQUE, extra int NOT NULL DEFAULT 5, name text, made timestamptz DEFAULT now())`,
      );
      await passes(buildJob({ onExisting: 'truncate' }));

      expect(await engine.sql(`SELECT DISTINCT extra FROM ${schema}.customers`)).toEqual([
        { extra: 5 },
      ]);
    });

    it('says before any row is copied that a foreign key could not refer to a table', async () => {
      await engine.sql(`CREATE TABLE ${schema}.customers (id bigint, name text UNIQUE)`);

      const failure = await failureOf(buildJob({ onExisting: 'append' }).create());

      expect(failure).toMatchObject({
        code: 'TARGET_TABLE_UNSUITABLE',
        details: {
          table: 'customers',
          reason: 'a foreign key refers to id, which it does not keep unique',
        },
      });
      expect(await relations()).not.toContain('orders r');
    });

    it('takes no plain column for a generated one, whose values are not copied', async () => {
      const legacy = engine.buildLegacyFile(
        'CREATE TABLE sums (a INTEGER, b INTEGER, c INTEGER GENERATED ALWAYS AS (a + b) STORED); INSERT INTO sums VALUES (1, 2)',
      );
      const job = buildJob({ onExisting: 'append' }, legacy);
      const [table] = (await job.plan()).tables;
      const column = table?.columns.find(({ source }) => source === 'c');
      await engine.sql(
        `CREATE TABLE ${schema}.sums (a bigint, b bigint, c ${column?.targetType ?? ''})`,
      );

      const outcome = await job.create().then(
        () => 'made',
        (error: unknown) => error,
      );

      if (column?.generatedExpression === null) expect(outcome).toBe('made');
      else
        expect(outcome).toMatchObject({
          code: 'TARGET_TABLE_UNSUITABLE',
          details: { reason: 'c is not a generated column' },
        });
    });
  });

  it('onExisting append keeps the rows that are there', async () => {
    await engine.sql(
      `CREATE TABLE ${schema}.customers (id bigint PRIMARY KEY, name text); INSERT INTO ${schema}.customers VALUES (7, 'kept')`,
    );
    const job = buildJob({ onExisting: 'append' });

    await passes(job);

    expect([...job.origins].sort()).toEqual([
      ['customers', 'appended'],
      ['orders', 'created'],
    ]);
    expect(await count('customers')).toBe(3);
  });

  describe('onExisting drop', () => {
    it('replaces whatever tables there are, also those that refer to each other', async () => {
      await buildJob().migrate();
      await engine.sql(`ALTER TABLE ${schema}.customers ADD COLUMN more int`);

      await passes(buildJob({ onExisting: 'drop' }));

      expect(await count('orders')).toBe(3);
    });

    it('refuses, and says so, where a view of others depends on a table', async () => {
      await buildJob().migrate();
      await engine.sql(`CREATE VIEW ${schema}.report AS SELECT * FROM ${schema}.orders`);
      const before = await relations();

      const failure = await failureOf(buildJob({ onExisting: 'drop' }).create());

      expect(failure).toMatchObject({ code: 'TARGET_REFUSED', details: { sqlState: '2BP01' } });
      expect(String(failure)).toContain(`view ${schema}.report depends on table ${schema}.orders`);
      expect(await relations()).toEqual(before);
      expect(await count('orders')).toBe(3);
    });

    it('does not drop what is no table', async () => {
      await engine.sql(`CREATE VIEW ${schema}.orders AS SELECT 1 AS x`);

      const failure = await failureOf(buildJob({ onExisting: 'drop' }).create());

      expect(failure).toMatchObject({
        code: 'TARGET_TABLE_UNSUITABLE',
        details: { reason: 'it is a view' },
      });
    });

    it('sees an index of another table that has the name of a planned one', async () => {
      await engine.sql(
        `CREATE TABLE ${schema}.orders (x int); CREATE TABLE ${schema}.t (x int); CREATE INDEX orders_by_note ON ${schema}.t (x)`,
      );

      const failure = await failureOf(buildJob({ onExisting: 'drop' }).create());

      expect(failure).toMatchObject({
        code: 'TARGET_TABLE_EXISTS',
        details: { tables: ['orders_by_note'] },
      });
    });
  });

  it('makes nothing twice when it is run again', async () => {
    const job = buildJob();
    await job.create();
    job.origins.clear();

    await job.create();

    expect(job.origins.size).toBe(0);
  });

  it('makes and fills a table anew that was dropped between two runs', async () => {
    const job = buildJob();
    await job.create();
    await job.copy();
    await engine.sql(`DROP TABLE ${schema}.orders`);

    await passes(job);

    expect(await count('orders')).toBe(3);
    expect(await count('customers')).toBe(2);
  });

  it.each(['Mixed Case', 'with "quotes"', "it's", 'select', 'back\\slash', 'ünï', 'a'.repeat(63)])(
    'makes the schema %s',
    async (name) => {
      const job = buildJob({ targetSchema: name });

      await passes(job);

      expect((await job.rollback()).dropped).toHaveLength(2);
    },
  );

  describe('a target that refuses', () => {
    async function withRole(
      rights: string,
      work: (login: { user: string; password: string }) => Promise<void>,
    ): Promise<void> {
      const user = `guest_${schema}`;
      await engine.sql(
        `CREATE ROLE ${user} LOGIN PASSWORD 'guest'; ${rights.replaceAll('$', user)}`,
      );
      try {
        await work({ user, password: 'guest' });
      } finally {
        await engine.sql(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
      }
    }

    it('is TARGET_READ_ONLY where its transactions are read-only', async () => {
      await engine.sql(
        `ALTER DATABASE ${engine.database.name} SET default_transaction_read_only = on`,
      );
      const target = engine.openTarget();

      const failure = await failureOf(engine.buildJob(file, {}, { target }).create());
      const admin = await engine.connect();
      await admin.query(`SET transaction_read_only = off; SET default_transaction_read_only = off`);
      await admin.query(
        `ALTER DATABASE ${engine.database.name} RESET default_transaction_read_only`,
      );

      expect(failure).toMatchObject({ code: 'TARGET_READ_ONLY' });
    });

    it('is TARGET_PERMISSION_DENIED where the user may not create anything', async () => {
      await withRole('', async (login) => {
        const target = engine.openTarget(login);

        const failure = await failureOf(buildJobAt(target).create());

        expect(failure).toMatchObject({
          code: 'TARGET_PERMISSION_DENIED',
          details: { sqlState: '42501' },
        });
      });
    });

    it('needs no right to create schemas where ledger and schema are there', async () => {
      await buildJob({ include: ['customers'] }).create();
      await withRole(
        `GRANT USAGE ON SCHEMA migration_hub TO $; GRANT ALL ON ALL TABLES IN SCHEMA migration_hub TO $; GRANT ALL ON SCHEMA ${schema} TO $`,
        async (login) => {
          const job = engine.buildJob(
            file,
            { targetSchema: schema, include: ['orders'] },
            { target: engine.openTarget(login) },
          );

          await job.migrate();

          expect(await count('orders')).toBe(3);
        },
      );
    });

    const buildJobAt = (target: ReturnType<TestEngine['openTarget']>) =>
      engine.buildJob(file, { targetSchema: schema }, { target });

    it('is TARGET_AUTHENTICATION_FAILED with a wrong password', async () => {
      const roles = await engine.sql<{ method: string }>(
        `SELECT auth_method AS method FROM pg_hba_file_rules WHERE type = 'host' LIMIT 1`,
      );
      const target = engine.openTarget({ password: 'wrong' });

      const failure = failureOf(buildJobAt(target).create());

      expect(roles[0]?.method).not.toBe('trust');
      expect(await failure).toMatchObject({
        code: 'TARGET_AUTHENTICATION_FAILED',
        details: { field: 'options.password' },
      });
    });

    it('is TARGET_AUTHENTICATION_FAILED with an unknown user', async () => {
      const target = engine.openTarget({ user: 'nobody_at_all' });

      expect(await failureOf(buildJobAt(target).create())).toMatchObject({
        code: 'TARGET_AUTHENTICATION_FAILED',
      });
    });

    it('is TARGET_DATABASE_MISSING where there is no such database', async () => {
      const target = engine.openTarget({ database: 'not_there' });

      expect(await failureOf(buildJobAt(target).create())).toMatchObject({
        code: 'TARGET_DATABASE_MISSING',
        message: 'The database not_there does not exist',
        details: { field: 'options.database' },
      });
    });

    it('is TARGET_UNREACHABLE where nobody listens', async () => {
      const target = engine.openTarget({ port: 1 });

      expect(await failureOf(buildJobAt(target).create())).toMatchObject({
        code: 'TARGET_UNREACHABLE',
        message: 'The target cannot be reached: connection refused',
        details: { field: 'options.host' },
      });
    });

    it('is TARGET_REFUSED where it does not speak TLS but has to', async () => {
      const target = engine.openTarget({ ssl: 'require' });

      expect(await failureOf(buildJobAt(target).create())).toMatchObject({
        code: 'TARGET_REFUSED',
        details: { reason: 'The server does not support SSL connections' },
      });
    });

    describe('and never answers', () => {
      let silent: Server;

      beforeAll(async () => {
        silent = createServer((socket) => socket.on('error', () => undefined));
        await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      });

      afterAll(() => {
        silent.close();
      });

      it('is TARGET_UNREACHABLE within about ten seconds', async () => {
        const address = silent.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const target = engine.openTarget({ host: '127.0.0.1', port });
        const startedAt = Date.now();

        const failure = await failureOf(buildJobAt(target).create());

        expect(Date.now() - startedAt).toBeLessThan(13_000);
        expect(failure).toMatchObject({
          code: 'TARGET_UNREACHABLE',
          message: 'The target cannot be reached: no answer in time',
          details: { field: 'options.host' },
        });
      });
    });
  });
});
