import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { createTestMariaDb, describeWithMariaDb } from '../../helpers/mariadb.ts';
import { startLegacyMysql, type LegacyMysql } from '../../helpers/mysql-move.ts';

/** The server's way to UTF-8 writes `?` where it knows no character, and says nothing. */
describeWithMariaDb('MySQL cases: character sets that UTF-8 does not hold as they are', () => {
  let engine: TestEngine;
  let legacy: LegacyMysql;

  beforeAll(async () => {
    engine = await startTestEngine();
    legacy = await startLegacyMysql(engine);
  }, 120_000);

  afterAll(async () => {
    await legacy.close();
    await engine.close();
  });

  it('a byte beyond 7F in ASCII is a reject with its bytes, not a question mark', async () => {
    const moved = await legacy.move(
      `CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10) CHARACTER SET ascii);
       INSERT INTO t VALUES (1, x'41c83f'), (2, 'A?')`,
    );

    expect(moved.rejects()).toEqual([
      { column: 'v', reasonCode: 'INVALID_UTF8', key: { id: '1' } },
    ]);
    expect(await moved.rows('SELECT * FROM t')).toEqual([['2', 'A?']]);
  });

  it('a backslash in sjis, and a character that cp932 has twice, are carried over', async () => {
    const moved = await legacy.move(
      `CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(10) CHARACTER SET sjis, c VARCHAR(10) CHARACTER SET cp932);
       INSERT INTO t VALUES (1, _sjis x'433a5c3f', _cp932 x'8790ed403f'), (2, _sjis x'8540', NULL)`,
    );

    expect(await moved.rows('SELECT * FROM t')).toEqual([['1', 'C:\\?', '≒纊?']]);
    // Of these bytes sjis has no character.
    expect(moved.rejects()).toEqual([
      { column: 's', reasonCode: 'INVALID_UTF8', key: { id: '2' } },
    ]);
  });

  it('the zero bytes of UCS-2 and UTF-32 are no NUL characters', async () => {
    const moved = await legacy.move(
      `CREATE TABLE t (a VARCHAR(10) CHARACTER SET ucs2, b VARCHAR(10) CHARACTER SET utf32); INSERT INTO t VALUES ('a', 'b')`,
    );

    expect(await moved.rows('SELECT * FROM t')).toEqual([['a', 'b']]);
    expect(await moved.evidence('a')).not.toContain('NUL');
    expect(await moved.evidence('b')).not.toContain('NUL');
  });

  it('text of more UTF-8 than max_allowed_packet arrives, and is no NULL', async () => {
    const small = await createTestMariaDb({ ownServer: true });
    try {
      const { host, port, database, user, password } = small;
      await small.sql(
        `CREATE TABLE large (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET cp1251);
         INSERT INTO large VALUES (1, REPEAT(_cp1251 x'ff', 700000)), (2, NULL);
         SET GLOBAL max_allowed_packet = 1048576`,
      );
      const job = engine.buildJob({
        kind: 'mysql',
        location: { host, port, database, user, password, ssl: 'disable' },
      });
      await job.migrate();

      const [{ bytes } = { bytes: null }] = await engine.sql<{ bytes: number | null }>(
        'SELECT octet_length(v) AS bytes FROM large WHERE id = 1',
      );
      expect(bytes).toBe(1_400_000);
      expect(await job.verify('full')).toMatchObject([{ verdict: 'passed' }]);
    } finally {
      await small.close();
    }
  }, 60_000);
});
