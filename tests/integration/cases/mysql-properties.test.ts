import fc from 'fast-check';

import type { SourceSnapshot } from '../../../src/engine/contract.ts';
import { MysqlConnection } from '../../../src/engine/sources/mysql/connection.ts';
import { encodeChunk } from '../../../src/engine/sources/mysql/read-chunk.ts';
import type { MysqlEncoder } from '../../../src/engine/types/mysql-encoder.ts';
import { MYSQL_ENCODERS } from '../../../src/engine/types/mysql-encoders.ts';
import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { describeWithMariaDb } from '../../helpers/mariadb.ts';
import { startLegacyMysql, type LegacyMysql } from '../../helpers/mysql-move.ts';
import { SEED } from '../../helpers/seed.ts';

const VALUES_A_TYPE = 120;

/** A column type, values for it as SQL, and what each server says that it holds: these two have to be the same text. */
interface Kind {
  readonly type: string;
  readonly values: fc.Arbitrary<string>;
  readonly source: (column: string) => string;
  readonly target: (column: string) => string;
}

const hex = (text: string): string =>
  text === '' ? "''" : `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;

function whole(type: string, min: bigint, max: bigint): Kind {
  return {
    type,
    values: fc
      .oneof(
        fc.constantFrom(min, max, 0n, 1n, -1n, min + 1n, max - 1n, max / 2n),
        fc.bigInt({ min, max }),
        fc.bigInt({ min: -300n, max: 300n }),
      )
      .map(String),
    source: (column) => `CAST(${column} + 0 AS CHAR)`,
    target: (column) => (/^tinyint\(1\)$/.test(type) ? `${column}::int::text` : `${column}::text`),
  };
}

function decimal(precision: number, scale: number, tail = ''): Kind {
  const digits = (length: number): fc.Arbitrary<string> =>
    fc.string({
      unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
      minLength: 1,
      maxLength: Math.max(1, length),
    });
  return {
    type: `decimal(${String(precision)},${String(scale)})${tail}`,
    values: fc.oneof(
      fc.constantFrom(
        '0',
        '-0.0',
        '9'.repeat(precision),
        `-${'9'.repeat(precision)}`,
        '0.5',
        '1e-5',
        '-1',
      ),
      fc
        .tuple(fc.constantFrom('', '-'), digits(precision - scale), digits(scale))
        .map(([sign, a, b]) => `${sign}${a}.${b}`),
    ),
    source: (column) => `CAST(${column} + 0 AS CHAR)`,
    target: (column) => `${column}::text`,
  };
}

const floats = fc.oneof(
  fc.constantFrom(
    '0',
    '-0.0e0',
    '1',
    '16777217',
    '1234567.891',
    '3.4028234e38',
    '1.17549435e-38',
    '1e-45',
    '1.7976931348623157e308',
    '5e-324',
    '2.2250738585072014e-308',
    '1e15',
    '1e-5',
    '123456',
    '1234567',
    '9007199254740993',
    '33554432',
    '8388608.5',
    '1e22',
    '1e23',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.integer({ min: -2000, max: 2000 }).map((value) => String(value / 8)),
  fc.integer({ min: -126, max: 127 }).map((power) => (2 ** power).toExponential()),
);

function floating(type: string): Kind {
  return {
    type,
    values: floats,
    source: (column) => `CAST(${column} * 1e0 AS CHAR)`,
    target: (column) => `${column}::float8::text`,
  };
}

const moments = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(0, 1, 1000, 1582, 1900, 1970, 2000, 2024, 2038, 9999),
      fc.integer({ min: 0, max: 9999 }),
    ),
    fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(2)),
    fc.oneof(fc.integer({ min: 0, max: 31 }), fc.constantFrom(0, 29, 30, 31)),
    fc.integer({ min: 0, max: 86_399 }),
    fc.oneof(
      fc.constantFrom(0, 1, 500_000, 999_999, 120_000),
      fc.integer({ min: 0, max: 999_999 }),
    ),
  )
  .map(([year, month, day, second, fraction]) => {
    const two = (value: number): string => String(value).padStart(2, '0');
    const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
    return `'${String(year).padStart(4, '0')}-${two(month)}-${two(day)} ${clock}.${String(fraction).padStart(6, '0')}'`;
  });

/** NULL where the default policies make it so. */
function moment(type: string): Kind {
  return {
    type,
    values: moments,
    source: (column) =>
      `IF(MONTH(${column}) = 0 OR DAYOFMONTH(${column}) = 0, NULL, CONCAT(LPAD(YEAR(${column}), 4, '0'), DATE_FORMAT(${column}, '-%m-%d %H:%i:%s.%f')))`,
    target: (column) =>
      `to_char(${column}${type.startsWith('timestamp') ? " AT TIME ZONE 'UTC'" : ''}, 'YYYY-MM-DD HH24:MI:SS.US')`,
  };
}

function time(type: string, hours: number): Kind {
  return {
    type,
    values: fc
      .tuple(
        fc.constantFrom(...(hours > 24 ? ['', '-'] : [''])),
        fc.integer({ min: 0, max: hours * 3600 - 1 }),
        fc.integer({ min: 0, max: 999_999 }),
      )
      .map(
        ([sign, seconds, fraction]) =>
          `'${sign}${String(Math.floor(seconds / 3600)).padStart(2, '0')}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}.${String(fraction).padStart(6, '0')}'`,
      ),
    source: (column) => `CAST(CAST(TIME_TO_SEC(${column}) * 1000000 AS DECIMAL(30, 0)) AS CHAR)`,
    target: (column) => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`,
  };
}

