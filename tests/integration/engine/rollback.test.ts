import { failureOf, startTestEngine, type TestEngine } from '../../helpers/engine.ts';

const TWO_TABLES = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id));
  INSERT INTO customers VALUES (1, 'Ada'); INSERT INTO orders VALUES (10, 1)`;

describe('rollback', () => {
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
    await engine.sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.bystander (x int)`);
  });

  const buildJob = (options = {}) => engine.buildJob(file, { targetSchema: schema, ...options });

  async function tables(): Promise<string[]> {
    const rows = await engine.sql<{ tablename: string }>(
      `SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' ORDER BY 1`,
    );
    return rows.map(({ tablename }) => tablename);
  }

  async function ledgerRows(jobId: string): Promise<number> {
    const [row] = await engine.sql<{ rows: number }>(
      `SELECT ((SELECT count(*) FROM migration_hub.ledger_chunk WHERE job_id = $1)
             + (SELECT count(*) FROM migration_hub.ledger_object WHERE job_id = $1))::int AS rows`,
      [jobId],
    );
    return row?.rows ?? -1;
  }

  it('drops exactly the tables that the job made, and forgets them', async () => {
    const job = buildJob();
    await job.migrate();

    const result = await job.rollback();

    expect([...result.dropped].sort()).toEqual([`${schema}.customers`, `${schema}.orders`]);
    expect(await tables()).toEqual(['bystander']);
    expect(await ledgerRows(job.jobId)).toBe(0);
  });

  it('does no harm when it is called twice, or before anything was made', async () => {
    const job = buildJob();

    const early = await job.rollback();
    await job.migrate();
    await job.rollback();
    const late = await job.rollback();

    expect([early, late]).toEqual([{ dropped: [] }, { dropped: [] }]);
  });

  it('takes back what there is after a copy that stopped in the middle', async () => {
    const job = buildJob();
    await job.create();
    const stop = new AbortController();
    job.journal.onBegin = () => stop.abort();
    await failureOf(job.copy(stop.signal));

    await job.rollback();

    expect(await tables()).toEqual(['bystander']);
  });

  it('lets the same job be run anew afterwards', async () => {
    const job = buildJob();
    await job.migrate();
    await job.rollback();

    await job.migrate();

    expect((await job.verify('checksum')).map(({ verdict }) => verdict)).toEqual([
      'passed',
      'passed',
    ]);
  });

  it('leaves a table of the same name that somebody has made since', async () => {
    const job = buildJob();
    await job.migrate();
    await engine.sql(
      `DROP TABLE ${schema}.orders; CREATE TABLE ${schema}.orders (id int); INSERT INTO ${schema}.orders VALUES (1)`,
    );

    const result = await job.rollback();

    expect(result.dropped).toEqual([`${schema}.customers`]);
    expect(await tables()).toEqual(['bystander', 'orders']);
    expect(await ledgerRows(job.jobId)).toBe(0);
  });

  it('leaves a table that somebody puts in the place of one while it waits for it', async () => {
    const job = buildJob();
    await job.migrate();
    const other = await engine.connect();
    await other.query(`BEGIN; ALTER TABLE ${schema}.orders RENAME TO kept;
      ALTER TABLE ${schema}.kept DROP CONSTRAINT orders_customer_fkey; CREATE TABLE ${schema}.orders (theirs int)`);
    const failing = failureOf(job.rollback());
    await engine.untilWaiting();

    await other.query('COMMIT');

    expect(await failing).toMatchObject({ code: 'TARGET_BUSY' });
    expect(await tables()).toEqual(['bystander', 'customers', 'kept', 'orders']);
    expect(await job.rollback()).toEqual({ dropped: [`${schema}.customers`] });
    expect(await tables()).toEqual(['bystander', 'kept', 'orders']);
  });

  it.each(['truncate', 'append'] as const)(
    'leaves the rows that another job has brought in since with %s',
    async (onExisting) => {
      const first = buildJob();
      await first.migrate();
      await engine.sql(`DROP TABLE ${schema}.orders`);
      const other = engine.buildLegacyFile(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (7, 'Grace')",
      );
      await engine.buildJob(other, { targetSchema: schema, onExisting }).migrate();

      const failure = await failureOf(first.rollback());

      expect(failure).toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
      expect((failure as Error).message).toContain(
        `${schema}.customers was filled by another job since`,
      );
      expect(await tables()).toEqual(['bystander', 'customers']);
    },
  );

  it('stops at once when it is aborted', async () => {
    const job = buildJob();
    await job.migrate();
    const other = await engine.connect();
    await other.query(`BEGIN; LOCK TABLE ${schema}.orders IN ACCESS SHARE MODE`);
    const stop = new AbortController();
    const failing = failureOf(job.rollback(stop.signal));
    await engine.untilWaiting();

    stop.abort(new Error('stopped by hand'));

    expect(await failing).toMatchObject({ message: 'stopped by hand' });
    await other.query('ROLLBACK');
    expect(await tables()).toEqual(['bystander', 'customers', 'orders']);
  });

  it('leaves a table that somebody has renamed', async () => {
    const job = buildJob();
    await job.migrate();
    await engine.sql(
      `ALTER TABLE ${schema}.orders RENAME TO kept; ALTER TABLE ${schema}.kept DROP CONSTRAINT orders_customer_fkey`,
    );

    await job.rollback();

    expect(await tables()).toEqual(['bystander', 'kept']);
  });

  it.each(['append', 'truncate'] as const)(
    'refuses where the job filled a table that was there before (%s)',
    async (onExisting) => {
      await engine.sql(`CREATE TABLE ${schema}.customers (id bigint PRIMARY KEY, name text)`);
      const job = buildJob({ onExisting });
      await job.migrate();

      const failure = await failureOf(job.rollback());

      expect(failure).toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
      expect(String(failure)).toContain(`${schema}.customers existed before`);
      expect(await tables()).toEqual(['bystander', 'customers', 'orders']);
    },
  );

  it.each([
    [
      'a view',
      'CREATE VIEW %.report AS SELECT * FROM %.orders',
      'view %.report depends on table %.orders',
    ],
    [
      'a foreign key',
      'CREATE TABLE %.theirs (c bigint REFERENCES %.customers (id))',
      'constraint theirs_c_fkey on table %.theirs depends on table %.customers',
    ],
  ])('refuses and names %s that others have built on a table', async (_, sql, reason) => {
    const job = buildJob();
    await job.migrate();
    await engine.sql(sql.replaceAll('%', schema));

    const failure = await failureOf(job.rollback());

    expect(failure).toMatchObject({ code: 'TARGET_REFUSED', details: { sqlState: '2BP01' } });
    expect(String(failure)).toContain(reason.replaceAll('%', schema));
    expect(await tables()).toEqual(expect.arrayContaining(['customers', 'orders']));
    expect(await ledgerRows(job.jobId)).toBe(4);
  });

  it('leaves other jobs and their pages of the ledger alone', async () => {
    const other = engine.buildJob(file, { targetSchema: `${schema}_other` });
    await other.migrate();
    const job = buildJob();
    await job.migrate();

    await job.rollback();

    expect(await ledgerRows(other.jobId)).toBe(4);
    expect((await other.verify('checksum')).map(({ verdict }) => verdict)).toEqual([
      'passed',
      'passed',
    ]);
  });
});
