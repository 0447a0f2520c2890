import type { PoolClient } from 'pg';

import type { PartialJobOptions } from '../../../src/engine/contract.ts';
import {
  startTestEngine,
  type Content,
  type TestEngine,
  type TestJob,
} from '../../helpers/engine.ts';

/**
 * What legacy SQLite files hold, and what has to be in PostgreSQL afterwards: a real file, a real server, and the answer of
 * plain SQL. Every case is also verified by both comparisons, `checksum` and `full`.
 */
describe('SQLite cases', () => {
  let engine: TestEngine;
  let session: PoolClient;
  let schemas = 0;

  beforeAll(async () => {
    engine = await startTestEngine();
    session = await engine.connect();
  }, 60_000);

  afterAll(async () => {
    await engine.close();
  });

  interface Moved {
    readonly job: TestJob;
    readonly schema: string;
    /** Target type of a column of table `t`, as PostgreSQL says it. */
    typeOf(column: string, table?: string): Promise<string>;
    /** Rows of `SELECT …` with `t` for the moved schema's tables. */
    rows(select: string): Promise<unknown[]>;
    rejects(): { column: string; reasonCode: string; key: object }[];
    adjustments(): { column: string; rule: string; count: number }[];
    evidence(column: string): Promise<string>;
    findings(): Promise<string[]>;
  }

  async function move(content: Content, options: PartialJobOptions = {}): Promise<Moved> {
    schemas += 1;
    const schema = `case_${String(schemas)}`;
    const job = engine.buildJob(engine.buildLegacyFile(content), {
      targetSchema: schema,
      ...options,
    });
    await job.migrate();
    const { rowsRead, rowsCopied, rowsRejected } = job.journal.totals();
    expect(rowsRead).toBe(rowsCopied + rowsRejected);
    for (const mode of ['checksum', 'full'] as const) {
      const failed = (await job.verify(mode)).filter(({ verdict }) => verdict === 'failed');
      expect({ mode, failed }).toEqual({ mode, failed: [] });
    }
    return {
      job,
      schema,
      async typeOf(column, table = 't') {
        const [row] = await engine.sql<{ type: string }>(
          `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
            WHERE attrelid = $1::regclass AND attname = $2`,
          [`${schema}.${table}`, column],
        );
        return row?.type ?? 'missing';
      },
      rows: async (select) => {
        await session.query(`SET search_path = ${schema}; SET TimeZone = 'UTC'`);
        return (await session.query({ text: select, rowMode: 'array' })).rows;
      },
      rejects: () =>
        [...job.journal.rejects.values()]
          .flat()
          .map(({ column, reasonCode, key }) => ({ column, reasonCode, key })),
      adjustments: () =>
        [...job.journal.adjustments.values()]
          .flat()
          .map(({ column, rule, count }) => ({ column, rule, count })),
      evidence: async (column) => {
        const plan = await job.plan();
        return (
          plan.tables.flatMap((table) => table.columns).find(({ source }) => source === column)
            ?.evidence ?? ''
        );
      },
      findings: async () => (await job.plan()).findings.map(({ code }) => code),
    };
  }

  describe('S1: an INTEGER column with other things in it', () => {
    it('becomes double precision where the others are numbers', async () => {
      const moved = await move(
        'CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1), (3.7), (NULL), (-9)',
      );

      expect(await moved.typeOf('v')).toBe('double precision');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([[-9], [1], [3.7], [null]]);
    });

    it('becomes numeric where whole numbers are too great for 8-byte floats', async () => {
      const moved = await move(
        'CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (9007199254740993), (0.5)',
      );

      expect(await moved.typeOf('v')).toBe('numeric');
      expect(await moved.rows('SELECT v::text FROM t ORDER BY v')).toEqual([
        ['0.5'],
        ['9007199254740993'],
      ]);
    });

    it('becomes text where there is text, and says why', async () => {
      const moved = await move(
        `CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1), ('hello'), (3.7)`,
      );

      expect(await moved.typeOf('v')).toBe('text');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([['1'], ['3.7'], ['hello']]);
      expect(await moved.evidence('v')).toMatch(/1 .*text/);
    });

    it('stays bigint when that is asked for, and the others become rejects', async () => {
      const moved = await move(
        `CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 5), (2, 'hello'), (3, 3.7)`,
        { policies: { typeMismatch: 'reject' } },
      );

      expect(await moved.typeOf('v')).toBe('bigint');
      expect(await moved.rows('SELECT id, v FROM t')).toEqual([['1', '5']]);
      expect(moved.rejects()).toEqual([
        { column: 'v', reasonCode: 'TYPE_MISMATCH', key: { id: '2' } },
        { column: 'v', reasonCode: 'TYPE_MISMATCH', key: { id: '3' } },
      ]);
    });
  });

  it('S2: INT holds 64 bits', async () => {
    const moved = await move(
      'CREATE TABLE t (v INT); INSERT INTO t VALUES (9223372036854775807), (-9223372036854775808)',
    );

    expect(await moved.typeOf('v')).toBe('bigint');
    expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([
      ['-9223372036854775808'],
      ['9223372036854775807'],
    ]);
  });

  it('S3: REAL keeps all 8 bytes', async () => {
    const moved = await move(
      'CREATE TABLE t (v REAL); INSERT INTO t VALUES (123456789.123456789), (0.1 + 0.2), (5e-324)',
    );

    expect(await moved.typeOf('v')).toBe('double precision');
    expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([
      [5e-324],
      [0.1 + 0.2],
      [123456789.123456789],
    ]);
  });

  it('S4: REAL keeps infinity, and minus zero as far as SQLite itself gives it', async () => {
    const moved = await move((db) => {
      db.exec(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL); INSERT INTO t VALUES (1, 9e999), (2, -9e999)',
      );
      db.prepare('INSERT INTO t VALUES (3, ?)').run(-0.0);
    });

    expect(await moved.rows('SELECT v::text FROM t WHERE id < 3 ORDER BY id')).toEqual([
      ['Infinity'],
      ['-Infinity'],
    ]);
    expect(await moved.rows('SELECT v = 0 FROM t WHERE id = 3')).toEqual([[true]]);
  });

  describe('S5: a BOOLEAN column', () => {
    it('is boolean if every value is one', async () => {
      const moved = await move(
        `CREATE TABLE t (v BOOLEAN); INSERT INTO t VALUES (1), (0), ('true'), ('f'), (NULL)`,
      );

      expect(await moved.typeOf('v')).toBe('boolean');
      expect(await moved.rows('SELECT v, count(*)::int FROM t GROUP BY v ORDER BY v')).toEqual([
        [false, 2],
        [true, 2],
        [null, 1],
      ]);
    });

    it('is smallint if it holds 2, and the plan shows how many', async () => {
      const moved = await move(
        'CREATE TABLE t (v BOOLEAN); INSERT INTO t VALUES (1), (0), (2), (2)',
      );

      expect(await moved.typeOf('v')).toBe('smallint');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([[0], [1], [2], [2]]);
      expect(await moved.evidence('v')).toBe('declared BOOLEAN: 2 values outside {0,1} → smallint');
    });

    it('is text if it holds yes', async () => {
      const moved = await move(
        `CREATE TABLE t (v BOOLEAN); INSERT INTO t VALUES (1), ('yes'), ('true')`,
      );

      expect(await moved.typeOf('v')).toBe('text');
      expect(await moved.rows('SELECT v FROM t ORDER BY v')).toEqual([['1'], ['true'], ['yes']]);
    });
  });

  describe('S6: a DATETIME column', () => {
    it('of ISO text is timestamp, digit for digit', async () => {
      const moved = await move(
        `CREATE TABLE t (v DATETIME); INSERT INTO t VALUES ('2021-03-28 02:30:00'), ('1969-12-31T23:59:59.25')`,
      );

      expect(await moved.typeOf('v')).toBe('timestamp without time zone');
      expect(await moved.rows('SELECT v::text FROM t ORDER BY v')).toEqual([
        ['1969-12-31 23:59:59.25'],
        ['2021-03-28 02:30:00'],
      ]);
    });

    it('of epoch seconds or milliseconds is the same instant', async () => {
      const moved = await move(
        'CREATE TABLE t (s DATETIME, ms TIMESTAMP); INSERT INTO t VALUES (1700000000, 1700000000123), (0, 1)',
      );

      expect([await moved.typeOf('s'), await moved.typeOf('ms')]).toEqual(
        Array(2).fill('timestamp with time zone'),
      );
      expect(await moved.rows('SELECT s::text, ms::text FROM t ORDER BY s')).toEqual([
        ['1970-01-01 00:00:00+00', '1970-01-01 00:00:00.001+00'],
        ['2023-11-14 22:13:20+00', '2023-11-14 22:13:20.123+00'],
      ]);
    });

    it('of mixed forms is text, or converted value by value when that is asked for', async () => {
      const content = `CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME);
        INSERT INTO t VALUES (1, '2023-11-14 22:13:20'), (2, 1700000000), (3, 1700000000000), (4, 2460263.4259259)`;

      const kept = await move(content);
      const converted = await move(content, { policies: { mixedDates: 'convert' } });

      expect(await kept.typeOf('v')).toBe('text');
      expect(await kept.rows('SELECT v FROM t ORDER BY id')).toEqual([
        ['2023-11-14 22:13:20'],
        ['1700000000'],
        ['1700000000000'],
        [expect.stringMatching(/^2460263\.4259259/)],
      ]);
      const [first, second, third, fourth] = (await converted.rows(
        `SELECT extract(epoch FROM v)::float8 FROM t ORDER BY id`,
      )) as [[number], [number], [number], [number]];
      expect([first[0], second[0], third[0]]).toEqual([1700000000, 1700000000, 1700000000]);
      expect(Math.abs(fourth[0] - 1700000000)).toBeLessThan(1);
      expect(
        converted.adjustments().reduce((sum, { count }) => sum + count, 0),
      ).toBeGreaterThanOrEqual(3);
    });
  });

  describe('S7: a DATE column', () => {
    const content = `CREATE TABLE t (id INTEGER PRIMARY KEY, v DATE NOT NULL);
      INSERT INTO t VALUES (1, '2024-02-29'), (2, ''), (3, 'not a date'), (4, '2023-02-30'), (5, '0000-00-00'), (6, '2024-01-01'),
        (7, '2024-01-02'), (8, '2024-01-03')`;

    it('makes empty and zero dates NULL and counts them; what is no date becomes a reject', async () => {
      const moved = await move(content);

      expect(await moved.typeOf('v')).toBe('date');
      expect(await moved.rows('SELECT id::int, v::text FROM t ORDER BY id LIMIT 3')).toEqual([
        [1, '2024-02-29'],
        [2, null],
        [5, null],
      ]);
      expect(moved.adjustments()).toEqual(
        expect.arrayContaining([
          { column: 'v', rule: 'EMPTY_DATE', count: 1 },
          { column: 'v', rule: 'ZERO_DATE', count: 1 },
        ]),
      );
      expect(moved.rejects()).toEqual([
        { column: 'v', reasonCode: 'INVALID_DATE', key: { id: '3' } },
        { column: 'v', reasonCode: 'INVALID_DATE', key: { id: '4' } },
      ]);
    });

    it('takes the first day or the sentinel where that is asked for, by column if need be', async () => {
      const partial = `CREATE TABLE t (id INTEGER PRIMARY KEY, v DATE NOT NULL, w DATE);
        INSERT INTO t VALUES (1, '2010-05-00', '2010-05-00'), (2, '0000-00-00', '0000-00-00'), (3, '2010-00-09', NULL), (4, '2024-02-29', '2024-02-29')`;
      const moved = await move(partial, {
        policies: { zeroDate: 'sentinel', partialDate: 'first' },
        columnPolicies: { 't.w': { zeroDate: 'null', partialDate: 'null' } },
      });

      expect(await moved.rows('SELECT id::int, v::text, w::text FROM t ORDER BY id')).toEqual([
        [1, '2010-05-01', null],
        [2, '0001-01-01', null],
        [3, '2010-01-01', null],
        [4, '2024-02-29', '2024-02-29'],
      ]);
      expect(moved.adjustments()).toEqual(
        expect.arrayContaining([
          { column: 'v', rule: 'PARTIAL_DATE', count: 2 },
          { column: 'v', rule: 'ZERO_DATE', count: 1 },
          { column: 'w', rule: 'PARTIAL_DATE', count: 1 },
          { column: 'w', rule: 'ZERO_DATE', count: 1 },
        ]),
      );
    });

    it('keeps NOT NULL and rejects them all under strict policies', async () => {
      const moved = await move(content, { policies: { emptyDate: 'reject', zeroDate: 'reject' } });

      expect(
        moved
          .rejects()
          .map(({ reasonCode }) => reasonCode)
          .sort(),
      ).toEqual(['EMPTY_DATE', 'INVALID_DATE', 'INVALID_DATE', 'ZERO_DATE']);
      await expect(engine.sql(`INSERT INTO ${moved.schema}.t VALUES (99, NULL)`)).rejects.toThrow(
        /not-null/,
      );
    });
  });

  describe('casts', () => {
    it('give a column the type that is asked for, and reject what is none of it', async () => {
      const content = `CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c TEXT, d INTEGER, e TEXT);
        INSERT INTO t VALUES (1, 1, '1.5', '2024-02-29', 1700000000, 'x'), (2, 70000, '2', NULL, 0, 'y'), (3, 2, 'x', NULL, NULL, 'z')`;
      const moved = await move(content, {
        casts: {
          't.a': 'smallint',
          't.b': 'numeric(10, 2)',
          't.c': 'date',
          't.d': 'timestamptz',
          't.e': 'money',
          't.gone': 'text',
        },
      });

      expect(
        await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => moved.typeOf(name))),
      ).toEqual(['smallint', 'numeric(10,2)', 'date', 'timestamp with time zone', 'text']);
      expect(await moved.rows('SELECT id::int, a::int, b::text, c::text, d::text FROM t')).toEqual([
        [1, 1, '1.50', '2024-02-29', '2023-11-14 22:13:20+00'],
      ]);
      expect(moved.rejects().map(({ column, reasonCode }) => [column, reasonCode])).toEqual([
        ['a', 'OUT_OF_RANGE'],
        ['b', 'TYPE_MISMATCH'],
      ]);
      const { findings } = await moved.job.plan();
      expect(findings.map(({ code }) => code)).toEqual(
        expect.arrayContaining(['CAST_NOT_POSSIBLE', 'CAST_UNMATCHED']),
      );
    });
  });

  describe('S8: TEXT with invalid UTF-8', () => {
    const content = `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
      INSERT INTO t VALUES (1, 'fine é'), (2, CAST(x'63c3a9ff96' AS TEXT)), (3, CAST(x'e9' AS TEXT))`;

    it('is a reject with its original bytes', async () => {
      const moved = await move(content);

      expect(await moved.rows('SELECT v FROM t')).toEqual([['fine é']]);
      expect(moved.rejects().map(({ reasonCode, key }) => [reasonCode, key])).toEqual([
        ['INVALID_UTF8', { id: '2' }],
        ['INVALID_UTF8', { id: '3' }],
      ]);
      const [reject] = [...moved.job.journal.rejects.values()].flat();
      expect(reject?.row.v).toEqual({
        type: 'text',
        base64: Buffer.from('63c3a9ff96', 'hex').toString('base64'),
      });
    });

    it('is decoded as cp1252 when that is asked for, and counted', async () => {
      const moved = await move(content, { policies: { invalidUtf8: 'cp1252' } });

      expect(await moved.rows('SELECT v FROM t ORDER BY id')).toEqual([
        ['fine é'],
        ['cÃ©ÿ–'],
        ['é'],
      ]);
      expect(moved.adjustments()).toEqual([{ column: 'v', rule: 'INVALID_UTF8', count: 2 }]);
    });
  });

  it('S9: VARCHAR(5) with eight characters is not cut', async () => {
    const moved = await move(`CREATE TABLE t (v VARCHAR(5)); INSERT INTO t VALUES ('abcdefgh')`);

    expect(await moved.typeOf('v')).toBe('text');
    expect(await moved.rows('SELECT v FROM t')).toEqual([['abcdefgh']]);
    expect(await moved.evidence('v')).toContain('8 characters');
  });

  it('S10: DECIMAL carries what SQLite has stored, says what SQLite has lost, and does not guess at 1,5', async () => {
    const moved = await move(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, v DECIMAL(10,2));
       INSERT INTO t VALUES (1, 12345678901234567.89), (2, '1,5'), (3, 0.1), (4, 10.50)`,
    );

    expect(await moved.typeOf('v')).toBe('numeric');
    expect(await moved.rows('SELECT id::int, v::text FROM t ORDER BY id')).toEqual([
      [1, '12345678901234568'],
      [3, '0.1'],
      [4, '10.5'],
    ]);
    expect(moved.rejects()).toEqual([
      { column: 'v', reasonCode: 'TYPE_MISMATCH', key: { id: '2' } },
    ]);
    expect(await moved.findings()).toContain('DECIMAL_STORED_AS_FLOAT');
  });

  describe('S11: a TEXT PRIMARY KEY with two NULL keys', () => {
    const content = `CREATE TABLE t (k TEXT PRIMARY KEY, v INT); INSERT INTO t VALUES ('a', 1), (NULL, 2), (NULL, 3)`;

    it('becomes UNIQUE, and every row is there', async () => {
      const moved = await move(content);

      expect(await moved.rows('SELECT k, v::int FROM t ORDER BY v')).toEqual([
        ['a', 1],
        [null, 2],
        [null, 3],
      ]);
      expect(await moved.findings()).toContain('PK_NULL');
      await expect(engine.sql(`INSERT INTO ${moved.schema}.t VALUES ('a', 9)`)).rejects.toThrow(
        /unique/,
      );
    });

    it('stays a primary key when that is asked for, and the rows without one become rejects', async () => {
      const moved = await move(content, { policies: { nullInPrimaryKey: 'reject' } });

      expect(await moved.rows('SELECT k FROM t')).toEqual([['a']]);
      expect(moved.rejects().map(({ reasonCode }) => reasonCode)).toEqual(['PK_NULL', 'PK_NULL']);
    });
  });

  it('S12: AUTOINCREMENT goes on where the source would', async () => {
    const moved = await move(
      `CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); INSERT INTO t (v) VALUES ('a'), ('b'), ('c');
       DELETE FROM t WHERE id = 3; CREATE TABLE empty (id INTEGER PRIMARY KEY AUTOINCREMENT);
       INSERT INTO empty VALUES (499); DELETE FROM empty`,
    );

    const ids = await engine.sql<{ id: string }>(
      `INSERT INTO ${moved.schema}.t (v) VALUES ('d') RETURNING id`,
    );
    const first = await engine.sql<{ id: string }>(
      `INSERT INTO ${moved.schema}.empty DEFAULT VALUES RETURNING id`,
    );

    expect([ids[0]?.id, first[0]?.id]).toEqual(['4', '500']);
  });

  it('S13: generated columns are generated, a composite key is one key, dangling rows are listed and the key NOT VALID', async () => {
    const moved = await move(
      `PRAGMA foreign_keys = OFF; CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b)); INSERT INTO parent VALUES (1, 1), (1, 2);
       CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT, price INT NOT NULL, total INT GENERATED ALWAYS AS (price * 2 + 1) STORED,
         label TEXT AS ('no. ' || upper(name)) VIRTUAL, name TEXT, FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE CASCADE);
       INSERT INTO t (id, a, b, price, name) VALUES (1, 1, 1, 10, 'x'), (2, 1, 2, 20, 'y');
       CREATE TABLE child (id INTEGER PRIMARY KEY, t_id INT REFERENCES t (id)); INSERT INTO child VALUES (1, 1), (2, 77), (3, NULL)`,
    );

    expect(await moved.rows('SELECT id::int, total::int, label FROM t ORDER BY id')).toEqual([
      [1, 21, 'no. X'],
      [2, 41, 'no. Y'],
    ]);
    const constraints = await moved.rows(
      `SELECT conrelid::regclass::text, convalidated, cardinality(conkey) FROM pg_constraint
        WHERE contype = 'f' AND connamespace = '${moved.schema}'::regnamespace ORDER BY 1`,
    );
    expect(constraints).toEqual([
      ['child', false, 1],
      ['t', true, 2],
    ]);
    const orphaned = (await moved.job.plan()).findings.find(({ code }) => code === 'ORPHANED_ROWS');
    expect(orphaned).toMatchObject({ table: 'child', count: 1, samples: [{ id: '2' }] });
    await engine.sql(`UPDATE ${moved.schema}.t SET price = 5 WHERE id = 1`);
    expect(await moved.rows('SELECT total::int FROM t WHERE id = 1')).toEqual([[11]]);
  });

  it('S13: a generated column without a sure equivalent is carried as data, and said', async () => {
    const moved = await move(
      `CREATE TABLE t (a TEXT, b TEXT AS (printf('%05d', a)) STORED); INSERT INTO t (a) VALUES ('42')`,
    );

    expect(await moved.rows('SELECT a, b FROM t')).toEqual([['42', '00042']]);
    expect(await moved.findings()).toContain('GENERATED_AS_DATA');
  });

  describe('S14: what else SQLite allows', () => {
    it('columns without a type get one from their data', async () => {
      const moved = await move(
        `CREATE TABLE t (i, r, s, b ANY, mixed); INSERT INTO t VALUES (1, 1.5, 'x', x'00ff', 1), (2, 2.5, 'y', x'', 'two')`,
      );

      const types = await Promise.all(
        ['i', 'r', 's', 'b', 'mixed'].map((column) => moved.typeOf(column)),
      );
      expect(types).toEqual(['bigint', 'double precision', 'text', 'bytea', 'text']);
      expect(await moved.rows(`SELECT encode(b, 'hex'), mixed FROM t ORDER BY i`)).toEqual([
        ['00ff', '1'],
        ['', 'two'],
      ]);
    });

    it('STRICT and WITHOUT ROWID tables arrive with their key', async () => {
      const moved = await move(
        `CREATE TABLE t (k TEXT, n INT, v BLOB, PRIMARY KEY (k, n)) STRICT, WITHOUT ROWID;
         INSERT INTO t VALUES ('Z', 1, x'01'), ('a', 1, x'02'), ('ä', 2, NULL)`,
        { chunkRows: 1 },
      );

      expect(await moved.rows('SELECT k, n::int FROM t ORDER BY k COLLATE "C", n')).toEqual([
        ['Z', 1],
        ['a', 1],
        ['ä', 2],
      ]);
      expect(
        await moved.rows(
          `SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 't'::regclass`,
        ),
      ).toEqual([['t_pkey']]);
    });

    it('a NOCASE unique index still tells no cases apart', async () => {
      const moved = await move(
        `CREATE TABLE t (email TEXT COLLATE NOCASE UNIQUE); INSERT INTO t VALUES ('Ada@Example.com'), ('Ä'), ('ä')`,
      );

      await expect(
        engine.sql(`INSERT INTO ${moved.schema}.t VALUES ('ADA@example.COM')`),
      ).rejects.toThrow(/unique/);
      expect(await moved.findings()).toContain('COLLATION_WEAKENED');
    });

    it('a condition on a NOCASE column is not carried over as one that tells cases apart', async () => {
      const moved = await move(
        `CREATE TABLE t (state TEXT COLLATE NOCASE CHECK (state <> 'gone'), n INT);
         CREATE UNIQUE INDEX one_open ON t (n) WHERE state = 'open'; INSERT INTO t VALUES ('OPEN', 1), ('shut', 1)`,
      );

      expect(await moved.findings()).toEqual(
        expect.arrayContaining(['INDEX_NOT_CARRIED', 'CHECK_NOT_CARRIED']),
      );
      expect(await moved.rows('SELECT state FROM t ORDER BY state')).toEqual([['OPEN'], ['shut']]);
    });

    it('partial and expression indexes are carried over', async () => {
      const moved = await move(
        `CREATE TABLE t (a INT, b TEXT); CREATE UNIQUE INDEX one_open ON t (a) WHERE b = 'open'; CREATE INDEX low ON t (lower(b));
         INSERT INTO t VALUES (1, 'open'), (1, 'shut'), (1, 'shut')`,
      );

      const indexes = (
        await moved.rows(
          `SELECT indexdef FROM pg_indexes WHERE schemaname = '${moved.schema}' ORDER BY indexname`,
        )
      ).flat();
      expect(indexes).toEqual([
        expect.stringMatching(/INDEX low .*\(lower\(/),
        expect.stringMatching(/UNIQUE INDEX one_open .*\(a\) WHERE .*b.* = 'open'/),
      ]);
      await expect(engine.sql(`INSERT INTO ${moved.schema}.t VALUES (1, 'open')`)).rejects.toThrow(
        /unique/,
      );
    });
  });
});
