import { DatabaseSync } from 'node:sqlite';

import { translateExpression } from '../../../../src/engine/types/sqlite-expression.ts';
import { openCopySession, type CopySession } from './copy-round-trip.ts';

let session: CopySession;
let db: DatabaseSync;

const columns = {
  a: { target: 'a', targetType: 'bigint' },
  small: { target: 'small', targetType: 'smallint' },
  Note: { target: 'the note', targetType: 'text' },
  d: { target: 'd', targetType: 'double precision' },
  flag: { target: 'flag', targetType: 'boolean' },
  day: { target: 'day', targetType: 'date' },
  nick: { target: 'nick', targetType: 'text', collation: 'NOCASE' },
} as const;

const ROWS = [
  [1, 7, 'x', 0.5, 1, '2024-01-02', 'N'],
  [-7, 30000, 'Ärger ', -1.5, 0, '1999-12-31', 'n'],
  [0, -3, '', 0, 1, '2024-02-29', 'm'],
  [null, null, null, null, null, null, null],
  [9007199254740993n, 2, "it's\\", 1e20, 0, '2024-01-01', ''],
] as const;

beforeAll(async () => {
  session = await openCopySession();
  db = new DatabaseSync(':memory:');
  db.exec(
    'CREATE TABLE t (n INTEGER PRIMARY KEY, a INT, small INT, Note TEXT, d REAL, flag BOOLEAN, day DATE, nick TEXT COLLATE NOCASE)',
  );
  await session.client.query(
    'CREATE TABLE t (n int, a bigint, small smallint, "the note" text, d float8, flag boolean, day date, nick text)',
  );
  for (const [index, row] of ROWS.entries()) {
    db.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(index, ...row);
    const [a, small, note, d, flag, ...rest] = row;
    await session.client.query('INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
      index,
      a === null ? null : String(a),
      small,
      note,
      d,
      flag === null ? null : flag === 1,
      ...rest,
    ]);
  }
});
afterAll(async () => {
  db.close();
  await session.end();
});

describe('conditions', () => {
  it.each([
    'a > 0',
    'a',
    'flag',
    'NOT flag OR a = 1',
    'flag = 1 AND note IS NOT NULL',
    'flag <> 0',
    'flag IN (1)',
    'a BETWEEN -7 AND 1',
    'a NOT BETWEEN 0 AND 1',
    "note IN ('x', 'it''s\\')",
    "note NOT IN ('x')",
    'a IN (1, NULL)',
    "note < 'a'",
    "note >= 'Ä'",
    'note ISNULL',
    'note NOTNULL',
    'note NOT NULL',
    'a / 2 = -3',
    'a / 0 IS NULL',
    'a % 3 = -1',
    'd / 2 > 0.1',
    'a + small * 2 > 10',
    'small * small > 100000',
    '-a < 3',
    '- 2 < a',
    "note || '!' = 'x!'",
    "a || '' = '-7'",
    'length(note) > 1',
    "lower(note) = 'x'",
    "upper(note) = 'ÄRGER '",
    "trim(note) = 'Ärger'",
    "substr(note, 2, 3) = 'rge'",
    "replace(note, 'x', 'y') = 'y'",
    "instr(note, 'r') = 2",
    'abs(a) = 7',
    'abs(d) > 1',
    "coalesce(note, 'none') = 'none'",
    'ifnull(a, 5) = 5',
    'nullif(a, 0) IS NULL',
    "CASE WHEN a > 0 THEN 'p' WHEN a < 0 THEN 'n' ELSE 'z' END = 'n'",
    "CASE note WHEN 'x' THEN 1 ELSE 2 END = 1",
    "day >= '2024-01-01'",
    "day BETWEEN '2024-01-01' AND '2024-01-31'",
    '0x10 > a',
    'd > 0.25',
    'd = 0',
    'd',
    '(a = 1) = (d = 0.5)',
    'a = 9007199254740993',
    'a == 1 /* one */ -- really',
    '"a" != 1',
    '[a] <> 1 or `a` = 1',
  ])('%s mean the same', async (expression) => {
    const translated = translateExpression({ expression, purpose: 'check', columns });
    expect(translated).not.toBeNull();

    const { rows } = await session.client.query<{ truth: boolean | null }>(
      `SELECT ${translated ?? ''} AS truth FROM t ORDER BY n`,
    );

    const expected = db
      .prepare(
        `SELECT CASE WHEN (${expression}\n) THEN 1 WHEN NOT (${expression}\n) THEN 0 END AS truth FROM t ORDER BY n`,
      )
      .all();
    expect(rows.map(({ truth }) => truth)).toEqual(
      expected.map(({ truth }) => (truth === null ? null : truth === 1)),
    );
  });

  it.each([
    "note LIKE 'x%'",
    "note GLOB 'x*'",
    "nick = 'n'",
    "note = 'x' COLLATE NOCASE",
    'a = d',
    "a = '1'",
    'note = 1',
    'note || d',
    'd || note',
    'unknown = 1',
    '"not a column" = note',
    'a & 1',
    'a << 1',
    'round(d) = 1',
    'typeof(a) = 1',
    'max(a, d) > 1',
    '(SELECT 1)',
    'EXISTS (SELECT 1)',
    'CAST(a AS TEXT) = 1',
    "day = '2024-1-1'",
    "json_extract(note, '$.a') = 1",
    "note -> 'a'",
    'a IS 1',
    'random() > 0',
    "substr(note, -1) = 'x'",
    'a >',
    "'open",
    'note',
    `${'('.repeat(500)}a${')'.repeat(500)}`,
  ])('%s are left to a person', (expression) => {
    expect(translateExpression({ expression, purpose: 'check', columns })).toBeNull();
  });
});

