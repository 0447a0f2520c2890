import type { PartialJobOptions, Plan } from '../../../src/engine/contract.ts';
import { assertComplete } from '../../../src/engine/steps/finish/inventory.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';
import { part, planFixture, type CatalogFixture } from '../../helpers/planning.ts';

const CI = {
  name: 'utf8mb4_general_ci',
  icuLocale: 'und-u-ks-level1',
  ignoresTrailingSpaces: true,
};

/** One of each kind of thing that a job makes. */
const SHOP: CatalogFixture = {
  types: [
    { name: 'Mood', kind: 'enum', definition: "AS ENUM ('ok', 'it''s \"Mood\"')" },
    { name: 'positive', kind: 'domain', definition: 'AS integer CHECK (VALUE > 0)' },
    { name: 'pair', kind: 'composite', definition: 'AS ("Mood" "Mood", n "positive")' },
    { name: 'span', kind: 'range', definition: 'AS RANGE (subtype = integer)' },
  ],
  sequences: [{ name: 'Numbers', definition: 'AS bigint INCREMENT BY 5', next: '40' }],
  tables: [
    {
      name: 'Customers',
      comment: "who's who",
      primaryKey: ['email'],
      columns: [
        { name: 'email', type: 'varchar(100)', nullable: false, decision: { equality: CI } },
        { name: 'name', type: 'text', decision: { equality: CI }, comment: 'as "signed"' },
      ],
    },
    {
      name: 'Orders',
      primaryKey: ['id'],
      identity: { column: 'id', lastValue: '41', always: true },
      columns: [
        { name: 'id', type: 'bigint', nullable: false },
        { name: 'customer', type: 'varchar(100)', decision: { equality: CI } },
        {
          name: 'status',
          type: 'enum',
          decision: { enumLabels: ['new', "it's", 'ü"'] },
          defaultExpression: "'new'",
        },
        { name: 'size', type: 'text', decision: { allowedValues: ['s', 'l'] } },
        { name: 'tags', type: 'text[]', decision: { allowedValues: ['a', 'NULL'] } },
        { name: 'mood', type: 'Mood[]', decision: { userType: 'Mood' } },
        { name: 'pair', type: 'pair', decision: { userType: 'pair' } },
        { name: 'n', type: 'bigint', defaultExpression: `nextval('"Numbers"'::regclass)` },
        { name: 'data', type: 'json' },
        { name: 'total', type: 'bigint', generated: { expression: 'n * 2', stored: true } },
        { name: 'note', type: 'text', scan: { maxLength: 5000 } },
        { name: 'raw', type: 'bytea' },
        { name: 'changed', type: 'timestamp(3)', onUpdate: "timestamp '2030-01-01'" },
      ],
      indexes: [
        { name: 'by_note', unique: true, parts: [part('note', { prefixLength: 4 })] },
        { name: 'by_raw', parts: [part('raw', { prefixLength: 3 })] },
        { name: 'words', method: 'fulltext', parts: [part('note'), part('size')] },
        { name: 'by_tags', method: 'gin', parts: [part('tags')] },
        { name: 'by_n', parts: [part('n', { descending: true, nulls: 'last' })], include: ['id'] },
        { name: 'lone', unique: true, nullsNotDistinct: true, parts: [part('size'), part('n')] },
        { name: 'hashed', method: 'hash', parts: [part('customer')] },
        {
          name: 'patterns',
          parts: [part('note', { operatorClass: 'text_pattern_ops', prefixLength: 9 })],
        },
      ],
      foreignKeys: [
        {
          name: 'who',
          columns: ['customer'],
          references: { table: 'Customers', columns: ['email'] },
          onUpdate: 'CASCADE',
          onDelete: 'NO ACTION',
        },
      ],
      checks: [{ name: 'small', expression: '"n" < 1000' }],
    },
  ],
};

