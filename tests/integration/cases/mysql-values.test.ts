import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { describeWithMariaDb } from '../../helpers/mariadb.ts';
import { startLegacyMysql, type LegacyMysql } from '../../helpers/mysql-move.ts';

/**
 * What MySQL and MariaDB hold, and what has to be in PostgreSQL afterwards: real servers, and the answer of plain SQL. Every
 * case is also verified by both comparisons, `checksum` and `full`.
 */
describeWithMariaDb('MySQL cases: values', () => {
  let engine: TestEngine;
  let legacy: LegacyMysql;
  let move: LegacyMysql['move'];

  beforeAll(async () => {
    engine = await startTestEngine();
    legacy = await startLegacyMysql(engine);
    move = (sql, options) => legacy.move(sql, options);
  }, 120_000);

  afterAll(async () => {
    await legacy.close();
    await engine.close();
  });

  describe('1: a zero date in a column that takes NULL', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, d DATE NULL, m DATETIME(3) NULL, s TIMESTAMP NULL);
      INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'), (2, '2024-02-29', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00')`;

    it('becomes NULL, and each is counted', async () => {
      const moved = await move(LEGACY);

      expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
        ['1', null, null, null],
        ['2', '2024-02-29', '2024-02-29 12:00:00.5', '2024-02-29 06:30:00+00'],
      ]);
      expect(moved.adjustments()).toEqual([
        { column: 'd', rule: 'ZERO_DATE', count: 1 },
        { column: 'm', rule: 'ZERO_DATE', count: 1 },
        { column: 's', rule: 'ZERO_DATE', count: 1 },
      ]);
    });

    it('becomes the first day of the calendar where that is asked for', async () => {
      const moved = await move(LEGACY, { policies: { zeroDate: 'sentinel' } });

      expect(await moved.rows('SELECT * FROM t WHERE id = 1')).toEqual([
        ['1', '0001-01-01', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00'],
      ]);
    });

    it('becomes a reject where that is asked for', async () => {
      const moved = await move(LEGACY, { policies: { zeroDate: 'reject' } });

      expect(moved.rejects()).toEqual([{ column: 'd', reasonCode: 'ZERO_DATE', key: { id: '1' } }]);
      expect(await moved.rows('SELECT id FROM t')).toEqual([['2']]);
    });
  });

  it('1: a zero date in a primary key is announced and becomes a reject', async () => {
    const moved = await move(
      `CREATE TABLE t (d DATE PRIMARY KEY); INSERT INTO t VALUES ('0000-00-00'), ('2024-02-29')`,
    );

    expect(moved.rejects()).toEqual([
      { column: 'd', reasonCode: 'PK_NULL', key: { d: '0000-00-00' } },
    ]);
    const { findings } = await moved.job.plan();
    expect(findings.map(({ message }) => message)).toContain(
      '1 row with 0000-00-00: NULL, which a primary key cannot hold: these rows will be rejected',
    );
  });

  it('2: a zero date in a NOT NULL column relaxes it and drops the default', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00');
       INSERT INTO t VALUES (1, '0000-00-00'), (2, '2024-01-01')`,
    );

    expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
      ['1', null],
      ['2', '2024-01-01'],
    ]);
    const [column] = await engine.sql<{ nullable: string; given: string | null }>(
      `SELECT is_nullable AS nullable, column_default AS given FROM information_schema.columns WHERE table_schema = $1 AND column_name = 'd'`,
      [moved.schema],
    );
    expect(column).toEqual({ nullable: 'YES', given: null });
    expect(await moved.evidence('d')).toContain('1 row with 0000-00-00');
  });

  describe('3: a date without month or day', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, d DATE, m DATETIME);
      INSERT INTO t VALUES (1, '2010-00-00', '2010-05-00 10:00:00'), (2, '2010-05-00', NULL)`;

    it('becomes NULL, and is counted', async () => {
      const moved = await move(LEGACY);

      expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
        ['1', null, null],
        ['2', null, null],
      ]);
      expect(moved.adjustments()).toEqual([
        { column: 'd', rule: 'PARTIAL_DATE', count: 2 },
        { column: 'm', rule: 'PARTIAL_DATE', count: 1 },
      ]);
    });

    it('becomes the first day where that is asked for', async () => {
      const moved = await move(LEGACY, { policies: { partialDate: 'first' } });

      expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
        ['1', '2010-01-01', '2010-05-01 10:00:00'],
        ['2', '2010-05-01', null],
      ]);
    });
  });

  it('4: a date that is on no calendar becomes a reject', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, d DATE); INSERT INTO t VALUES (1, '2023-02-30'), (2, '2024-02-29')`,
    );

    expect(moved.rejects()).toEqual([
      { column: 'd', reasonCode: 'INVALID_DATE', key: { id: '1' } },
    ]);
    expect(await moved.rows('SELECT * FROM t')).toEqual([['2', '2024-02-29']]);
  });

  it('5: DATETIME keeps its digits, also inside a gap of summer time', async () => {
    const moved = await move(
      `CREATE TABLE t (m DATETIME); INSERT INTO t VALUES ('2021-03-28 02:30:00'), ('9999-12-31 23:59:59'), ('1000-01-01 00:00:00')`,
    );

    expect(await moved.typeOf('m')).toBe('timestamp(0) without time zone');
    expect(await moved.rows('SELECT m FROM t ORDER BY m')).toEqual([
      ['1000-01-01 00:00:00'],
      ['2021-03-28 02:30:00'],
      ['9999-12-31 23:59:59'],
    ]);
  });

  it('6: TIMESTAMP is the same instant, whatever zone the session that wrote it had', async () => {
    const moved = await move(
      `CREATE TABLE t (s TIMESTAMP(6) NULL); SET time_zone = '-08:00'; INSERT INTO t VALUES ('2021-06-01 12:00:00.123400'), (NULL)`,
    );

    expect(await moved.typeOf('s')).toBe('timestamp(6) with time zone');
    expect(await moved.rows('SELECT s FROM t ORDER BY s')).toEqual([
      ['2021-06-01 20:00:00.1234+00'],
      [null],
    ]);
  });

  it('7: DATETIME(3) keeps its fraction', async () => {
    const moved = await move(
      `CREATE TABLE t (m DATETIME(3) DEFAULT current_timestamp(3)); INSERT INTO t VALUES ('2021-06-01 12:00:00.120'), ('2021-06-01 12:00:00.000')`,
    );

    expect(await moved.typeOf('m')).toBe('timestamp(3) without time zone');
    expect(await moved.rows('SELECT m FROM t ORDER BY m')).toEqual([
      ['2021-06-01 12:00:00'],
      ['2021-06-01 12:00:00.12'],
    ]);
  });

  describe('8: TIME', () => {
    it('becomes an interval where it is no time of day', async () => {
      const moved = await move(
        `CREATE TABLE t (v TIME(6)); INSERT INTO t VALUES ('838:59:59'), ('-12:34:56.789012'), ('-00:00:00.5'), ('00:00:00'), (NULL)`,
      );

      expect(await moved.typeOf('v')).toBe('interval');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([
        ['-12:34:56.789012'],
        ['-00:00:00.5'],
        ['00:00:00'],
        ['838:59:59'],
        [null],
      ]);
      expect(await moved.evidence('v')).toBe(
        'time(6): 3 values outside 00:00:00 to 24:00:00 → interval',
      );
    });

    it('becomes a time where it is one, 24:00:00 included', async () => {
      const moved = await move(
        `CREATE TABLE t (v TIME(2)); INSERT INTO t VALUES ('24:00:00'), ('23:59:59.99'), ('00:00:00')`,
      );

      expect(await moved.typeOf('v')).toBe('time(2) without time zone');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([
        ['00:00:00'],
        ['23:59:59.99'],
        ['24:00:00'],
      ]);
    });
  });

  it('9: YEAR becomes smallint, and 0000 is 0', async () => {
    const moved = await move(
      `CREATE TABLE t (y YEAR); INSERT INTO t VALUES (0), (1901), (2155), (NULL)`,
    );

    expect(await moved.typeOf('y')).toBe('smallint');
    expect(await moved.rows('SELECT y FROM t ORDER BY y')).toEqual([
      ['0'],
      ['1901'],
      ['2155'],
      [null],
    ]);
  });

  describe('10: TINYINT(1)', () => {
    it('becomes smallint where it holds more than truth values, and says so', async () => {
      const moved = await move(
        `CREATE TABLE t (active TINYINT(1)); INSERT INTO t VALUES (0), (1), (2), (-1), (NULL)`,
      );

      expect(await moved.typeOf('active')).toBe('smallint');
      expect(await moved.rows('SELECT active FROM t ORDER BY active')).toEqual([
        ['-1'],
        ['0'],
        ['1'],
        ['2'],
        [null],
      ]);
      expect(await moved.evidence('active')).toBe('tinyint(1): 2 rows outside {0,1} → smallint');
    });

    it('becomes boolean where it holds truth values only', async () => {
      const moved = await move(
        `CREATE TABLE t (active TINYINT(1)); INSERT INTO t VALUES (0), (1), (NULL)`,
      );

      expect(await moved.typeOf('active')).toBe('boolean');
      expect(await moved.rows('SELECT active FROM t ORDER BY active')).toEqual([
        ['f'],
        ['t'],
        [null],
      ]);
    });
  });

  describe('11: BIGINT UNSIGNED', () => {
    it('becomes numeric(20,0), exact', async () => {
      const moved = await move(
        `CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY); INSERT INTO t VALUES (18446744073709551615), (0), (9223372036854775808)`,
        { chunkRows: 1 },
      );

      expect(await moved.typeOf('id')).toBe('numeric(20,0)');
      expect(await moved.rows('SELECT id FROM t ORDER BY id')).toEqual([
        ['0'],
        ['9223372036854775808'],
        ['18446744073709551615'],
      ]);
    });

    it('becomes a bigint identity where it counts itself, and what refers to it follows', async () => {
      const moved = await move(
        `CREATE TABLE p (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY); INSERT INTO p VALUES (7), (9007199254740993);
         CREATE TABLE t (id INT PRIMARY KEY, p BIGINT UNSIGNED, FOREIGN KEY (p) REFERENCES p (id)); INSERT INTO t VALUES (1, 7), (2, 9007199254740993)`,
      );

      expect(await moved.typeOf('id', 'p')).toBe('bigint');
      expect(await moved.typeOf('p')).toBe('bigint');
      const [key] = await engine.sql(
        `SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = $1::regnamespace`,
        [moved.schema],
      );
      expect(key).toEqual({ convalidated: true });
    });
  });

  it('12: INT UNSIGNED becomes bigint, ZEROFILL is display only', async () => {
    const moved = await move(
      `CREATE TABLE t (u INT UNSIGNED, z INT(5) ZEROFILL, d DECIMAL(6,2) ZEROFILL); INSERT INTO t VALUES (4294967295, 42, 1.5)`,
    );

    expect(await moved.typeOf('u')).toBe('bigint');
    expect(await moved.typeOf('z')).toBe('bigint');
    expect(await moved.rows('SELECT * FROM t')).toEqual([['4294967295', '42', '1.50']]);
    expect(await moved.findings()).toContain('ZEROFILL');
  });

  it('13: FLOAT keeps its four bytes', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, f FLOAT); INSERT INTO t VALUES (1, 16777217), (2, 1234567.891), (3, 0.1), (4, -3.4028235e38), (5, 1e-45)`,
    );

    expect(await moved.typeOf('f')).toBe('real');
    expect(await moved.rows('SELECT f::float8 FROM t ORDER BY id')).toEqual([
      ['16777216'],
      ['1234567.875'],
      ['0.10000000149011612'],
      ['-3.4028234663852886e+38'],
      ['1.401298464324817e-45'],
    ]);
  });

  it('14: DOUBLE keeps its eight bytes', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, v DOUBLE); INSERT INTO t VALUES (1, 0.1e0 + 0.2e0), (2, 5e-324), (3, -1.797e308), (4, 1e15), (5, 9007199254740993)`,
    );

    expect(await moved.rows('SELECT v FROM t ORDER BY id')).toEqual([
      ['0.30000000000000004'],
      ['5e-324'],
      ['-1.797e+308'],
      ['1e+15'],
      ['9.007199254740992e+15'],
    ]);
  });

  it('15: FLOAT(7,4) and DOUBLE(10,2) are floating point', async () => {
    const moved = await move(
      `CREATE TABLE t (f FLOAT(7,4), d DOUBLE(10,2)); INSERT INTO t VALUES (123.45678, 12345678.905)`,
    );

    expect(await moved.typeOf('f')).toBe('real');
    expect(await moved.typeOf('d')).toBe('double precision');
    expect(await moved.rows('SELECT * FROM t')).toEqual([['123.4568', '12345678.9']]);
  });

  it('16: DECIMAL(65,30) is exact', async () => {
    const number = `${'9'.repeat(35)}.${'9'.repeat(29)}1`;
    const moved = await move(
      `CREATE TABLE t (v DECIMAL(65,30), w DECIMAL(10,2)); INSERT INTO t VALUES (${number}, -0.00), (-${number}, 1.5), (0, -0.01)`,
    );

    expect(await moved.typeOf('v')).toBe('numeric(65,30)');
    expect(await moved.rows('SELECT v, w FROM t ORDER BY v')).toEqual([
      [`-${number}`, '1.50'],
      [`0.${'0'.repeat(30)}`, '-0.01'],
      [number, '0.00'],
    ]);
  });

  it('17: BIT(1) is a truth value, BIT(n) bits', async () => {
    const moved = await move(
      `CREATE TABLE t (a BIT(1), b BIT(8), c BIT(64), d BIT(9)); INSERT INTO t VALUES (b'1', b'10101010', 0xffffffffffffffff, 1), (b'0', 0, 0, NULL)`,
    );

    expect(await moved.typeOf('a')).toBe('boolean');
    expect(await moved.typeOf('c')).toBe('bit(64)');
    expect(await moved.rows('SELECT * FROM t ORDER BY a')).toEqual([
      ['f', '00000000', '0'.repeat(64), null],
      ['t', '10101010', '1'.repeat(64), '000000001'],
    ]);
  });

  describe('18: the error value of ENUM', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a','')); INSERT INTO t VALUES (1, 'a'), (2, ''), (3, 'nonsense')`;

    it('becomes a reject, and the label of nothing stays what it is', async () => {
      const moved = await move(LEGACY);

      expect(await moved.rows('SELECT id, e FROM t ORDER BY id')).toEqual([
        ['1', 'a'],
        ['2', ''],
      ]);
      expect(moved.rejects()).toEqual([
        { column: 'e', reasonCode: 'ENUM_ERROR_VALUE', key: { id: '3' } },
      ]);
    });

    it('becomes NULL where that is asked for', async () => {
      const moved = await move(LEGACY, { columnPolicies: { 't.e': { enumError: 'null' } } });

      expect(await moved.rows('SELECT id, e FROM t ORDER BY id')).toEqual([
        ['1', 'a'],
        ['2', ''],
        ['3', null],
      ]);
    });
  });

  it('19: ENUM becomes a type of its own, or text with a CHECK where a label is too long', async () => {
    const long = 'é'.repeat(32);
    const moved = await move(
      `CREATE TABLE t (e ENUM('it''s', 'b\\\\s', 'Über', '"q"') CHARACTER SET utf8mb4, l ENUM('a', '${long}')); INSERT INTO t VALUES ('it''s', 'a'), ('b\\\\s', '${long}'), ('Über', NULL), ('"q"', 'a');
       CREATE TABLE u (e ENUM('it''s', 'b\\\\s')); INSERT INTO u VALUES (1), (2)`,
    );

    expect(await moved.rows('SELECT e FROM t ORDER BY e')).toEqual([
      ["it's"],
      ['b\\s'],
      ['Über'],
      ['"q"'],
    ]);
    expect(await moved.typeOf('l')).toBe('text');
    await expect(moved.rows(`INSERT INTO t (l) VALUES ('b')`)).rejects.toThrow(/check/);
    expect(await moved.rows('SELECT e FROM u ORDER BY e')).toEqual([["it's"], ['b\\s']]);
  });

  it('20: SET becomes an array of text', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, s SET('NULL', 'q"q', '{', 'a b', 'b\\\\s', 'plain')); INSERT INTO t VALUES (1, 'NULL'), (2, 'q"q,{'), (3, ''), (4, NULL), (5, 'a b,b\\\\s,plain')`,
    );

    expect(await moved.typeOf('s')).toBe('text[]');
    expect(await moved.rows('SELECT s, cardinality(s) FROM t ORDER BY id')).toEqual([
      ['{"NULL"}', '1'],
      ['{"q\\"q","{"}', '2'],
      ['{}', '0'],
      [null, null],
      ['{"a b","b\\\\s",plain}', '3'],
    ]);
  });

  it('21: JSON becomes jsonb with all its digits', async () => {
    const moved = await move(
      `CREATE TABLE t (j JSON); INSERT INTO t VALUES ('{"n":12345678901234567890.123,"d":1.0}'), ('[1e3, -0, 1.50e1, "\\\\u00e9\\\\n", {"bb":1,"a":2,"é":3}]')`,
    );

    expect(await moved.typeOf('j')).toBe('jsonb');
    expect(await moved.rows('SELECT j FROM t ORDER BY j::text COLLATE "C"')).toEqual([
      ['[1000, 0, 15.0, "é\\n", {"a": 2, "bb": 1, "é": 3}]'],
      ['{"d": 1.0, "n": 12345678901234567890.123}'],
    ]);
  });

  it('22: JSON with two equal keys in an object becomes json, and keeps both', async () => {
    const moved = await move(
      `CREATE TABLE t (id INT PRIMARY KEY, j JSON, k JSON); INSERT INTO t VALUES (1, '{"a": 1, "a":2}', '{}')`,
    );

    expect(await moved.typeOf('j')).toBe('json');
    expect(await moved.typeOf('k')).toBe('jsonb');
    expect(await moved.rows('SELECT j FROM t')).toEqual([['{"a": 1, "a":2}']]);
    expect(await moved.findings()).toContain('JSON_DUPLICATE_KEY');
    const checks = await engine.sql(
      `SELECT 1 FROM pg_constraint WHERE contype = 'c' AND connamespace = $1::regnamespace`,
      [moved.schema],
    );
    expect(checks).toEqual([]);
  });

  describe('23: JSON with \\u0000', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, j JSON); INSERT INTO t VALUES (1, '["\\\\u0000"]'), (2, '[]')`;

    it('makes the column json', async () => {
      const moved = await move(LEGACY);

      expect(await moved.typeOf('j')).toBe('json');
      expect(await moved.rows('SELECT j FROM t ORDER BY id')).toEqual([['["\\u0000"]'], ['[]']]);
    });

    it('becomes a reject where that is asked for', async () => {
      const moved = await move(LEGACY, { policies: { jsonNul: 'reject' } });

      expect(await moved.typeOf('j')).toBe('jsonb');
      expect(moved.rejects()).toEqual([{ column: 'j', reasonCode: 'JSON_NUL', key: { id: '1' } }]);
    });
  });

  describe('24: text with a NUL character', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10)); INSERT INTO t VALUES (1, 'a\\0b'), (2, 'ab')`;

    it('becomes a reject, known before', async () => {
      const moved = await move(LEGACY);

      expect(moved.rejects()).toEqual([{ column: 'v', reasonCode: 'TEXT_NUL', key: { id: '1' } }]);
      expect(await moved.findings()).toContain('TEXT_NUL');
    });

    it('loses it where that is asked for, and is counted', async () => {
      const moved = await move(LEGACY, { policies: { nulCharacter: 'strip' } });

      expect(await moved.rows('SELECT v FROM t ORDER BY id')).toEqual([['ab'], ['ab']]);
      expect(moved.adjustments()).toEqual([{ column: 'v', rule: 'TEXT_NUL', count: 1 }]);
    });
  });

  it('25: latin1 is Windows-1252', async () => {
    const moved = await move(
      `CREATE TABLE t (v VARCHAR(10) CHARACTER SET latin1); INSERT INTO t VALUES (x'80e996'), (x'81')`,
    );

    expect(await moved.rows(`SELECT v FROM t ORDER BY v COLLATE "C"`)).toEqual([
      ['\u0081'],
      ['€é–'],
    ]);
  });

  describe('26: text that was encoded twice', () => {
    const LEGACY = `CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, 'Ã©tÃ©'), (2, 'été'), (3, 'plain'), (4, 'â‚¬')`;

    it('is carried over as it is, and counted', async () => {
      const moved = await move(LEGACY);

      expect(await moved.rows('SELECT v FROM t ORDER BY id')).toEqual([
        ['Ã©tÃ©'],
        ['été'],
        ['plain'],
        ['â‚¬'],
      ]);
      const finding = (await moved.job.plan()).findings.find(
        ({ code }) => code === 'DOUBLE_ENCODING',
      );
      expect(finding).toMatchObject({ count: 2, samples: [{ id: '1' }, { id: '4' }] });
    });

    it('is repaired where that is asked for', async () => {
      const moved = await move(LEGACY, { columnPolicies: { 't.v': { doubleEncoding: 'repair' } } });

      expect(await moved.rows('SELECT v FROM t ORDER BY id')).toEqual([
        ['été'],
        ['été'],
        ['plain'],
        ['€'],
      ]);
      expect(moved.adjustments()).toEqual([{ column: 'v', rule: 'DOUBLE_ENCODING', count: 2 }]);
    });
  });

  it('27: characters of four bytes are the same characters', async () => {
    const moved = await move(
      `CREATE TABLE t (v VARCHAR(10), w CHAR(4)); INSERT INTO t VALUES ('👩‍🚀 ok', '😀😀😀😀')`,
    );

    expect(await moved.typeOf('v')).toBe('character varying(10)');
    expect(await moved.typeOf('w')).toBe('character varying(4)');
    expect(await moved.rows('SELECT v, w FROM t')).toEqual([['👩‍🚀 ok', '😀😀😀😀']]);
  });

  it('28: bytes are the same bytes, padding included', async () => {
    const moved = await move(
      `CREATE TABLE t (a BINARY(4), b VARBINARY(4), c BLOB); INSERT INTO t VALUES (x'00ff', '', x'6100')`,
    );

    expect(await moved.rows('SELECT a, b, c FROM t')).toEqual([['\\x00ff0000', '\\x', '\\x6100']]);
  });
});
