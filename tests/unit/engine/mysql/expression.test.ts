import fc from 'fast-check';
import type { QueryConfig } from 'pg';

import { translateExpression } from '../../../../src/engine/types/mysql-expression.ts';
import {
  createTestMariaDb,
  describeWithMariaDb,
  type TestMariaDb,
} from '../../../helpers/mariadb.ts';
import { openCopySession, type CopySession } from '../types/copy-round-trip.ts';

/** Name, type in MariaDB, type in PostgreSQL. */
const COLUMNS = [
  ['i', 'int', 'integer'],
  ['s', 'smallint', 'smallint'],
  ['b', 'bigint', 'bigint'],
  ['u', 'int unsigned', 'bigint'],
  ['ub', 'bigint unsigned', 'numeric(20,0)'],
  ['z', 'int(5) zerofill', 'bigint'],
  ['y', 'year', 'smallint'],
  ['flag', 'tinyint(1)', 'boolean'],
  ['one', 'bit(1)', 'boolean'],
  ['n', 'decimal(10,2)', 'numeric(10,2)'],
  ['pos', 'decimal(5,0) unsigned', 'numeric(5,0)'],
  ['d', 'double', 'double precision'],
  ['f', 'float', 'real'],
  ['v', 'varchar(20) collate utf8mb4_bin', 'character varying(20)'],
  ['nv', 'varchar(20) collate utf8mb4_nopad_bin', 'character varying(20)'],
  ['ci', 'varchar(20) collate utf8mb4_general_ci', 'character varying(20)'],
  ['low', 'varchar(20) character set ascii collate ascii_bin', 'character varying(20)'],
  ['lat', 'varchar(20) character set latin1 collate latin1_bin', 'character varying(20)'],
  ['fix', 'char(10) collate utf8mb4_bin', 'character varying(10)'],
  ['e', "enum('a','B','ç','x y')", '"mood"'],
  ['day', 'date', 'date'],
  ['at', 'datetime(3)', 'timestamp(3)'],
  ['raw', 'varbinary(10)', 'bytea'],
] as const;

const LONG = '9223372036854775807';
/** As literals of both; `null` is NULL. Bytes as hexadecimal digits. */
const ROWS: readonly (readonly (string | null)[])[] = [
  [
    '0',
    '0',
    '0',
    '0',
    '0',
    '0',
    '2000',
    '0',
    '0',
    '0.00',
    '0',
    '0',
    '0',
    '',
    '',
    '',
    '',
    '',
    '',
    'a',
    '2024-01-02',
    '2024-01-02 03:04:05.678',
    '',
  ],
  [
    '1',
    '-1',
    '1',
    '1',
    '1',
    '1',
    '1901',
    '1',
    '1',
    '0.01',
    '1',
    '0.5',
    '0.5',
    'a',
    'a',
    'a',
    'a',
    'a',
    'a',
    'B',
    '1999-12-31',
    '1999-12-31 23:59:59.999',
    '00',
  ],
  [
    '-1',
    '7',
    '-1',
    '4294967295',
    '18446744073709551615',
    '42',
    '2155',
    '1',
    '0',
    '-0.01',
    '99999',
    '-0.5',
    '-0.5',
    'a ',
    'a ',
    'A',
    'a ',
    'é',
    'é',
    'ç',
    '2024-02-29',
    '2024-02-29 00:00:00.000',
    'ff',
  ],
  [
    '2147483647',
    '32767',
    LONG,
    '7',
    '9007199254740993',
    '99999',
    '1970',
    '0',
    '1',
    '99999999.99',
    '12',
    '1e300',
    '16777216',
    'Ärger ',
    "it's\\",
    'ß',
    'tab\t',
    'ÿ',
    'ü ü',
    'x y',
    '0001-01-01',
    '0001-01-01 00:00:00.000',
    '616220',
  ],
  [
    '-2147483648',
    '-32768',
    '-9223372036854775808',
    '2147483648',
    '9223372036854775808',
    '7',
    '2024',
    '1',
    '1',
    '-99999999.99',
    '50',
    '1e-300',
    '-1.5',
    '🙂',
    '🙂 x',
    '🙂',
    'A',
    'A',
    '  b',
    'a',
    '9999-12-31',
    '9999-12-31 23:59:59.999',
    '41',
  ],
  [
    '-7',
    '-3',
    '100',
    '3',
    '3',
    '3',
    '0',
    '0',
    '0',
    '2.50',
    '3',
    '2.5',
    '2.5',
    'ab\t',
    'ab',
    'ab',
    'abc',
    'abc',
    'abc',
    'B',
    '2024-12-31',
    '2024-12-31 12:00:00.500',
    '6162',
  ],
  [
    '5',
    '2',
    '-100',
    '5',
    '5',
    '12345',
    '1999',
    '1',
    '0',
    '-2.50',
    '0',
    '-1e-10',
    '0.1',
    '\t',
    '  pad  ',
    'x',
    '%_',
    '€',
    'x',
    'x y',
    '2024-01-01',
    '2024-01-01 00:00:00.001',
    '2020',
  ],
  COLUMNS.map(() => null),
];