const characters = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'a',
      'B',
      ' ',
      "'",
      '"',
      '\\',
      '\t',
      '\n',
      '\r',
      '\b',
      '\v',
      '\f',
      '\\N',
      '\\.',
      '\u0001',
      '\u007f',
      '{',
      ',',
      '}',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\0',
      'é',
      '€',
      'Ã©',
      'ü',
      'ß',
      '\u0081',
      '�',
      '𝄞',
      '😀',
      '\ufeff',
      '\u2028',
    ),
  },
);
const texts = fc.array(characters, { maxLength: 20 }).map((parts) => parts.join(''));

function text(type: string, values: fc.Arbitrary<string> = texts): Kind {
  return {
    type,
    values: values.map(hex),
    source: (column) => `LOWER(HEX(CONVERT(${column} USING utf8mb4)))`,
    target: (column) => `encode(convert_to(${column}::text, 'UTF8'), 'hex')`,
  };
}

function bytes(type: string): Kind {
  return {
    type,
    values: fc
      .uint8Array({ maxLength: 16 })
      .map((value) => `x'${Buffer.from(value).toString('hex')}'`),
    source: (column) => `LOWER(HEX(${column}))`,
    target: (column) => `encode(${column}, 'hex')`,
  };
}

function bit(width: number): Kind {
  return {
    type: `bit(${String(width)})`,
    values: fc.bigInt({ min: 0n, max: 2n ** BigInt(width) - 1n }).map(String),
    source: (column) => `LPAD(BIN(${column} + 0), ${String(width)}, '0')`,
    target: (column) => (width === 1 ? `${column}::int::text` : `${column}::text`),
  };
}

const MEMBERS = ['NULL', 'q"q', '{', 'a b', 'b\\s', 'plain', '}', 'é'];
const labels = MEMBERS.map(hexLabel).join(', ');

