import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { buildHostileSql } from '../../helpers/legacy-mysql.ts';
import { describeWithMariaDb } from '../../helpers/mariadb.ts';
import { startLegacyMysql, type LegacyMysql } from '../../helpers/mysql-move.ts';

/** What a MySQL or MariaDB schema says, and what has to hold in PostgreSQL afterwards. */
describeWithMariaDb('MySQL cases: schemas', () => {
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

  const move: LegacyMysql['move'] = (sql, options) => legacy.move(sql, options);

  describe('29: AUTO_INCREMENT', () => {
    it('goes on at its own counter', async () => {
      const moved = await move(
        `CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 500;
         CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO u VALUES (1, 1), (2, 2), (9, 9); DELETE FROM u WHERE id = 9`,
      );

      expect(await moved.rows('INSERT INTO t (v) VALUES (1) RETURNING id')).toEqual([['500']]);
      expect(await moved.rows('INSERT INTO u (v) VALUES (1) RETURNING id')).toEqual([['10']]);
    });
  });

  it('30: generated columns are generated, or data where the expression cannot be carried over', async () => {
    const moved = await move(
      `CREATE TABLE t (a INT PRIMARY KEY, twice INT AS (a * 2) STORED, c VARCHAR(64) AS (SHA1(a)) STORED); INSERT INTO t (a) VALUES (1), (2)`,
    );

    expect(await moved.rows('SELECT a, twice FROM t ORDER BY a')).toEqual([
      ['1', '2'],
      ['2', '4'],
    ]);
    expect(
      await moved.rows(`SELECT c = encode(sha256(''), 'hex'), length(c) FROM t WHERE a = 1`),
    ).toEqual([['f', '40']]);
    expect(await moved.findings()).toContain('GENERATED_AS_DATA');
  });

  it('30: a column that is generated out of a generated one is data, which PostgreSQL would refuse to compute', async () => {
    const moved = await move(
      `CREATE TABLE t (a INT, b INT AS (a + 1) VIRTUAL, c INT AS (b * 2) STORED); INSERT INTO t (a) VALUES (1), (NULL)`,
    );

    expect(await moved.rows('SELECT * FROM t ORDER BY a')).toEqual([
      ['1', '2', '4'],
      [null, null, null],
    ]);
    expect(await moved.rows('INSERT INTO t (a, c) VALUES (5, 7) RETURNING b, c')).toEqual([
      ['6', '7'],
    ]);
    expect(await moved.findings()).toContain('GENERATED_AS_DATA');
  });

  it('30: a column that is generated out of what a policy changes keeps the values that it had', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, d DATE, y INT AS (YEAR(d)) STORED); INSERT INTO t (id, d) VALUES (1, '0000-00-00'), (2, '2024-05-06')`,
    );

    expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
      ['1', null, '0'],
      ['2', '2024-05-06', '2024'],
    ]);
    expect(await moved.findings()).toContain('GENERATED_AS_DATA');
  });

  it('31: ON UPDATE is a trigger that fires only when the row changes, and defaults are carried over', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, v INT DEFAULT (1+2), w VARCHAR(10) DEFAULT 'null', u VARCHAR(36) DEFAULT (uuid()),
         s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
       INSERT INTO t VALUES (1, 1, NULL, 'x', '2020-01-01 00:00:00')`,
    );

    await moved.rows('UPDATE t SET v = 1');
    expect(
      await moved.rows('SELECT extract(year FROM s) = 2020 OR extract(year FROM s) = 2019 FROM t'),
    ).toEqual([['t']]);
    await moved.rows('UPDATE t SET v = 2');
    expect(await moved.rows("SELECT s > now() - interval '1 hour' FROM t")).toEqual([['t']]);
    expect(await moved.rows('INSERT INTO t (id) VALUES (2) RETURNING v, w, length(u)')).toEqual([
      ['3', 'null', '36'],
    ]);
  });

  it('32: names keep their meaning, whatever is in them', async () => {
    const moved = await move(
      'CREATE TABLE `select` (`Mixed Case` INT PRIMARY KEY, `Über` INT, `a"b` INT); INSERT INTO `select` VALUES (1, 2, 3)',
      { identifiers: 'preserve' },
    );

    expect(await moved.rows('SELECT "Mixed Case", "Über", "a""b" FROM "select"')).toEqual([
      ['1', '2', '3'],
    ]);
  });

  it('33: names that are too long for PostgreSQL are cut, and stay apart', async () => {
    const name = 'ü'.repeat(60);
    const moved = await move(
      `CREATE TABLE \`${name}a\` (\`${name}x\` INT PRIMARY KEY, \`${name}y\` INT); CREATE TABLE \`${name}b\` (v INT); INSERT INTO \`${name}a\` VALUES (1, 2)`,
    );

    const tables = await engine.sql<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1`,
      [moved.schema],
    );
    expect(tables).toHaveLength(2);
    expect(tables.every((table) => Buffer.byteLength(table.name) <= 63)).toBe(true);
  });

  it('34: prefix indexes stay prefix indexes, and FULLTEXT becomes a search index', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100) COLLATE utf8mb4_bin, w TEXT, UNIQUE KEY p (v(3)), KEY d (id DESC), FULLTEXT KEY f (w)); INSERT INTO t VALUES (1, 'abcdef', 'some words')`,
    );

    await expect(moved.rows(`INSERT INTO t VALUES (2, 'abcxyz', '')`)).rejects.toThrow(/unique/);
    const indexes = await engine.sql<{ definition: string }>(
      `SELECT indexdef AS definition FROM pg_indexes WHERE schemaname = $1`,
      [moved.schema],
    );
    const text = indexes.map(({ definition }) => definition).join('\n');
    expect(text).toMatch(/"?left"?\(/);
    expect(text).toMatch(/gin .*to_tsvector/i);
    expect(text).toMatch(/id DESC/);
  });

  describe('35: a foreign key between texts that the source takes for equal', () => {
    const LEGACY = `CREATE TABLE p (k VARCHAR(10) COLLATE utf8mb4_general_ci PRIMARY KEY); INSERT INTO p VALUES ('ABC');
      CREATE TABLE t (id INT PRIMARY KEY, k VARCHAR(10) COLLATE utf8mb4_general_ci, CONSTRAINT own FOREIGN KEY (k) REFERENCES p (k));`;

    async function isValidated(schema: string): Promise<unknown> {
      const [key] = await engine.sql<{ valid: boolean }>(
        `SELECT convalidated AS valid FROM pg_constraint WHERE contype = 'f' AND connamespace = $1::regnamespace`,
        [schema],
      );
      return key?.valid;
    }

    it('holds where they differ in case', async () => {
      const moved = await move(`${LEGACY} INSERT INTO t VALUES (1, 'abc'), (2, 'Abc')`);

      expect(await isValidated(moved.schema)).toBe(true);
      expect(await moved.rows('SELECT k FROM t ORDER BY id')).toEqual([['abc'], ['Abc']]);
    });

    it('stays NOT VALID where they differ in spaces at the end, and says which', async () => {
      const moved = await move(`${LEGACY} INSERT INTO t VALUES (1, 'abc'), (2, 'ABC ')`);

      expect(await isValidated(moved.schema)).toBe(false);
      const finding = (await moved.job.plan()).findings.find(
        ({ code }) => code === 'ORPHANED_ROWS',
      );
      expect(finding).toMatchObject({ count: 1, samples: [{ id: '2' }] });
    });
  });

  it('36: UNIQUE keeps its idea of equal', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_general_ci UNIQUE); INSERT INTO t VALUES (1, 'Zoë')`,
    );

    await expect(moved.rows(`INSERT INTO t VALUES (2, 'ZOE')`)).rejects.toThrow(/unique/);
  });

  it('37: rows that are twice there are twice there', async () => {
    const moved = await move(
      `CREATE TABLE t (a INT, b VARCHAR(5), f FLOAT); INSERT INTO t VALUES (1, 'x', 0.1), (1, 'x', 0.1), (2, 'a\\0', 1), (2, 'a\\0', 1), (2, 'y', NULL)`,
    );

    expect(await moved.rows('SELECT a, b FROM t ORDER BY a, b')).toEqual([
      ['1', 'x'],
      ['1', 'x'],
      ['2', 'y'],
    ]);
    expect(moved.rejects()).toHaveLength(2);
  });

  it('38: every row is in exactly one chunk, whatever the key is', async () => {
    const moved = await move(
      `CREATE TABLE big (id BIGINT PRIMARY KEY); INSERT INTO big VALUES (-9223372036854775808), (0), (9007199254740993), (9007199254740992), (9223372036854775807);
       CREATE TABLE pair (a VARCHAR(10) COLLATE utf8mb4_general_ci, b INT, PRIMARY KEY (a, b)); INSERT INTO pair VALUES ('b', 2), ('B', 1), ('a', 9), ('é', 0), ('z', -1), ('', 0);
       CREATE TABLE words (k VARCHAR(10) COLLATE utf8mb4_bin PRIMARY KEY); INSERT INTO words VALUES ('a'), ('a\\t'), ('B'), ('é'), ('😀');
       CREATE TABLE nullable (k INT, UNIQUE (k)); INSERT INTO nullable VALUES (NULL), (NULL), (1), (2)`,
      { chunkRows: 2 },
    );

    const { tables } = await moved.job.plan();
    expect(new Map(tables.map(({ source, chunks }) => [source, chunks.length]))).toEqual(
      new Map([
        ['pair', 3],
        ['big', 3],
        ['words', 3],
        ['nullable', 1],
      ]),
    );
    for (const [table, rows] of [
      ['big', '5'],
      ['pair', '6'],
      ['words', '5'],
      ['nullable', '4'],
    ]) {
      expect(await moved.rows(`SELECT count(*) FROM ${String(table)}`)).toEqual([[rows]]);
    }
  });

  it('39: shapes are carried over as EWKB', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, a POINT, b GEOMETRY); INSERT INTO t VALUES (1, POINT(10, 20), ST_GeomFromText('LINESTRING(1 2,3 4)', 4326)), (2, NULL, NULL)`,
    );

    expect(await moved.rows('SELECT a, b FROM t ORDER BY id')).toEqual([
      [
        '\\x010100000000000000000024400000000000003440',
        '\\x0102000020e610000002000000000000000000f03f000000000000004000000000000008400000000000001040',
      ],
      [null, null],
    ]);
    expect(await moved.findings()).toContain('GEOMETRY_AS_BYTES');
  });

  it('40: a value of many megabytes arrives', async () => {
    await legacy.mariadb.sql('SET GLOBAL max_allowed_packet = 1073741824');
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB, c LONGTEXT); INSERT INTO t VALUES (1, REPEAT(x'00ff', 4000000), REPEAT('é', 4000000)), (2, '', '')`,
    );

    expect(
      await moved.rows(
        `SELECT length(b), md5(b) = md5(decode(repeat('00ff', 4000000), 'hex')), c = repeat('é', 4000000) FROM t ORDER BY id`,
      ),
    ).toEqual([
      ['8000000', 't', 't'],
      ['0', 'f', 'f'],
    ]);
  }, 60_000);

  it('a database that nobody has looked after arrives whole', async () => {
    const moved = await move(buildHostileSql(), { chunkRows: 2 });

    expect(
      moved
        .rejects()
        .map(({ reasonCode }) => reasonCode)
        .sort(),
    ).toEqual(expect.arrayContaining(['INVALID_DATE', 'TEXT_NUL']));
  }, 60_000);
});