const columns = Object.fromEntries(
  COLUMNS.map(([name, declared, targetType]) => {
    const [declaredType = ''] = declared.split(/ (?:collate|character set)/);
    const collation = / collate (\w+)$/.exec(declared)?.[1] ?? null;
    return [name, { target: `the ${name}`, targetType, declaredType, collation }];
  }),
);

let session: CopySession;
let db: TestMariaDb;

function mariaLiteral(value: string | null | undefined, type: string): string {
  if (value === null || value === undefined) return 'NULL';
  if (type.startsWith('varbinary')) return `x'${value}'`;
  return /char|enum|date/.test(type)
    ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : value;
}

function postgresLiteral(value: string | null | undefined, type: string): string {
  if (value === null || value === undefined) return 'NULL';
  return type === 'bytea' ? `'\\x${value}'` : `'${value.replaceAll("'", "''")}'`;
}

async function fillTables(): Promise<void> {
  await db.sql("SET sql_mode = 'NO_ENGINE_SUBSTITUTION'");
  const maria = COLUMNS.map(([name, type]) => `\`${name}\` ${type}`);
  await db.sql(`CREATE TABLE t (k INT, ${maria.join(', ')})`);
  await session.client.query(`CREATE TYPE mood AS ENUM ('a', 'B', 'ç', 'x y')`);
  const postgres = COLUMNS.map(([name, , type]) => `"the ${name}" ${type}`);
  await session.client.query(`CREATE TABLE t (k int, ${postgres.join(', ')})`);
  for (const [k, row] of ROWS.entries()) {
    const ours = COLUMNS.map(([, type], index) => mariaLiteral(row[index], type));
    await db.sql(`INSERT INTO t VALUES (${String(k)}, ${ours.join(', ')})`);
    const theirs = COLUMNS.map(([, , type], index) => postgresLiteral(row[index], type));
    await session.client.query(`INSERT INTO t VALUES (${String(k)}, ${theirs.join(', ')})`);
  }
}

/** The value in each row: numbers as numbers, bytes as hex, everything else as its text; null where MariaDB has an error. */
async function inMariaDb(expression: string): Promise<(string | null)[] | null> {
  try {
    const rows = await db.sql(`SELECT ${expression} AS v FROM t ORDER BY k`);
    return rows.map(({ v }) => plain(v));
  } catch (error) {
    // BIGINT value is out of range, DOUBLE value is out of range; illegal mix of collations.
    if ([1690, 1267, 1270, 1271].includes((error as { errno?: number }).errno ?? 0)) return null;
    throw error;
  }
}

/** Null where a double becomes too small: PostgreSQL says so, MariaDB makes it 0. */
async function inPostgresOrUnderflow(translated: string): Promise<(string | null)[] | null> {
  return inPostgres(translated).catch((error: unknown) => {
    if (String(error).includes('underflow')) return null;
    throw error;
  });
}

async function inPostgres(translated: string): Promise<(string | null)[]> {
  return selectFromPostgres(`SELECT ${translated} AS v FROM t ORDER BY k`);
}

const BOOLEAN = 16;
const BYTEA = 17;

async function isDoubleInPostgres(translated: string): Promise<boolean> {
  const { rows } = await session.client.query<{ type: string }>(
    `SELECT pg_typeof(${translated})::text AS type FROM t LIMIT 1`,
  );
  return rows[0]?.type === 'double precision';
}