const FILL = `
  INSERT INTO customers VALUES ('Ada@x', 'Ada'), ('bob@x', 'Bob');
  INSERT INTO orders (id, customer, status, size, tags, mood, pair, n, data, note, raw, changed)
    OVERRIDING SYSTEM VALUE
    VALUES (7, 'ADA@X', 'it''s', 's', '{a}', '{ok}', '(ok,3)', 3, '{}', 'abcdef', '\\x00ff', '2020-01-01'),
           (8, NULL, 'new', 'l', '{}', NULL, NULL, 4, NULL, 'abxdef', NULL, '2020-01-01')`;

describe('what a source does beside holding rows', () => {
  let engine: TestEngine;
  let session: Awaited<ReturnType<TestEngine['connect']>> | null = null;
  let schemas = 0;
  let schema: string;

  beforeAll(async () => {
    engine = await startTestEngine();
  });

  afterAll(async () => {
    await engine.close();
  });

  beforeEach(() => {
    schemas += 1;
    schema = `shop_${String(schemas)}`;
  });

  const planShop = (fixture: CatalogFixture = SHOP, options: PartialJobOptions = {}): Plan =>
    planFixture(fixture, { targetSchema: schema, ...options });

  const buildJob = (plan: Plan): TestJob =>
    engine.buildJob(engine.buildLegacyFile('CREATE TABLE t (a)'), {}, { plan });

  const sql = async <Row extends Record<string, unknown>>(text: string): Promise<Row[]> => {
    session ??= await engine.connect();
    await session.query(`SET search_path = ${schema}`);
    const result = await session.query<Row>(text);
    return result.rows;
  };

  async function finished(fixture: CatalogFixture = SHOP, fill = FILL): Promise<TestJob> {
    const job = buildJob(planShop(fixture));
    await job.create();
    await sql(fill);
    await job.finish();
    return job;
  }

  const complete = async (job: TestJob): Promise<void> =>
    assertComplete({ target: engine.target, ledger: job.ledger, plan: await job.plan() });

  it('gives the same plan for the same catalog and options, byte by byte', () => {
    expect(JSON.stringify(planShop())).toBe(JSON.stringify(planShop()));
  });

  it('shows the whole DDL, which runs as it stands', async () => {
    const { ddl } = planShop();
    await engine.sql(`CREATE SCHEMA ${schema}`);

    await engine.sql([...ddl.create, ...ddl.finish].join(';\n'));

    const [row] = await sql<{ objects: number }>(
      `SELECT count(*)::int AS objects FROM pg_type WHERE typnamespace = '${schema}'::regnamespace AND typtype IN ('e', 'd', 'r')`,
    );
    expect(row?.objects).toBe(4);
  });

  it('arrives whole', async () => {
    const job = await finished();

    await complete(job);

    expect(job.events.filter(({ level }) => level === 'warning')).toEqual([]);
  });

  it('finds keys and refuses doubles without regard to case, as the source did', async () => {
    await finished();

    const double = await failureOf(sql("INSERT INTO customers VALUES ('ADA@x')"));
    const orphan = await failureOf(sql("UPDATE orders SET customer = 'eve@x' WHERE id = 8"));
    await sql("UPDATE orders SET customer = 'BOB@X' WHERE id = 8");

    expect(double).toMatchObject({ code: '23505' });
    expect(orphan).toMatchObject({ code: '23503' });
    const [{ valid } = { valid: null }] = await sql<{ valid: boolean }>(
      `SELECT convalidated AS valid FROM pg_constraint WHERE contype = 'f' AND connamespace = '${schema}'::regnamespace`,
    );
    expect(valid).toBe(true);
  });

  it('keeps a prefix unique, and what the types allow', async () => {
    await finished();

    for (const [statement, code] of [
      ["UPDATE orders SET note = 'abcdxyz' WHERE id = 8", '23505'],
      ["UPDATE orders SET size = 'm'", '23514'],
      ["UPDATE orders SET tags = '{b}'", '23514'],
      ["UPDATE orders SET status = 'old'", '22P02'],
      ["UPDATE orders SET mood = '{bad}'", '22P02'],
      ['INSERT INTO orders (id) VALUES (1)', '428C9'],
    ] as const) {
      expect(await failureOf(sql(statement))).toMatchObject({ code });
    }
  });

  it('goes on numbering where the source would', async () => {
    await finished();

    const [row] = await sql<{ id: string; n: string; status: string }>(
      "INSERT INTO orders (size) VALUES ('s') RETURNING id, n, status",
    );

    expect(row).toEqual({ id: '42', n: '40', status: 'new' });
  });

  it('gives no number that a row has, though the source has gone on since its sequences were read', async () => {
    await finished(SHOP, `${FILL}; UPDATE orders SET n = 47 WHERE id = 7`);

    const rows = await sql<{ n: string }>(
      "INSERT INTO orders (size) VALUES ('s'), ('l') RETURNING n",
    );

    expect(rows.map(({ n }) => n)).toEqual(['50', '55']);
  });

  it('sets a column on update only when the row changes, and not when the statement has set it', async () => {
    await finished();

    await sql('UPDATE orders SET n = n');
    const [same] = await sql('SELECT changed::text FROM orders WHERE id = 7');
    await sql("UPDATE orders SET changed = '2021-05-05', n = 9 WHERE id = 7");
    const [own] = await sql('SELECT changed::text FROM orders WHERE id = 7');
    await sql('UPDATE orders SET data = \'{"a": 1}\' WHERE id = 7');
    const [changed] = await sql('SELECT changed::text, total FROM orders WHERE id = 7');

    expect([same, own, changed]).toEqual([
      { changed: '2020-01-01 00:00:00' },
      { changed: '2021-05-05 00:00:00' },
      { changed: '2030-01-01 00:00:00', total: '18' },
    ]);
  });

  it('keeps comments, with the source’s name where the target has another', async () => {
    await finished();

    const [row] = await sql(
      "SELECT obj_description('customers'::regclass) AS t, col_description('customers'::regclass, 2) AS c, obj_description('orders'::regclass) AS o",
    );

    expect(row).toEqual({
      t: 'who\'s who (Called "Customers" in the source)',
      c: 'as "signed"',
      o: 'Called "Orders" in the source',
    });
  });

  it.each([
    ['a table', 'DROP TABLE orders', /^table shop_\d+\.orders$/],
    ['a column', 'ALTER TABLE orders DROP COLUMN data', 'orders.data'],
    ['an index', 'DROP INDEX by_tags', 'by_tags'],
    ['a primary key', 'ALTER TABLE orders DROP CONSTRAINT orders_pkey', 'orders_pkey'],
    ['a foreign key', 'ALTER TABLE orders DROP CONSTRAINT who', 'who'],
    ['a check', 'ALTER TABLE orders DROP CONSTRAINT small', 'small'],
    ['an identity', 'ALTER TABLE orders ALTER id DROP IDENTITY', 'the identity of orders.id'],
    [
      'a sequence',
      'ALTER TABLE orders ALTER n DROP DEFAULT; DROP SEQUENCE numbers',
      'the sequence numbers',
    ],
    ['a type', 'DROP TYPE span', 'the type span'],
    [
      'a collation',
      'ALTER COLLATION utf8mb4_general_ci RENAME TO other',
      'the collation utf8mb4_general_ci',
    ],
    [
      'a trigger',
      'DROP TRIGGER orders_changed_on_update ON orders',
      'the trigger orders_changed_on_update',
    ],
    ['a comment', 'COMMENT ON TABLE orders IS NULL', 'the comment of orders'],
    [
      'a comment of a column',
      "COMMENT ON COLUMN customers.name IS 'x'",
      'the comment of customers.name',
    ],
  ])('is missed loudly when %s is gone', async (_, removal, named) => {
    const job = await finished();

    await sql(removal);

    const failure = await failureOf(complete(job));
    const objects = (failure as { details: { objects: string[] } }).details.objects;
    expect(failure).toMatchObject({ code: 'TARGET_OBJECT_MISSING' });
    expect(objects).toContainEqual(
      typeof named === 'string' ? named : expect.stringMatching(named),
    );
  });

  it('is made once when finish runs again', async () => {
    const job = await finished();
    await sql('DROP TRIGGER orders_changed_on_update ON orders');

    await job.create();
    await job.finish();

    await complete(job);
  });

  describe('values that ICU takes for equal and the source did not', () => {
    const unique = (primaryKey: string[]): CatalogFixture => ({
      tables: [
        {
          name: 'people',
          primaryKey,
          columns: [
            { name: 'id', type: 'bigint', nullable: false },
            { name: 'name', type: 'text', nullable: false, decision: { equality: CI } },
          ],
          indexes: [{ name: 'people_name', unique: true, parts: [part('name')] }],
        },
      ],
    });
    const ROWS = "INSERT INTO people VALUES (1, 'Strasse'), (2, 'Straße'), (3, 'Weg')";

    it('leave the index byte by byte, and a warning that names their keys', async () => {
      const job = await finished(unique(['id']), ROWS);

      await complete(job);

      expect(job.events).toContainEqual({
        level: 'warning',
        table: 'people',
        message:
          'The unique index people_name compares byte by byte, which is weaker than planned: rows with the key id are equal to it: 1 = 2',
      });
      expect(await failureOf(sql("INSERT INTO people VALUES (4, 'Weg')"))).toMatchObject({
        code: '23505',
      });
    });

    it('fail the job where they are the primary key, and say what to do', async () => {
      const job = buildJob(planShop(unique(['name'])));
      await job.create();
      await sql(ROWS);

      const failure = await failureOf(job.finish());

      expect(failure).toMatchObject({
        code: 'TARGET_NOT_UNIQUE',
        recovery: 'fatal',
        message: expect.stringMatching(
          /people.* rows with the key name are equal to it: Strasse = Straße: set keyCollation to drop/,
        ) as unknown,
      });
    });

    it('stay apart under keyCollation drop, for the job or for the column', async () => {
      for (const options of [
        { policies: { keyCollation: 'drop' } },
        { columnPolicies: { 'people.name': { keyCollation: 'drop' } } },
      ] as const) {
        schema = `${schema}_d`;
        const plan = planShop(unique(['name']), options);
        const job = buildJob(plan);
        await job.create();
        await sql(ROWS);
        await job.finish();

        expect(plan.schemaObjects).toBeUndefined();
        expect(plan.findings).toContainEqual(
          expect.objectContaining({ code: 'COLLATION_WEAKENED', column: 'name' }),
        );
      }
    });
  });

  describe('in a schema that has something already', () => {
    it('uses a collation and a type that are the same, and leaves them when it is rolled back', async () => {
      const first = await finished();
      await sql(
        'DROP TABLE orders, customers; DROP SEQUENCE numbers; DROP FUNCTION orders_changed_on_update',
      );
      const second = buildJob(await first.plan());
      await second.create();
      await sql(FILL);
      await second.finish();

      await complete(second);
      await second.rollback();

      const types = await sql<{ name: string }>(
        `SELECT typname AS name FROM pg_type WHERE typnamespace = '${schema}'::regnamespace AND typtype IN ('e', 'd', 'r') ORDER BY 1`,
      );
      expect(types.map(({ name }) => name)).toEqual(['mood', 'orders_status', 'positive', 'span']);
    });

    it.each([
      ['an enum with other labels', "CREATE TYPE mood AS ENUM ('ok')", 'the type mood'],
      ['a domain with another rule', 'CREATE DOMAIN positive AS integer', 'the type positive'],
      ['a table of the name', 'CREATE TABLE orders_status ()', 'the type orders_status'],
      [
        'a collation',
        `CREATE COLLATION utf8mb4_general_ci (provider = icu, locale = 'und')`,
        'the collation utf8mb4_general_ci',
      ],
      ['a sequence', 'CREATE SEQUENCE numbers', 'the sequence numbers'],
      [
        'a function',
        'CREATE FUNCTION orders_changed_on_update() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
        'the function orders_changed_on_update',
      ],
    ])('makes nothing when %s is in the way, and names it', async (_, statement, named) => {
      await engine.sql(`CREATE SCHEMA ${schema}`);
      await sql(statement);

      const failure = await failureOf(buildJob(planShop()).create());

      expect(failure).toMatchObject({ code: 'TARGET_TABLE_EXISTS', details: { tables: [named] } });
      const [row] = await sql<{ tables: number }>(
        `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'orders_status'`,
      );
      expect(row?.tables).toBe(0);
    });

    it.each([
      ['truncate', 'truncated'],
      ['append', 'appended'],
    ] as const)('%ss tables of its own types', async (onExisting, origin) => {
      await finished();
      const job = buildJob(planShop(SHOP, { onExisting }));
      await sql(
        'DELETE FROM orders; DELETE FROM customers; ALTER TABLE orders DROP CONSTRAINT who',
      );

      await job.create();
      await sql(FILL);
      await job.finish();

      expect([...job.origins.values()]).toEqual([origin, origin]);
    });

    it('does not fill a column of another type of the same name in another schema', async () => {
      await finished();
      await sql(`CREATE TYPE public.mood_${schema} AS ENUM ('ok');
        ALTER TABLE orders ALTER mood TYPE public.mood_${schema}[] USING NULL`);

      const failure = await failureOf(buildJob(planShop(SHOP, { onExisting: 'append' })).create());

      expect(failure).toMatchObject({ code: 'TARGET_TABLE_UNSUITABLE' });
    });

    it('replaces its own tables, and uses the types and sequences that are left', async () => {
      await finished();
      const job = buildJob(planShop(SHOP, { onExisting: 'drop' }));

      await job.create();
      await sql(FILL);
      await job.finish();

      await complete(job);
    });
  });

  describe('rolled back', () => {
    it('leaves nothing behind', async () => {
      const job = await finished();

      const { dropped } = await job.rollback();

      const [row] = await sql<{ left: number }>(
        `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = n)::int + (SELECT count(*) FROM pg_type WHERE typnamespace = n)::int
              + (SELECT count(*) FROM pg_proc WHERE pronamespace = n)::int + (SELECT count(*) FROM pg_collation WHERE collnamespace = n)::int AS left
           FROM (SELECT '${schema}'::regnamespace::oid AS n) AS s`,
      );
      expect(row?.left).toBe(0);
      expect(dropped).toContain(`type ${schema}.mood`);
      expect(dropped).toContain(`function ${schema}.orders_changed_on_update`);
    });

    it('keeps everything where somebody else uses a type, and says what', async () => {
      const job = await finished();
      await engine.sql(`CREATE TABLE ${schema}.mine (m ${schema}.mood)`);

      const failure = await failureOf(job.rollback());
      await complete(job);
      await engine.sql(`DROP TABLE ${schema}.mine`);
      await job.rollback();

      expect(failure).toMatchObject({
        code: 'TARGET_REFUSED',
        message: expect.stringContaining('mine') as unknown,
      });
    });

    it('keeps a type that somebody has made anew under the same name', async () => {
      const job = await finished();
      await sql("DROP TYPE span; CREATE TYPE span AS ENUM ('mine')");

      await job.rollback();

      expect(await sql("SELECT 'mine'::span")).toHaveLength(1);
    });

    it('works on a ledger that an earlier version has made', async () => {
      const job = buildJob(
        planShop({ tables: [{ name: 't', columns: [{ name: 'a', type: 'text' }] }] }),
      );
      await job.create();
      await engine.sql('DROP TABLE migration_hub.ledger_schema_object');

      await job.rollback();
      await buildJob(planShop()).create();

      expect(await engine.sql('SELECT * FROM migration_hub.ledger_schema_object')).not.toEqual([]);
    });
  });
});
