import { QueryTypes, Transaction } from 'sequelize';

import { inTransaction } from '../../../src/models/transaction.ts';
import { openEmptyDatabase, type HubDatabase } from './hub-database.ts';

const { SERIALIZABLE } = Transaction.ISOLATION_LEVELS;

let database: HubDatabase;
let warn: typeof console.warn;

beforeAll(async () => {
  database = await openEmptyDatabase();
  await database.sequelize.query(
    'CREATE TABLE counters (name text PRIMARY KEY, value int4 NOT NULL)',
  );
  // Sequelize warns of each COMMIT that fails.
  warn = console.warn;
  console.warn = () => undefined;
});

beforeEach(async () => {
  await database.sequelize.query(
    `TRUNCATE counters; INSERT INTO counters VALUES ('a', 0), ('b', 0)`,
  );
});

afterAll(async () => {
  console.warn = warn;
  await database.close();
});

async function read(name: string, transaction?: Transaction): Promise<number> {
  const [row] = await database.sequelize.query<{ value: number }>(
    'SELECT value FROM counters WHERE name = $name',
    { bind: { name }, type: QueryTypes.SELECT, transaction: transaction ?? null },
  );
  return row?.value ?? -1;
}

async function write(name: string, value: number, transaction: Transaction): Promise<void> {
  await database.sequelize.query('UPDATE counters SET value = $value WHERE name = $name', {
    bind: { name, value },
    transaction,
  });
}

/** Resolves for all callers when as many have called as were expected; later calls pass. */
function barrier(expected: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let arrived = 0;
  return async () => {
    arrived += 1;
    if (arrived >= expected) resolve(undefined);
    await promise;
  };
}

describe('inTransaction', () => {
  it('runs the whole of it again when two serializable transactions write the same row', async () => {
    const bothHaveRead = barrier(2);
    let runs = 0;
    const increment = () =>
      inTransaction(
        database.sequelize,
        async (transaction) => {
          runs += 1;
          const value = await read('a', transaction);
          await bothHaveRead();
          await write('a', value + 1, transaction);
        },
        { isolationLevel: SERIALIZABLE },
      );

    await Promise.all([increment(), increment()]);

    expect(await read('a')).toBe(2);
    expect(runs).toBe(3);
  });

  it('runs the whole of it again when only the COMMIT fails', async () => {
    const bothHaveWritten = barrier(2);
    const endsOfWork: string[] = [];
    const copy = (from: string, to: string) =>
      inTransaction(
        database.sequelize,
        async (transaction) => {
          await write(to, (await read(from, transaction)) + 1, transaction);
          await bothHaveWritten();
          endsOfWork.push(to);
        },
        { isolationLevel: SERIALIZABLE },
      );

    await Promise.all([copy('a', 'b'), copy('b', 'a')]);

    expect(endsOfWork).toHaveLength(3);
    expect([await read('a'), await read('b')].sort()).toEqual([1, 2]);
  });

  it('runs again after a deadlock', async () => {
    const bothHoldOne = barrier(2);
    let runs = 0;
    const writeBoth = (first: string, second: string) =>
      inTransaction(database.sequelize, async (transaction) => {
        runs += 1;
        await write(first, 7, transaction);
        await bothHoldOne();
        await write(second, 7, transaction);
      });

    await Promise.all([writeBoth('a', 'b'), writeBoth('b', 'a')]);

    expect(runs).toBe(3);
    expect([await read('a'), await read('b')]).toEqual([7, 7]);
  });

  it('gives up after the attempts it was given, with the last error', async () => {
    let runs = 0;

    const failing = inTransaction(
      database.sequelize,
      async (transaction) => {
        runs += 1;
        await database.sequelize.query(`DO $$ BEGIN RAISE SQLSTATE '40001'; END $$`, {
          transaction,
        });
      },
      { maxAttempts: 3 },
    );

    await expect(failing).rejects.toMatchObject({ original: { code: '40001' } });
    expect(runs).toBe(3);
  });

  it('runs once and rolls back on any other error', async () => {
    let runs = 0;

    const failing = inTransaction(database.sequelize, async (transaction) => {
      runs += 1;
      await write('a', 5, transaction);
      throw new Error('no');
    });

    await expect(failing).rejects.toThrow('no');
    expect(runs).toBe(1);
    expect(await read('a')).toBe(0);
  });

  it('joins the transaction that it is given, and leaves the retry to who opened it', async () => {
    let outerRuns = 0;
    let innerRuns = 0;

    await inTransaction(database.sequelize, async (outer) => {
      outerRuns += 1;
      await inTransaction(
        database.sequelize,
        async (inner) => {
          innerRuns += 1;
          expect(inner).toBe(outer);
          if (outerRuns > 1) return;
          await database.sequelize.query(`DO $$ BEGIN RAISE SQLSTATE '40001'; END $$`, {
            transaction: inner,
          });
        },
        { transaction: outer },
      );
    });

    expect([outerRuns, innerRuns]).toEqual([2, 2]);
  });

  it('completes 12 increments of one row at once', async () => {
    await Promise.all(
      Array.from({ length: 12 }, () =>
        inTransaction(
          database.sequelize,
          async (transaction) => write('a', (await read('a', transaction)) + 1, transaction),
          { isolationLevel: SERIALIZABLE, maxAttempts: 30 },
        ),
      ),
    );

    expect(await read('a')).toBe(12);
  });
});