async function selectFromPostgres(text: string): Promise<(string | null)[]> {
  const types = {
    getTypeParser: (oid: number) => (value: string) => {
      if (oid === BOOLEAN) return value === 't';
      return oid === BYTEA ? value.slice(2) : value;
    },
  };
  const { rows } = await session.client.query<{ v: unknown }>({ text, types } as QueryConfig);
  return rows.map(({ v }) => plain(v));
}

function plain(value: unknown): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'boolean') return value ? '1' : '0';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$/.test(text)) return text.replace(/\.?0+$/, '');
  if (/^-?\d+\.\d+$/.test(text)) return text.replace(/\.?0+$/, '').replace(/^-0$/, '0');
  return /^-?\d+(?:\.\d+)?e[+-]?\d+$/i.test(text) || text === '-0'
    ? String(Number(text) + 0)
    : text;
}

/** How MariaDB itself prints the expression once it has stored it. */
async function printed(expression: string, purpose: 'check' | 'value'): Promise<string> {
  const maria = COLUMNS.map(([name, type]) => `\`${name}\` ${type}`).join(', ');
  const stored = purpose === 'check' ? `CHECK (${expression})` : `g TEXT AS (${expression})`;
  await db.sql(`CREATE OR REPLACE TABLE printed (${maria}, ${stored})`);
  const [row] = await db.sql(
    purpose === 'check'
      ? `SELECT CHECK_CLAUSE AS v FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = '${db.database}' AND TABLE_NAME = 'printed'`
      : `SELECT GENERATION_EXPRESSION AS v FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${db.database}' AND TABLE_NAME = 'printed' AND COLUMN_NAME = 'g'`,
  );
  return String(row?.v);
}

function truthOf(expression: string): string {
  return `CASE WHEN (${expression}) THEN 1 WHEN NOT (${expression}) THEN 0 END`;
}

