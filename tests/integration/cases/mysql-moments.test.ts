import { isAppError } from '../../../src/errors/app-error.ts';
import { DEFAULT_JOB_OPTIONS, type SourceSnapshot } from '../../../src/engine/contract.ts';
import type { MysqlLocation } from '../../../src/engine/sources/mysql.ts';
import { openSource } from '../../../src/engine/sources/registry.ts';
import { assess } from '../../../src/engine/steps/assess.ts';
import { plan } from '../../../src/engine/steps/plan.ts';
import { createTestMariaDb, describeWithMariaDb, type TestMariaDb } from '../../helpers/mariadb.ts';

const { signal } = new AbortController();

/** Which moment of the source a job's readers see, and what happens when the source does not play along. */
describeWithMariaDb('MySQL moments', () => {
  let mariadb: TestMariaDb;
  let location: MysqlLocation;

  beforeAll(async () => {
    mariadb = await createTestMariaDb();
    const { host, port, database, user, password } = mariadb;
    location = { host, port, database, user, password, ssl: 'disable' };
    await mariadb.sql(
      "CREATE TABLE t (id INT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, REPEAT('x', 100)), (2, NULL)",
    );
  }, 120_000);
  afterAll(() => mariadb.close());

  async function withSnapshot(
    at: MysqlLocation,
    lanes: number,
    look: (snapshot: SourceSnapshot) => Promise<void>,
  ): Promise<void> {
    const source = openSource('mysql', at);
    try {
      const snapshot = await source.openSnapshot({ lanes, consistency: 'snapshot' });
      await look(snapshot);
    } finally {
      await source.close();
    }
  }

  async function rowsSeen(snapshot: SourceSnapshot, lane: number): Promise<number> {
    const source = openSource('mysql', location);
    try {
      const assessment = await assess({ source, options: DEFAULT_JOB_OPTIONS, signal });
      const [table] = plan(assessment, DEFAULT_JOB_OPTIONS).tables;
      if (table === undefined) throw new Error('no table');
      return await snapshot.countRows({ lane, table, signal });
    } finally {
      await source.close();
    }
  }

  it('all lanes see the moment at which they began, and writers go on', async () => {
    await withSnapshot(location, 3, async (snapshot) => {
      expect(snapshot.level).toBe('snapshot');
      await mariadb.sql('INSERT INTO t VALUES (3, NULL)');
      try {
        for (const lane of [0, 1, 2]) expect(await rowsSeen(snapshot, lane)).toBe(2);
      } finally {
        await mariadb.sql('DELETE FROM t WHERE id = 3');
      }
    });
  });

  it('an account that may only lock tables gets one moment too', async () => {
    const account = await mariadb.createAccount([`SELECT, LOCK TABLES ON ${mariadb.database}.*`]);
    await withSnapshot({ ...location, ...account }, 2, (snapshot) => {
      expect(snapshot.level).toBe('snapshot');
      return Promise.resolve();
    });
  });

  it('an account that may only read gets one moment in one lane, and says so where it has none in several', async () => {
    const account = await mariadb.createAccount([`SELECT ON ${mariadb.database}.*`]);
    await withSnapshot({ ...location, ...account }, 1, (snapshot) => {
      expect(snapshot.level).toBe('snapshot');
      return Promise.resolve();
    });
    const [log] = await mariadb.sql('SELECT @@log_bin AS has');
    await withSnapshot({ ...location, ...account }, 2, (snapshot) => {
      // With a binary log MariaDB tells each lane where its snapshot stands.
      expect(snapshot.level).toBe(Number(log?.has) === 1 ? 'snapshot' : 'none');
      expect(snapshot.lanes).toBe(2);
      return Promise.resolve();
    });
  });

  it.each([
    ['a table', ''],
    ['a table with a history', 'WITH SYSTEM VERSIONING'],
  ])('%s whose engine knows no snapshot makes the level none', async (_, history) => {
    await mariadb.sql(`CREATE TABLE old (id INT PRIMARY KEY) ENGINE = MyISAM ${history}`);
    try {
      await withSnapshot(location, 1, (snapshot) => {
        expect(snapshot.level).toBe('none');
        return Promise.resolve();
      });
    } finally {
      await mariadb.sql('DROP TABLE old');
    }
  });

  it('a long transaction is waited for some seconds only, and writers are not held up longer', async () => {
    await mariadb.sql('BEGIN; INSERT INTO t VALUES (4, NULL)');
    try {
      const begun = Date.now();
      await withSnapshot(location, 1, (snapshot) => {
        expect(snapshot.level).toBe('snapshot');
        return Promise.resolve();
      });
      expect(Date.now() - begun).toBeLessThan(20_000);
    } finally {
      await mariadb.sql('ROLLBACK');
    }
  });

  describe('errors', () => {
    async function codeOf(at: MysqlLocation): Promise<unknown> {
      const source = openSource('mysql', at);
      try {
        await source.readCatalog(signal);
        return 'none';
      } catch (error) {
        return isAppError(error) ? `${error.code} ${error.message}` : error;
      } finally {
        await source.close();
      }
    }

    it('tell a wrong password, a missing database, a closed port and missing rights apart, and no secrets', async () => {
      const wrong = await codeOf({ ...location, password: 'wrong-secret' });
      const account = await mariadb.createAccount([]);

      expect(wrong).toMatch(/^SOURCE_AUTHENTICATION_FAILED/);
      expect(wrong).not.toContain('wrong-secret');
      expect(await codeOf({ ...location, database: 'nowhere_at_all' })).toMatch(
        /^SOURCE_DATABASE_MISSING/,
      );
      expect(await codeOf({ ...location, port: 1 })).toMatch(/^SOURCE_UNREACHABLE/);
      expect(await codeOf({ ...location, ...account })).toMatch(/^SOURCE_PERMISSION_DENIED/);
    });

    it('say that TLS was wanted where the server has none', async () => {
      const [tls] = await mariadb.sql('SELECT @@have_ssl AS has');
      expect(await codeOf({ ...location, ssl: 'require' })).toMatch(
        tls?.has === 'YES' ? /^none/ : /^SOURCE_UNREACHABLE/,
      );
    });

    it('name a table that was altered since it was planned', async () => {
      await mariadb.sql('CREATE TABLE changing (id INT PRIMARY KEY, v INT)');
      const source = openSource('mysql', location);
      try {
        const assessment = await assess({ source, options: DEFAULT_JOB_OPTIONS, signal });
        const table = plan(assessment, DEFAULT_JOB_OPTIONS).tables.find(
          (each) => each.source === 'changing',
        );
        await mariadb.sql('ALTER TABLE changing MODIFY v VARCHAR(10)');
        const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'snapshot' });
        const [chunk] = table?.chunks ?? [];
        if (table === undefined || chunk === undefined) throw new Error('no table');
        const { policies } = DEFAULT_JOB_OPTIONS;
        const batches = snapshot.readChunk({ lane: 0, table, chunk, policies, signal });

        await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
          code: 'SOURCE_CHANGED',
        });
      } finally {
        await source.close();
        await mariadb.sql('DROP TABLE changing');
      }
    });
  });

  it('a lane whose server dies says that the source cannot be reached', async () => {
    const own = await createTestMariaDb({ ownServer: true });
    const { host, port, database, user, password } = own;
    await own.sql(
      "CREATE TABLE t (id INT PRIMARY KEY, v TEXT); INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000",
    );
    const source = openSource('mysql', { host, port, database, user, password, ssl: 'disable' });
    try {
      const assessment = await assess({ source, options: DEFAULT_JOB_OPTIONS, signal });
      const options = { ...DEFAULT_JOB_OPTIONS, chunkRows: 1_000_000 };
      const [table] = plan(assessment, options).tables;
      const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'snapshot' });
      if (table === undefined) throw new Error('no table');
      const chunk = { number: 1, lower: null, upper: null };
      const { policies } = options;
      const batches = snapshot.readChunk({ lane: 0, table, chunk, policies, signal });

      const reading = (async () => {
        let batchesRead = 0;
        for await (const batch of batches) {
          batchesRead += batch.rowsRead > 0 ? 1 : 0;
          if (batchesRead === 1) await own.kill();
        }
        return batchesRead;
      })();

      await expect(reading).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        recovery: 'retriable',
      });
    } finally {
      await source.close();
    }
  }, 60_000);
});