function hexLabel(label: string): string {
  return `'${label.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

const NUMERALS = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1e3',
    '1E-3',
    '12345678901234567890.123',
    '-0.0',
    '1.50e1',
    '1e-7',
    '0.10',
    '123e-2',
  ),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 })
    .map((value) => value.toExponential()),
);
const json = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false', '"\\u00e9\\n\\\\"', '""', '"\\ud83d\\ude00"', '" "'),
    NUMERALS,
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(
        fc.tuple(fc.constantFrom('a', 'bb', 'é', '', 'Z', 'a b', '__proto__', '1'), tie('value')),
        { maxLength: 4, selector: ([key]) => key },
      )
      .map(
        (members) =>
          `{${members.map(([key, value]) => `${JSON.stringify(key)} :${value}`).join(',')}}`,
      ),
  ),
})).value;

const KINDS: readonly Kind[] = [
  whole('tinyint(1)', 0n, 1n),
  whole('tinyint', -128n, 127n),
  whole('tinyint unsigned', 0n, 255n),
  whole('smallint', -32_768n, 32_767n),
  whole('smallint unsigned', 0n, 65_535n),
  whole('mediumint', -8_388_608n, 8_388_607n),
  whole('mediumint unsigned', 0n, 16_777_215n),
  whole('int', -(2n ** 31n), 2n ** 31n - 1n),
  whole('int unsigned', 0n, 2n ** 32n - 1n),
  whole('int(7) zerofill', 0n, 2n ** 32n - 1n),
  whole('bigint', -(2n ** 63n), 2n ** 63n - 1n),
  whole('bigint unsigned', 0n, 2n ** 64n - 1n),
  whole('year', 1901n, 2155n),
  decimal(10, 2),
  decimal(5, 5),
  decimal(65, 30),
  decimal(20, 0),
  decimal(12, 4, ' zerofill'),
  floating('float'),
  floating('float(9,3)'),
  floating('double'),
  floating('double(20,5)'),
  moment('date'),
  moment('datetime'),
  moment('datetime(3)'),
  moment('datetime(6)'),
  { ...moment('timestamp(6) null') },
  time('time', 24),
  time('time(6)', 24),
  time('time(3) null', 839),
  text('varchar(60)'),
  text('char(60)'),
  text(
    'varchar(60) character set latin1',
    texts.map((value) =>
      Array.from(value)
        .filter((character) => (character.codePointAt(0) ?? 0) < 0x100 || character === '€')
        .join(''),
    ),
  ),
  text('varchar(60) character set utf16'),
  text(
    'varchar(60) character set cp1251',
    fc
      .array(fc.constantFrom('а', 'Я', 'x', '№', '\t'), { maxLength: 20 })
      .map((parts) => parts.join('')),
  ),
  text('tinytext'),
  text('longtext'),
  text(`enum(${labels})`, fc.constantFrom(...MEMBERS)),
  {
    ...text(
      `set(${labels})`,
      fc.subarray(MEMBERS).map((members) => members.join(',')),
    ),
    target: (column) => `encode(convert_to(array_to_string(${column}, ','), 'UTF8'), 'hex')`,
  },
  bytes('binary(16)'),
  bytes('varbinary(16)'),
  bytes('longblob'),
  bit(1),
  bit(8),
  bit(13),
  bit(64),
  {
    type: 'json',
    values: json.map(hex),
    source: (column) => `CAST(${column} AS CHAR)`,
    target: (column) => `${column}::text`,
  },
  {
    type: 'uuid',
    values: fc.uuid().map((value) => `'${value}'`),
    source: (column) => `CAST(${column} AS CHAR)`,
    target: (column) => `${column}::text`,
  },
  {
    type: 'point',
    values: fc
      .tuple(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      )
      .map(([x, y]) => `POINT(${x.toExponential()}, ${y.toExponential()})`),
    source: (column) => `LOWER(HEX(ST_AsWKB(${column})))`,
    target: (column) => `encode(${column}, 'hex')`,
  },
];

describeWithMariaDb('any value of any MySQL type', () => {
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

  it(`means the same in PostgreSQL, or is accounted for (seed ${String(SEED)})`, async () => {
    const tables = KINDS.map(({ type, values }, number) => {
      const sample = fc.sample(values, { seed: SEED + number, numRuns: VALUES_A_TYPE });
      const rows = ['NULL', ...sample].map((value, id) => `(${String(id)}, ${value})`);
      return `CREATE TABLE k${String(number)} (id INT PRIMARY KEY, v ${type}); INSERT IGNORE INTO k${String(number)} VALUES ${rows.join(', ')};`;
    });
    const moved = await legacy.move(
      `SET SESSION group_concat_max_len = 1000000; ${tables.join('\n')}`,
      { lanes: 2 },
    );

    const rejects = Map.groupBy(
      [...moved.job.journal.rejects].flatMap(([chunk, found]) =>
        found.map(({ key }) => ({
          table: chunk.split('/')[0] ?? '',
          id: JSON.stringify(key.id).replaceAll('"', ''),
        })),
      ),
      ({ table }) => table,
    );
    let compared = 0;
    for (const [number, kind] of KINDS.entries()) {
      const table = `k${String(number)}`;
      await legacy.mariadb.sql(`SET time_zone = '+00:00'`);
      const source = await legacy.mariadb.sql(
        `SELECT CAST(id AS CHAR) AS id, ${kind.source('v')} AS v FROM ${table} ORDER BY ${table}.id`,
      );
      const target = new Map(
        (await moved.rows(`SELECT id::text, ${kind.target('v')} FROM ${table}`)).map(
          ([id, value]) => [id, value ?? null],
        ),
      );
      const rejected = new Set(rejects.get(table)?.map(({ id }) => id));
      expect({ type: kind.type, rows: target.size + rejected.size }).toEqual({
        type: kind.type,
        rows: source.length,
      });
      for (const row of source) {
        const id = String(row.id);
        if (rejected.has(id)) continue;
        expect({ type: kind.type, id, value: comparable(kind, target.get(id)) }).toEqual({
          type: kind.type,
          id,
          value: comparable(kind, row.v as string | null),
        });
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(4000);
  }, 240_000);

  describe('an encoder that is broken', () => {
    const BROKEN: readonly (readonly [keyof typeof MYSQL_ENCODERS, string, string])[] = [
      ['whole', 'INT', '41'],
      ['numeric', 'DECIMAL(10,2)', '1.5'],
      ['real', 'FLOAT', '0.1'],
      ['double', 'DOUBLE', '0.1'],
      ['date', 'DATE', "'2024-01-01'"],
      ['timestamp', 'DATETIME(3)', "'2024-01-01 01:01:01.1'"],
      ['timestamptz', 'TIMESTAMP', "'2024-02-02 06:41:00'"],
      ['time', 'TIME', "'01:01:01'"],
      ['interval', 'TIME', "'-01:01:01'"],
      ['text', 'VARCHAR(10)', "'a1'"],
      ['set', "SET('1', '2')", "'1'"],
      ['enum', "ENUM('1', '2')", "'1'"],
      ['jsonb', 'JSON', `'{"a": 1}'`],
      ['bytea', 'BLOB', "x'31'"],
    ];

    it.each(BROKEN)(
      '%s is found by full verification, though not by its own digest',
      async (name, type, value) => {
        const moved = await legacy.move(
          `CREATE TABLE t (id INT PRIMARY KEY, v ${type}); INSERT INTO t VALUES (2, ${value}), (3, NULL)`,
        );
        const plan = await moved.job.plan();
        const schema = `${moved.schema}_broken`;
        const tables = plan.tables.map((table) => ({ ...table, schema }));
        const job = engine.buildJob(
          { kind: 'mysql', location: legacy.location },
          { targetSchema: schema },
        );
        expect((await job.plan()).tables[0]?.columns[1]?.encoder).toBe(
          tables[0]?.columns[1]?.encoder,
        );
        await job.create();

        const encoder = MYSQL_ENCODERS[name] as { compile: MysqlEncoder['compile'] };
        const right = encoder.compile;
        encoder.compile = (options) => breakOnes(right(options));
        try {
          await job.copy(undefined, await readHere(legacy, await job.openSnapshot()));
        } finally {
          encoder.compile = right;
        }
        await job.finish();

        expect((await job.verify('checksum')).map(({ verdict }) => verdict)).toEqual(['passed']);
        expect((await job.verify('full')).map(({ verdict }) => verdict)).toEqual(['failed']);
      },
    );
  });
});

/** Writes a 2 for the first 1 of a value. */
function breakOnes(
  encode: ReturnType<MysqlEncoder['compile']>,
): ReturnType<MysqlEncoder['compile']> {
  return (bytes, start, end, target) => {
    const from = target.out.length;
    const problem = encode(bytes, start, end, target);
    const position = target.out.bytes.indexOf('1', from, 'latin1');
    if (position >= 0 && position < target.out.length) target.out.bytes[position] = 0x32;
    return problem;
  };
}

/** A snapshot whose rows are encoded in this thread, where an encoder can be broken. */
function readHere(legacy: LegacyMysql, snapshot: SourceSnapshot): Promise<SourceSnapshot> {
  const connection = new MysqlConnection(legacy.location);
  return Promise.resolve({
    level: snapshot.level,
    lanes: 1,
    countRows: (request) => snapshot.countRows(request),
    readChunk: ({ describe = false, ...request }) =>
      encodeChunk(connection, { ...request, describe }),
    readCanonical: (request) => snapshot.readCanonical(request),
    close: async () => {
      await connection.close();
      await snapshot.close();
    },
  });
}

/** Two ways of writing the same value, as one. */
function comparable({ type }: Kind, value: string | null | undefined): string | null | undefined {
  if (value === null || value === undefined) return value;
  if (/^(?:float|double)/.test(type)) {
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(Number(value));
    return bits.toString('hex');
  }
  if (type === 'json') return JSON.stringify(sorted(JSON.parse(value, digits as never)));
  if (type.startsWith('decimal')) return value.replace(/^(-?)0+(?=\d)/, '$1');
  return value;
}

function digits(_: string, value: unknown, context: { readonly source: string }): unknown {
  if (typeof value !== 'number') return value;
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(context.source) ?? [];
  const scale = fraction.length - Number(exponent);
  const number = BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, -scale));
  return `${number === 0n ? '' : (sign ?? '')}${String(number)}/${String(Math.max(0, scale))}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => [key, sorted(member)]);
}