describe('generated columns', () => {
  it.each(['a + 1', "note || ' ' || a", 'lower(note)', 'd * 2', 'coalesce(a, 0)'])(
    '%s give the same values',
    async (expression) => {
      const translated = translateExpression({ expression, purpose: 'generated', columns });
      const type = expression.includes('note')
        ? 'text'
        : expression.includes('d')
          ? 'float8'
          : 'bigint';
      await session.client.query(
        `CREATE TABLE g (LIKE t, v ${type} GENERATED ALWAYS AS (${translated ?? ''}) STORED)`,
      );
      try {
        await session.client.query('INSERT INTO g SELECT * FROM t');
        const { rows } = await session.client.query<{ v: string }>(
          'SELECT v::text FROM g ORDER BY n',
        );
        const expected = db
          .prepare(`SELECT CAST(${expression} AS TEXT) AS v FROM t ORDER BY n`)
          .all();
        const plain = (value: unknown): unknown =>
          type === 'float8' && value !== null ? Number(value) : value;
        expect(rows.map(({ v }) => plain(v))).toEqual(expected.map(({ v }) => plain(v)));
      } finally {
        await session.client.query('DROP TABLE g');
      }
    },
  );

  it('that are conditions are left to a person', () => {
    expect(translateExpression({ expression: 'a > 1', purpose: 'generated', columns })).toBeNull();
  });
});

describe('defaults', () => {
  it.each([
    ["'0'", 'boolean', 'false'],
    ['1', 'boolean', 'true'],
    ['TRUE', 'boolean', 'true'],
    ['-5', 'bigint', '-5'],
    ['1.0', 'bigint', '1'],
    ["'7'", 'smallint', '7'],
    ['0x10', 'bigint', '16'],
    ['1.5', 'numeric(10,2)', '1.50'],
    ['1e20', 'double precision', '1e+20'],
    ['9e999', 'double precision', 'Infinity'],
    ["'it''s a \\ b'", 'text', "it's a \\ b"],
    ['"quoted"', 'text', 'quoted'],
    ['bare', 'text', 'bare'],
    ['5', 'text', '5'],
    ["'null'", 'text', 'null'],
    ["x'00ff'", 'bytea', '\\x00ff'],
    ["'2024-02-29'", 'date', '2024-02-29'],
    ["'2024-02-29T10:00'", 'timestamp', '2024-02-29 10:00:00'],
    ["'2024-02-29T10:00Z'", 'timestamptz', '2024-02-29 10:00:00+00'],
    ["'10:00'", 'time', '10:00:00'],
    ['1 + 2', 'bigint', '3'],
    ["'a' || 'b'", 'text', 'ab'],
    ['NULL', 'text', null],
  ])('%s of a %s column', async (expression, targetType, expected) => {
    const translated = translateExpression({
      expression,
      purpose: 'default',
      columns: { v: { target: 'v', targetType } },
    });
    await session.client.query(
      `CREATE TEMP TABLE d (n int, v ${targetType} DEFAULT ${translated ?? 'no translation'})`,
    );
    try {
      await session.client.query('INSERT INTO d (n) VALUES (1)');
      expect(
        (await session.client.query<{ v: string | null }>('SELECT v::text FROM d')).rows,
      ).toEqual([{ v: expected }]);
    } finally {
      await session.client.query('DROP TABLE d');
    }
  });

  it.each([
    ['CURRENT_TIMESTAMP', 'timestamp', "now() AT TIME ZONE 'UTC'"],
    ["datetime('now')", 'timestamptz', 'now()'],
    ['CURRENT_TIMESTAMP', 'text', "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"],
    ["date('now')", 'date', "(now() AT TIME ZONE 'UTC')::date"],
    ["strftime('%s', 'now')", 'bigint', 'floor(extract(epoch FROM now()))'],
    ['CURRENT_TIME', 'time', "(now() AT TIME ZONE 'UTC')::time"],
  ])('%s of a %s column is the present', async (expression, targetType, expected) => {
    const translated = translateExpression({
      expression,
      purpose: 'default',
      columns: { v: { target: 'v', targetType } },
    });

    const { rows } = await session.client.query(
      `SELECT (${translated ?? 'NULL'})::${targetType} = (${expected})::${targetType} AS same`,
    );

    expect(rows).toEqual([{ same: true }]);
  });

  it.each([
    ["''", 'date'],
    ["'0000-00-00'", 'date'],
    ["'yes'", 'boolean'],
    ['2', 'boolean'],
    ['1.5', 'bigint'],
    ['99999', 'smallint'],
    ['9223372036854775808', 'bigint'],
    ['1.50', 'text'],
    ["x'41'", 'text'],
    ["datetime('now', 'localtime')", 'timestamp'],
    ['lower(hex(randomblob(16)))', 'text'],
    ['CURRENT_TIMESTAMP', 'bigint'],
    ['other_column + 1', 'bigint'],
  ])('%s of a %s column is left to a person', (expression, targetType) => {
    expect(
      translateExpression({
        expression,
        purpose: 'default',
        columns: { v: { target: 'v', targetType } },
      }),
    ).toBeNull();
  });
});
