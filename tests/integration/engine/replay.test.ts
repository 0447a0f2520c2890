import type { SourceValue } from '../../../src/engine/contract.ts';
import type { TableVerdict } from '../../../src/engine/steps/verify.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

const MODES = ['count', 'checksum', 'full'] as const;

const text = (value: string): SourceValue => ({ type: 'text', value });
const integer = (value: number): SourceValue => ({ type: 'integer', value: String(value) });

describe('replay', () => {
  let engine: TestEngine;

  beforeEach(async () => {
    engine = await startTestEngine();
  });

  afterEach(async () => {
    await engine.close();
  });

  /** 1,000 rows in ten chunks, of which 5, 500 and 995 are rejected for a NUL in their text. */
  const keyed = `CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, n INTEGER NOT NULL);
    WITH RECURSIVE i(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM i WHERE id < 1000)
      INSERT INTO notes SELECT id, 'note ' || id, id FROM i;
    UPDATE notes SET body = 'a' || char(0) || id WHERE id IN (5, 500, 995)`;
  const keyless = keyed.replace('id INTEGER PRIMARY KEY', 'id INTEGER');

  async function migrated(content: string, options = {}): Promise<TestJob> {
    const job = engine.buildJob(engine.buildLegacyFile(content), { chunkRows: 100, ...options });
    await job.migrate();
    return job;
  }

  async function verdictsOf(job: TestJob): Promise<TableVerdict[]> {
    const verdicts: TableVerdict[] = [];
    for (const mode of MODES) verdicts.push(...(await job.verify(mode)));
    return verdicts;
  }

  it.each([
    ['with a key', keyed],
    ['without a key', keyless],
  ])('lands mended rows of a table %s, and every verification passes', async (_, content) => {
    const job = await migrated(content);

    const problems = await job.replay('notes', () => ({
      body: text('tab\there, line\nthere, back\\slash'),
    }));

    expect([...problems]).toEqual([]);
    expect(
      await engine.sql(`SELECT id::int FROM notes WHERE body LIKE 'tab%' ORDER BY id`),
    ).toEqual([{ id: 5 }, { id: 500 }, { id: 995 }]);
    expect(
      (await verdictsOf(job)).map(({ verdict, rowsExpected, rowsFound }) => [
        verdict,
        rowsExpected,
        rowsFound,
      ]),
    ).toEqual(MODES.map(() => ['passed', 1000, 1000]));
  });

  it('takes a mended key that belongs to another chunk, and moves the identity beyond it', async () => {
    const job = await migrated(keyed);

    await job.replay('notes', ({ locator }) => ({
      id: locator === '5' ? integer(999_999) : integer(-Number(locator)),
      body: text('moved'),
    }));
    await engine.sql(`INSERT INTO notes (body, n) VALUES ('next', 1)`);
    const [next] = await engine.sql<{ id: string }>(`SELECT id FROM notes WHERE body = 'next'`);
    await engine.sql(`DELETE FROM notes WHERE body = 'next'`);

    expect(next).toEqual({ id: '1000000' });
    expect((await verdictsOf(job)).map(({ verdict }) => verdict)).toEqual(
      MODES.map(() => 'passed'),
    );
  });

  it('leaves a row that is still bad a reject, with its new reason', async () => {
    const job = await migrated(keyed);

    const problems = await job.replay('notes', ({ locator }) => {
      if (locator === '5') return { body: text('a'), id: integer(6) };
      return locator === '500' ? { body: text('a'), n: null } : {};
    });

    expect([...problems.values()]).toEqual([
      {
        column: '',
        reasonCode: 'TARGET_REFUSED',
        message: 'duplicate key value violates unique constraint "notes_pkey"',
      },
      { column: 'n', reasonCode: 'NULL_NOT_ALLOWED', message: expect.any(String) as string },
      { column: 'body', reasonCode: 'TEXT_NUL', message: expect.any(String) as string },
    ]);
    expect((await job.ledger.replays()).size).toBe(0);
    expect((await verdictsOf(job)).map(({ verdict }) => verdict)).toEqual(
      MODES.map(() => 'passed'),
    );
  });

  it('goes by the policies of the call, also where the job rejects by its own', async () => {
    const job = await migrated(keyed);

    const problems = await job.replay('notes', () => ({}), { nulCharacter: 'strip' });

    expect([...problems]).toEqual([]);
    expect(await engine.sql('SELECT body FROM notes WHERE id = 500')).toEqual([{ body: 'a500' }]);
    expect((await job.ledger.replays()).get('notes')?.[0]?.adjustments).toEqual([
      { column: 'body', rule: 'TEXT_NUL' },
    ]);
    expect((await verdictsOf(job)).map(({ verdict }) => verdict)).toEqual(
      MODES.map(() => 'passed'),
    );
  });

  it('lands a row once, however often and by however many it is asked for', async () => {
    const job = await migrated(keyless);
    const mend = (): Record<string, SourceValue> => ({ body: text('once') });

    await Promise.all([job.replay('notes', mend), job.replay('notes', mend)]);
    const problems = await job.replay('notes', mend);

    expect([...problems]).toEqual([]);
    expect(await engine.sql(`SELECT count(*)::int AS rows FROM notes WHERE body = 'once'`)).toEqual(
      [{ rows: 3 }],
    );
    expect((await job.ledger.replays()).get('notes')?.length).toBe(3);
  });

  it('keeps neither row nor ledger row of a call that fails', async () => {
    const job = await migrated(keyed);
    await engine.sql(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id = 995 THEN RAISE SQLSTATE ''55P03''; END IF; RETURN NEW; END';
      CREATE TRIGGER in_the_way BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION wait()`);

    const failure = await failureOf(job.replay('notes', () => ({ body: text('a') })));

    expect(failure).toMatchObject({ code: 'TARGET_BUSY' });
    expect(await engine.sql('SELECT count(*)::int AS rows FROM notes')).toEqual([{ rows: 997 }]);
    expect((await job.ledger.replays()).size).toBe(0);
  });

  describe.each([
    ['with a key', keyed, { chunk: null, replayed: true }, '500'],
    ['without a key', keyless, { chunk: null }, '500'],
  ])('of a table %s', (_, content, where, id) => {
    it.each([
      ['changed', `UPDATE notes SET body = 'changed' WHERE id = 500`],
      ['deleted', `DELETE FROM notes WHERE id = 500`],
    ])('a replayed row that is %s later is found and named', async (what, change) => {
      const job = await migrated(content);
      await job.replay('notes', () => ({ body: text('mended') }));
      await engine.sql(change);

      for (const mode of ['checksum', 'full'] as const) {
        const [verdict] = await job.verify(mode);
        expect(verdict?.verdict).toBe('failed');
        expect(verdict?.failures).toMatchObject([
          { ...where, differences: { missing: { rows: 1, keys: [{ id }] } } },
        ]);
        expect(verdict?.failures[0]?.differences?.unexpected.rows).toBe(what === 'changed' ? 1 : 0);
      }
    });
  });

  it('finds a replayed row whose key somebody changes later', async () => {
    const job = await migrated(keyed);
    await job.replay('notes', () => ({ body: text('mended') }));
    await engine.sql('UPDATE notes SET id = 2000 WHERE id = 500');

    const [verdict] = await job.verify('checksum');

    expect(verdict?.failures).toMatchObject([
      { chunk: 10, differences: { unexpected: { rows: 1, keys: [{ id: '2000' }] } } },
      { chunk: null, replayed: true, differences: { missing: { rows: 1, keys: [{ id: '500' }] } } },
    ]);
  });

  it('refuses a second row of one key where no index of the target does', async () => {
    await engine.sql('CREATE TABLE notes (id bigint, body text, n bigint)');
    const job = await migrated(keyed, { onExisting: 'truncate' });

    const problems = await job.replay('notes', ({ locator }) => ({
      body: text('a'),
      ...(locator === '5' ? { id: integer(6) } : {}),
    }));

    expect([...problems.values()]).toEqual([
      {
        column: 'id',
        reasonCode: 'TARGET_REFUSED',
        message: 'the target has a row with this key already',
      },
    ]);
    expect((await verdictsOf(job)).map(({ verdict }) => verdict)).toEqual(
      MODES.map(() => 'passed'),
    );
  });

  it('does not take a row for landed that a trigger changes or leaves out', async () => {
    const job = await migrated(keyed);
    await engine.sql(`CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id = 5 THEN RETURN NULL; END IF; NEW.body := upper(NEW.body); RETURN NEW; END';
      CREATE TRIGGER meddle BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION meddle()`);

    const problems = await job.replay('notes', ({ locator }) => ({
      body: text(locator === '995' ? 'UPPER' : 'lower'),
    }));

    expect([...problems.values()].map(({ column, message }) => [column, message])).toEqual([
      ['', 'a trigger of the target left the row out'],
      ['body', 'the target stores the value otherwise than it was sent'],
    ]);
    expect((await job.verify('checksum'))[0]?.verdict).toBe('passed');
  });

  it('brings rows that the target refused, once the reason is gone', async () => {
    await engine.sql(`CREATE TABLE known (id bigint PRIMARY KEY); INSERT INTO known SELECT generate_series(1, 998);
      CREATE TABLE notes (id bigint PRIMARY KEY, body text, n bigint REFERENCES known)`);
    const job = await migrated(keyed, {
      onExisting: 'truncate',
      policies: { nulCharacter: 'strip' },
    });
    await engine.sql('INSERT INTO known VALUES (999), (1000)');

    const problems = await job.replay('notes', () => ({}));

    expect([...problems]).toEqual([]);
    expect((await verdictsOf(job)).map(({ verdict, rowsFound }) => [verdict, rowsFound])).toEqual(
      MODES.map(() => ['passed', 1000]),
    );
  });

  it('stores booleans, bytes and long text as COPY would, in columns that need quoting', async () => {
    const job = await migrated(
      `CREATE TABLE "row_key" ("job_id" INTEGER PRIMARY KEY, "a ""b" BOOLEAN, bytes BLOB, body TEXT, d DATE, r REAL);
       INSERT INTO "row_key" VALUES (1, 1, x'00ff', 'x', '2024-01-01', 1.5), (2, 0, x'', 'a' || char(0), '2024-01-02', 2.5)`,
    );

    const problems = await job.replay('row_key', () => ({
      'a "b': integer(1),
      body: text('é\\'.repeat(100_000)),
      r: text('0.1'),
    }));

    expect([...problems]).toEqual([]);
    expect((await verdictsOf(job)).map(({ verdict }) => verdict)).toEqual(
      MODES.map(() => 'passed'),
    );
    expect(
      await engine.sql(
        `SELECT "a ""b" AS flag, encode(bytes, 'hex') AS bytes, length(body) AS size, d::text, r FROM row_key WHERE job_id = 2`,
      ),
    ).toEqual([{ flag: true, bytes: '', size: 200_000, d: '2024-01-02', r: 0.1 }]);
  });

  it('says which table is gone', async () => {
    const job = await migrated(keyed);
    await engine.sql('DROP TABLE notes');

    expect(await failureOf(job.replay('notes', () => ({})))).toMatchObject({
      code: 'TARGET_OBJECT_MISSING',
    });
  });

  it('is forgotten with its table', async () => {
    const job = await migrated(keyed);
    await job.replay('notes', () => ({ body: text('a') }));

    await job.rollback();

    expect((await job.ledger.replays()).size).toBe(0);
  });
});