describeWithMariaDb('expressions of MariaDB', () => {
  beforeAll(async () => {
    [session, db] = await Promise.all([openCopySession(), createTestMariaDb()]);
    await fillTables();
  });
  afterAll(async () => {
    await session.end();
    await db.close();
  });

  describe('as conditions', () => {
    it.each([
      'i > 0',
      'i',
      'NOT i',
      '!flag OR i = 1',
      'flag = 1 AND v IS NOT NULL',
      'flag <> 0',
      'flag',
      'flag = one',
      'flag < i',
      'one = 1',
      'flag IN (1)',
      'i BETWEEN -7 AND 1',
      'i NOT BETWEEN 0 AND 1',
      'i IN (1, NULL)',
      'i NOT IN (1, 5)',
      'u > i',
      'ub > b',
      'ub = 18446744073709551615 OR ub < 5',
      'u <= 4294967295',
      'y > 1970',
      'y BETWEEN 1901 AND 2155',
      'n > 0',
      'n',
      'n = 2.5',
      'n < i',
      'n * 2 = 5',
      'n + i > 3.333',
      'pos + 1 > 1',
      'd > 0.25',
      'd = 0.5',
      'd',
      'f = 0.1',
      'f > 0.1',
      'f = d',
      'i < d',
      'd / 2 > 0.1',
      'd / 0 IS NULL',
      'i DIV 2 = -3',
      'i DIV 0 IS NULL',
      'i % 3 = -1',
      'mod(i, 3) = -1',
      '-i < 3',
      '- 2 < i',
      'i + s * 2 > 10',
      's * s > 100000',
      'i <=> NULL',
      'i <=> 1',
      "nv = 'a'",
      "nv <> 'a'",
      "nv < 'b'",
      "nv >= 'Ä'",
      "v = 'a'",
      "v = 'a  '",
      "v <> 'a'",
      "v IN ('a', 'ab')",
      "v NOT IN ('a')",
      "lat = 'é'",
      "fix = 'é'",
      "low = 'a'",
      'v = fix',
      "e = 'a'",
      "e <> 'B'",
      "e IN ('a', 'x y')",
      "day >= '2024-01-01'",
      "day BETWEEN '2024-01-01' AND '2024-01-31'",
      "at > '2024-01-01 00:00:00'",
      "at < '2024-01-01'",
      'at > day',
      "raw = x'ff'",
      "raw < x'61'",
      'char_length(v) > 1',
      'length(v) > 2',
      'octet_length(raw) = 1',
      'char_length(lat) = 1',
      "lower(low) = 'a'",
      "upper(low) = 'A'",
      "trim(nv) = 'pad'",
      "left(nv, 1) = 'a'",
      "substr(nv, 2, 3) = 't''s'",
      "coalesce(nv, 'none') = 'none'",
      'ifnull(i, 5) = 5',
      'nullif(i, 0) IS NULL',
      'round(nullif(0, i)) = 0',
      'if(i > 0, 2000000000, 1) * 2 > 5',
      'isnull(i)',
      'if(i > 0, 1, 0) = 1',
      "CASE WHEN i > 0 THEN 'p' WHEN i < 0 THEN 'n' ELSE 'z' END IS NOT NULL",
      'CASE i WHEN 1 THEN 10 ELSE 2 END = 10',
      'abs(n) = 2.5',
      'round(n) = 3',
      'round(n, 1) = 2.5',
      'floor(n) = -3',
      'ceiling(n) = 3',
      'truncate(n, 1) = -2.5',
      'year(day) = 2024',
      'month(at) = 12',
      '(i = 1) = (s = -1)',
      '(i = 1) + (s = 7) > 0',
      '`i` <> 1 or `s` = 7',
      "concat(nv, i) = 'a1'",
      'cast(flag as signed) = 1',
      'i > 1.5',
      'i > 1e0',
      'TRUE',
      'i = 1 = 1',
      'i IN (1) = 1',
      '1 = 1',
    ])('%s mean the same', async (expression) => {
      const stored = await printed(expression, 'check');
      const translated = [expression, stored].map((text) =>
        translateExpression({ expression: text, purpose: 'check', columns }),
      );
      expect(translated).not.toContain(null);

      const expected = await inMariaDb(truthOf(expression));

      expect(await inPostgres(translated[0] ?? '')).toEqual(expected);
      expect(await inPostgres(translated[1] ?? '')).toEqual(expected);
    });

    it.each([
      "ci = 'a'",
      "ci IN ('a', 'b')",
      'ci = v',
      "v < 'b'",
      "lat < 'b'",
      "i = '1'",
      'v = 1',
      'v',
      "v LIKE 'a%'",
      "v REGEXP 'a'",
      "v = 'a' COLLATE utf8mb4_general_ci",
      "'a' = 'A'",
      'n / 3 > 1',
      'i / 2 = 1.5',
      'i & 1',
      'i << 1',
      'u - 1 > 0',
      'u + i > 0',
      '-u < 0',
      'y > 70',
      'n = d',
      "e = 'A'",
      "e = 'none'",
      "e < 'b'",
      "z = '00042'",
      "concat(z, '') = '00042'",
      "concat(y, '') = '0000'",
      "concat(one, '') = '1'",
      "upper(v) = 'A'",
      'd DIV 2 = 1',
      'round(d) = 1',
      'json_valid(v)',
      'char_length(v) > rand()',
      'unknown = 1',
      '(SELECT 1)',
      "day = '2024-1-1'",
      'day > 20240101',
      'at > now()',
      'day + interval 1 day > at',
      'i || s',
      "v = _binary'a'",
      "raw = 'a'",
      'length(lat) = 1',
      "v = '????'",
      'i >',
      "'open",
      '@x = 1',
      'i = s IS NULL',
      `${'('.repeat(500)}i${')'.repeat(500)}`,
    ])('%s are left to a person', (expression) => {
      expect(translateExpression({ expression, purpose: 'check', columns })).toBeNull();
    });
  });

  describe('as generated values', () => {
    it.each([
      ['i + 1', 'bigint', 'bigint'],
      ['i * 2', 'bigint', 'bigint'],
      ['i * s', 'bigint', 'bigint'],
      ['u + 1', 'bigint unsigned', 'numeric(20,0)'],
      ['if(i > 0, 1, 0)', 'tinyint', 'smallint'],
      ['i > 0', 'tinyint(1)', 'boolean'],
      ['i > 0', 'int', 'integer'],
      ['if(i > 0, 1, 0)', 'tinyint(1)', 'boolean'],
      ['n * 2', 'decimal(12,2)', 'numeric(12,2)'],
      ['n * 1.005', 'decimal(12,2)', 'numeric(12,2)'],
      ['n * n', 'decimal(30,4)', 'numeric(30,4)'],
      ['n * i', 'decimal(30,1)', 'numeric(30,1)'],
      ['n', 'bigint', 'bigint'],
      ['d + 1', 'double', 'double precision'],
      ['d / i', 'double', 'double precision'],
      ['f + f', 'float', 'real'],
      ["concat(v, ' ', ci)", 'varchar(60) collate utf8mb4_general_ci', 'character varying(60)'],
      ["concat(ci, '!')", 'varchar(60)', 'character varying(60)'],
      ["concat('#', i, '/', n, '/', flag)", 'varchar(60)', 'character varying(60)'],
      ["concat(v, ' ')", 'char(60)', 'character varying(60)'],
      ["coalesce(ci, 'none')", 'text', 'text'],
      ["if(i > 0, ci, 'none')", 'text', 'text'],
      ["lpad(i, 12, '0')", 'varchar(20)', 'character varying(20)'],
      ["rpad(ci, 5, 'é')", 'varchar(20)', 'character varying(20)'],
      ['left(ci, 2)', 'varchar(20)', 'character varying(20)'],
      ['right(ci, 2)', 'varchar(20)', 'character varying(20)'],
      ["replace(v, 'a', 'b')", 'varchar(20)', 'character varying(20)'],
      ['md5(v)', 'char(32)', 'character varying(32)'],
      ['trim(nv)', 'varchar(20)', 'character varying(20)'],
      ['char_length(ci)', 'int', 'integer'],
      ['length(ci)', 'int', 'integer'],
      ['year(day)', 'int', 'integer'],
      ['cast(at as date)', 'date', null],
      ['round(n)', 'decimal(10,0)', 'numeric(10,0)'],
      ['cast(i as char)', 'varchar(20)', 'character varying(20)'],
      ['cast(ci as char(2))', 'varchar(20)', 'character varying(20)'],
      ['raw', 'varbinary(10)', 'bytea'],
      ['at', 'datetime(3)', 'timestamp(3)'],
    ])('%s give the same %s', async (expression, declared, targetType) => {
      const [declaredType = ''] = declared.split(' collate');
      const collation = / collate (\w+)$/.exec(declared)?.[1] ?? 'utf8mb4_general_ci';
      const own = { target: 'g', targetType: targetType ?? 'date', declaredType, collation };
      const translate = (text: string): string | null =>
        translateExpression({
          expression: text,
          purpose: 'generated',
          columns: { ...columns, g: own },
          column: 'g',
        });
      const translated = [expression, await printed(expression, 'value')].map(translate);
      if (targetType === null) {
        expect(translated).toEqual([null, null]);
        return;
      }
      expect(translated).not.toContain(null);

      await db.sql(
        `CREATE OR REPLACE TABLE g LIKE t; ALTER TABLE g ADD g ${declared} AS (${expression}) STORED`,
      );
      const names = COLUMNS.map(([name]) => `\`${name}\``).join(', ');
      await db.sql(`INSERT IGNORE INTO g (k, ${names}) SELECT k, ${names} FROM t`);
      const expected = (
        await db.sql(`SELECT ${targetType === 'real' ? 'g * 1e0' : 'g'} AS v FROM g ORDER BY k`)
      ).map(({ v }) => v as unknown);

      for (const rule of translated) {
        await session.client.query(
          `DROP TABLE IF EXISTS g; CREATE TABLE g (LIKE t, g ${targetType} GENERATED ALWAYS AS (${rule ?? ''}) STORED);
           INSERT INTO g SELECT * FROM t`,
        );
        const read = targetType === 'real' ? 'g::double precision' : 'g';
        const values = await selectFromPostgres(`SELECT ${read} AS v FROM g ORDER BY k`);
        expect(values).toEqual(expected.map(plain));
      }
    });

    it.each([
      // A source that is not strict would cut them to size.
      ['i * 2', 'tinyint', 'smallint'],
      ['i', 'int unsigned', 'bigint'],
      ['i', 'tinyint(1)', 'boolean'],
      ['i', 'mediumint', 'integer'],
      ['n', 'decimal(10,2) unsigned', 'numeric(10,2)'],
      // Characters that the column's character set lacks.
      ['ci', 'varchar(20) collate latin1_swedish_ci', 'character varying(20)'],
      ['n / 3', 'decimal(10,2)', 'numeric(10,2)'],
      ['d', 'double(10,2)', 'double precision'],
      ['d', 'bigint', 'bigint'],
      ["json_unquote(json_extract(ci, '$.a'))", 'text', 'text'],
      ['upper(ci)', 'text', 'text'],
      ['day', 'datetime', 'timestamp(0)'],
      ['e', 'varchar(9)', 'character varying(9)'],
      ["date_format(day, '%Y')", 'varchar(9)', 'character varying(9)'],
      ['NULL', 'int', 'integer'],
    ])('%s as %s are left to a person', (expression, declared, targetType) => {
      const [declaredType = ''] = declared.split(' collate');
      const collation = / collate (\w+)$/.exec(declared)?.[1] ?? 'utf8mb4_general_ci';
      const g = { target: 'g', targetType, declaredType, collation };
      const request = { expression, purpose: 'generated', column: 'g' } as const;

      expect(translateExpression({ ...request, columns: { ...columns, g } })).toBeNull();
    });
  });

  it('of any shape mean the same, where they are carried over', async () => {
    let carried = 0;
    const leaf = fc.constantFrom(...COLUMNS.map(([name]) => `\`${name}\``), ...LITERALS);
    const { expression } = fc.letrec<{ expression: string }>((tie) => {
      const inner = tie('expression');
      return {
        expression: fc.oneof(
          { maxDepth: 3, withCrossShrink: true },
          leaf,
          fc
            .tuple(inner, fc.constantFrom(...OPERATORS), inner)
            .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
          fc
            .tuple(fc.constantFrom(...FUNCTIONS), inner, inner)
            .map(([template, a, b]) => template.replaceAll('$a', a).replaceAll('$b', b)),
        ),
      };
    });

    await fc.assert(
      fc.asyncProperty(expression, async (source) => {
        for (const purpose of ['check', 'generated'] as const) {
          const translated = translateExpression({ expression: source, purpose, columns });
          if (translated === null) continue;
          const asked = purpose === 'check' ? truthOf(source) : source;
          if ((await inMariaDb(asked)) === null) continue;
          const actual = await inPostgresOrUnderflow(translated);
          if (actual === null) continue;
          // A FLOAT prints six digits only.
          const isDouble = purpose === 'generated' && (await isDoubleInPostgres(translated));
          const expected = await inMariaDb(isDouble ? `(${source}) * 1e0` : asked);
          carried++;
          expect({ source, translated, values: actual }).toEqual({
            source,
            translated,
            values: expected,
          });
        }
      }),
      { numRuns: 3000 },
    );

    expect(carried).toBeGreaterThan(300);
  }, 120_000);
});

