import type { DatabaseSync } from 'node:sqlite';

import pg from 'pg';

import type { Reject } from '../../../src/engine/contract.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

const ROWS = 5000;

/** `price` is negative in the rows given. */
function prices(bad: (id: number) => boolean, rows = ROWS): (db: DatabaseSync) => void {
  return (db) => {
    db.exec('CREATE TABLE prices (id INTEGER PRIMARY KEY, price INTEGER, label TEXT)');
    const insert = db.prepare('INSERT INTO prices VALUES (?, ?, ?)');
    db.exec('BEGIN');
    for (let id = 1; id <= rows; id += 1) insert.run(id, bad(id) ? -id : id, `label ${String(id)}`);
    db.exec('COMMIT');
  };
}

describe('rows that the target itself refuses', () => {
  let engine: TestEngine;

  beforeEach(async () => {
    engine = await startTestEngine();
  });

  afterEach(async () => {
    await engine.close();
  });

  const COLUMNS = 'id bigint PRIMARY KEY, price bigint, label text';

  async function idsOf(table: string): Promise<number[]> {
    const rows = await engine.sql<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`);
    return rows.map(({ id }) => Number(id));
  }

  function rejectsOf(job: TestJob): Reject[] {
    return [...job.journal.rejects.values()].flat();
  }

  function buildTruncating(
    content: Parameters<TestEngine['buildLegacyFile']>[0],
    options: Parameters<TestEngine['buildJob']>[1] = {},
  ): TestJob {
    return engine.buildJob(engine.buildLegacyFile(content), {
      onExisting: 'truncate',
      chunkRows: 100_000,
      ...options,
    });
  }

  /** Calls of COPY … FROM during `work`. */
  async function countCopies(work: () => Promise<unknown>): Promise<number> {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its own `this`
    const { query } = pg.Client.prototype;
    let copies = 0;
    pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
      const { text } = (given[0] ?? {}) as { readonly text?: string };
      if (/\bCOPY .* FROM STDIN/s.test(text ?? '')) copies += 1;
      return Reflect.apply(query, this, given) as unknown;
    } as typeof query;
    try {
      await work();
      return copies;
    } finally {
      pg.Client.prototype.query = query;
    }
  }

  it('become rejects with key, column-less reason and row, and the rest of their chunk lands in order', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CONSTRAINT positive CHECK (price > 0))`);
    const job = buildTruncating(prices((id) => id === 1 || id === 777 || id === ROWS));

    await job.migrate();

    expect((await idsOf('prices')).length).toBe(ROWS - 3);
    expect(job.journal.totals()).toEqual({
      rowsRead: ROWS,
      rowsCopied: ROWS - 3,
      rowsRejected: 3,
    });
    expect(rejectsOf(job)[1]).toEqual({
      key: { id: '777' },
      locator: '777',
      column: '',
      reasonCode: 'TARGET_REFUSED',
      message: 'new row for relation "prices" violates check constraint "positive"',
      row: {
        id: { type: 'integer', value: '777' },
        price: { type: 'integer', value: '-777' },
        label: { type: 'text', value: 'label 777' },
      },
    });
    for (const mode of ['count', 'checksum', 'full'] as const)
      expect((await job.verify(mode))[0]).toMatchObject({ verdict: 'passed', failures: [] });
  });

  it.each([
    [
      'a column that takes no NULL',
      'id bigint PRIMARY KEY, price bigint NOT NULL, label text',
      `UPDATE prices SET price = NULL WHERE id IN (3, 8)`,
      'price',
      'null value in column "price" of relation "prices" violates not-null constraint',
    ],
    [
      'a unique index',
      'id bigint PRIMARY KEY, price bigint UNIQUE, label text',
      `UPDATE prices SET price = 1 WHERE id IN (3, 8)`,
      '',
      'duplicate key value violates unique constraint "prices_price_key"',
    ],
    [
      'a unique key that is only checked at the commit',
      'id bigint PRIMARY KEY, price bigint UNIQUE DEFERRABLE INITIALLY DEFERRED, label text',
      `UPDATE prices SET price = 1 WHERE id IN (3, 8)`,
      '',
      'duplicate key value violates unique constraint "prices_price_key"',
    ],
  ])('are found behind %s', async (_, ...found) => {
    const [columns, change, column, message] = found;
    await engine.sql(`CREATE TABLE prices (${columns})`);
    const job = buildTruncating((db) => {
      prices(() => false, 20)(db);
      db.exec(change);
    });

    await job.migrate();

    expect(
      rejectsOf(job).map(({ key, column: named, message: text }) => [key, named, text]),
    ).toEqual(['3', '8'].map((id) => [{ id }, column, message]));
    expect(await idsOf('prices')).toEqual(
      Array.from({ length: 20 }, (_entry, index) => index + 1).filter((id) => id !== 3 && id !== 8),
    );
    expect((await job.verify('full'))[0]?.verdict).toBe('passed');
  });

  it('are found behind a foreign key, which names no line', async () => {
    await engine.sql(`CREATE TABLE known (id bigint PRIMARY KEY);
      INSERT INTO known SELECT generate_series(1, ${String(ROWS)}) EXCEPT SELECT unnest(ARRAY[1, 1234, 4999]);
      CREATE TABLE prices (id bigint PRIMARY KEY, price bigint REFERENCES known, label text)`);
    const job = buildTruncating(prices(() => false));

    const copies = await countCopies(() => job.migrate());

    expect(rejectsOf(job).map(({ locator }) => locator)).toEqual(['1', '1234', '4999']);
    expect((await idsOf('prices')).length).toBe(ROWS - 3);
    expect(copies).toBeLessThan(80);
    expect((await job.verify('full'))[0]?.verdict).toBe('passed');
  });

  it('are found behind triggers that raise before and after, without the text that they raise', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS});
      CREATE FUNCTION check_price() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.price < 0 THEN RAISE ''secret % COPY prices, line 1, column label:'', NEW.price; END IF; RETURN NEW; END';
      CREATE FUNCTION check_later() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id = 4000 THEN RAISE SQLSTATE ''H0001'' USING MESSAGE = ''secret''; END IF; RETURN NULL; END';
      CREATE TRIGGER before BEFORE INSERT ON prices FOR EACH ROW EXECUTE FUNCTION check_price();
      CREATE CONSTRAINT TRIGGER later AFTER INSERT ON prices DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION check_later()`);
    const job = buildTruncating(prices((id) => id === 10));

    await job.migrate();

    const raised = 'a trigger or function of the target raised an exception';
    expect(rejectsOf(job).map(({ locator, message }) => [locator, message])).toEqual([
      ['10', `${raised} (check_price)`],
      ['4000', `${raised} (check_later)`],
    ]);
    expect((await job.verify('full'))[0]?.verdict).toBe('passed');
  });

  it('name the column, and no value, where the value is what is refused', async () => {
    const job = engine.buildJob(
      engine.buildLegacyFile((db) => {
        prices(() => false, 30)(db);
        db.exec(`UPDATE prices SET label = 'much too long:' || char(10) || 'line 3' WHERE id = 12`);
      }),
      { rename: { 'prices.label': 'the label' } },
    );
    await job.create();
    await engine.sql(`CREATE DOMAIN short_label AS text CHECK (length(VALUE) < 10);
      ALTER TABLE prices ALTER "the label" TYPE short_label, ALTER price TYPE smallint`);

    await job.copy();

    expect(rejectsOf(job)).toMatchObject([{ locator: '12', column: 'label' }]);
    expect(rejectsOf(job)[0]?.message).not.toContain('too long');
    expect((await idsOf('prices')).length).toBe(29);
  });

  it('take O(k log n) round trips, not n', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const job = buildTruncating(prices((id) => id % 500 === 0));

    const copies = await countCopies(() => job.migrate());

    // 10 bad rows of 5,000: each costs the COPY that finds it, one for the lines before it, and a few to grow again.
    expect(rejectsOf(job).length).toBe(10);
    expect(copies).toBeLessThan(1 + 10 * 6);
    expect((await job.verify('checksum'))[0]?.verdict).toBe('passed');
  });

  it('may be all of a chunk: that takes seconds', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const job = buildTruncating(
      prices(() => true, 10_000),
      { maxRejectedRows: 10_000 },
    );
    const startedAt = Date.now();

    await job.migrate();

    expect(rejectsOf(job).length).toBe(10_000);
    expect(job.journal.totals()).toEqual({ rowsRead: 10_000, rowsCopied: 0, rowsRejected: 10_000 });
    expect((Date.now() - startedAt) / 1000).toBeLessThan(50);
  }, 60_000);

  it('fail the job at the first under onBadRow fail, which names it', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const job = buildTruncating(
      prices((id) => id === 50),
      { onBadRow: 'fail' },
    );

    expect(await failureOf(job.migrate())).toMatchObject({
      code: 'ROW_REJECTED',
      details: { table: 'prices', reasonCode: 'TARGET_REFUSED', key: { id: '50' } },
    });
    expect(await idsOf('prices')).toEqual([]);
  });

  it('count against maxRejectedRows once, though their chunk is read twice', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const withNuls = (db: DatabaseSync): void => {
      prices((id) => id === 4500)(db);
      db.exec(`UPDATE prices SET label = 'a' || char(0) WHERE id <= 4`);
    };

    const job = buildTruncating(withNuls, { maxRejectedRows: 5 });
    await job.migrate();
    const tooFew = buildTruncating(withNuls, { maxRejectedRows: 4 });

    expect(rejectsOf(job).map(({ reasonCode }) => reasonCode)).toEqual([
      ...Array.from({ length: 4 }, () => 'TEXT_NUL'),
      'TARGET_REFUSED',
    ]);
    expect(await failureOf(tooFew.migrate())).toMatchObject({ code: 'TOO_MANY_REJECTS' });
  });

  it('take their adjustments with them', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const job = buildTruncating(
      (db) => {
        prices((id) => id === 2)(db);
        db.exec(`UPDATE prices SET label = 'a' || char(0) WHERE id IN (2, 3, 4)`);
      },
      { policies: { nulCharacter: 'strip' } },
    );

    await job.migrate();

    expect([...job.journal.adjustments.values()].flat()).toEqual([
      { column: 'label', rule: 'TEXT_NUL', count: 2, sampleKeys: [{ id: '3' }, { id: '4' }] },
    ]);
    expect([...job.journal.done.values()].map(({ rowsAdjusted }) => rowsAdjusted)).toEqual([2]);
  });

  it('are not reported as missing when verification has to name rows', async () => {
    await engine.sql(`CREATE TABLE prices (${COLUMNS}, CHECK (price > 0))`);
    const job = buildTruncating(prices((id) => id === 30));
    await job.migrate();
    await engine.sql(`UPDATE prices SET label = 'changed' WHERE id = 31`);

    for (const mode of ['checksum', 'full'] as const) {
      const [verdict] = await job.verify(mode);
      expect(verdict?.failures.map(({ differences }) => differences)).toEqual([
        {
          missing: { rows: 1, keys: [{ id: '31' }] },
          unexpected: { rows: 1, keys: [{ id: '31' }] },
          truncated: false,
        },
      ]);
    }
  });

  it('are found in a table without a key too', async () => {
    await engine.sql('CREATE TABLE prices (price bigint CHECK (price > 0), label text)');
    const job = buildTruncating(`CREATE TABLE prices (price INTEGER, label TEXT);
      INSERT INTO prices VALUES (1, 'a'), (-1, 'a'), (1, 'a'), (-1, 'a'), (2, 'b')`);

    await job.migrate();

    expect(rejectsOf(job).map(({ key }) => key)).toEqual([{ rowid: '2' }, { rowid: '4' }]);
    for (const mode of ['checksum', 'full'] as const)
      expect((await job.verify(mode))[0]?.verdict).toBe('passed');
  });

  it('are not taken for the reason when the target is at fault', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(prices(() => false)));
    await job.create();
    await engine.sql('ALTER TABLE prices DROP COLUMN label');

    expect(await failureOf(job.copy())).toMatchObject({
      code: 'TARGET_REFUSED',
      details: { sqlState: '42703' },
    });
    expect(rejectsOf(job)).toEqual([]);
  });
});