const LITERALS = [
  '0',
  '1',
  '-1',
  '2',
  '1000',
  '1.5',
  '0.01',
  '-2.50',
  '1e0',
  '2e-1',
  'NULL',
  'TRUE',
  "'a'",
  "'a '",
  "'é'",
  "''",
  "'1'",
  "'2024-01-01'",
  "x'61'",
];
const OPERATORS = ['+', '-', '*', '/', '%', 'DIV', '=', '<>', '<', '>=', '<=>', 'AND', 'OR'];
const FUNCTIONS = [
  '(NOT ($a))',
  '-($a)',
  '(($a) IS NULL)',
  'if($a, $b, $a)',
  'coalesce($a, $b)',
  'nullif($a, $b)',
  'abs($a)',
  'floor($a)',
  'ceil($a)',
  'round($a)',
  'round($a, 1)',
  'truncate($a, 1)',
  'concat($a, $b)',
  'length($a)',
  'char_length($a)',
  'lower($a)',
  'trim($a)',
  'left($a, 2)',
  'substr($a, 2)',
  "lpad($a, 4, 'x')",
  'mod($a, $b)',
  '(($a) IN ($b, 1))',
  '(($a) BETWEEN ($b) AND 5)',
  'CASE WHEN $a THEN $b END',
  'md5($a)',
  'year($a)',
  'cast($a as signed)',
  'cast($a as char)',
];
