import fc from 'fast-check';

import { startPostgresCases, type PostgresCases } from '../../helpers/postgres-cases.ts';
import { SEED } from '../../helpers/seed.ts';

const RUNS = 150;

type Texts = fc.Arbitrary<string>;

const text: Texts = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((value) => value.replaceAll('\0', '\u0001'));
const edgy: Texts = fc.oneof(
  text,
  fc.constantFrom(
    '',
    ' ',
    '\\N',
    '\\.',
    '\\',
    '"',
    "'",
    '{}',
    '{',
    ',',
    'NULL',
    '\t\n\r\b\f\v',
    'é😀',
    '\u0001',
    '()',
    ' x ',
  ),
);
const digits = (max: number): Texts => fc.stringMatching(new RegExp(`^[0-9]{1,${String(max)}}$`));
const whole = (bits: bigint): Texts =>
  fc
    .oneof(
      fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }),
      fc.constantFrom(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n, 0n, -1n),
    )
    .map(String);
const numeric: Texts = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-'), digits(60), digits(60))
    .map(([sign, a, b]) => `${sign}${a}.${b}`),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '0.000', '-0.10', '1e-300', '9e300'),
);
const float: Texts = fc.oneof(
  fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  fc.constantFrom(
    '5e-324',
    '1.7976931348623157e308',
    '-0',
    'NaN',
    '-Infinity',
    '0.1',
    '1e15',
    '1e16',
  ),
);
const float4: Texts = fc.oneof(
  fc.float().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  fc.constantFrom('1e-45', '3.4028235e38', '16777217', '-0', 'NaN', 'Infinity'),
);
const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const two = (value: number): string => String(value).padStart(2, '0');
const day: Texts = fc
  .tuple(int(1, 9999), int(1, 12), int(1, 28), fc.constantFrom('', ' BC'))
  .map(([y, m, d, era]) => `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}${era}`)
  .filter((value) => !(value.endsWith('BC') && Number(value.slice(0, 4)) > 4700));
const clock: Texts = fc
  .tuple(int(0, 23), int(0, 59), int(0, 59), int(0, 999_999))
  .map(([h, m, s, us]) => `${two(h)}:${two(m)}:${two(s)}.${String(us).padStart(6, '0')}`);
const moment: Texts = fc.oneof(
  fc
    .tuple(day, clock)
    .map(([d, t]) => (d.endsWith(' BC') ? `${d.slice(0, -3)} ${t} BC` : `${d} ${t}`)),
  fc.constantFrom(
    'infinity',
    '-infinity',
    '294276-12-31 23:59:59.999999',
    '4713-01-01 00:00:00 BC',
  ),
);
const zoned: Texts = fc.oneof(
  fc.tuple(day, clock, int(-15, 15)).map(([d, t, h]) => {
    const zone = `${h < 0 ? '-' : '+'}${two(Math.abs(h))}`;
    return d.endsWith(' BC') ? `${d.slice(0, -3)} ${t}${zone} BC` : `${d} ${t}${zone}`;
  }),
  fc.constantFrom('infinity', '-infinity'),
);
const interval: Texts = fc
  .tuple(
    int(-170_000, 170_000),
    int(-11, 11),
    int(-4000, 4000),
    int(-99_999, 99_999),
    int(0, 999_999),
  )
  .map(
    ([y, m, d, s, us]) =>
      `${String(y)} years ${String(m)} mons ${String(d)} days ${String(s)}.${two(us)} secs`,
  );
const bits = (min: number, max: number): Texts =>
  fc.stringMatching(new RegExp(`^[01]{${String(min)},${String(max)}}$`));
const octet = int(0, 255);
const address: Texts = fc.oneof(
  fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.')),
  fc.ipV6().filter((value) => !value.includes('.')),
);
const array = (element: Texts): Texts =>
  fc.array(fc.option(element, { nil: null }), { maxLength: 5 }).map(arrayLiteral);
const matrix = (element: Texts): Texts =>
  fc
    .tuple(int(1, 3), fc.array(fc.tuple(element, element), { minLength: 1, maxLength: 3 }))
    .map(([lower, rows]) => {
      const inner = rows.map((row) => arrayLiteral(row)).join(',');
      return `[${String(lower)}:${String(lower + rows.length - 1)}][1:2]={${inner}}`;
    });
const row = (...fields: Texts[]): Texts =>
  fc.tuple(...fields).map((values) => `(${values.map(quote).join(',')})`);
const point: Texts = fc.tuple(float, float).map(([x, y]) => `(${x},${y})`);
const words: Texts = fc
  .array(fc.tuple(fc.stringMatching(/^[a-zé'\\]{1,8}$/), int(1, 16_383)), { maxLength: 5 })
  .map((list) =>
    list
      .map(
        ([word, at]) => `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}':${String(at)}A`,
      )
      .join(' '),
  );

function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function arrayLiteral(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(value))).join(',')}}`;
}

function range(element: Texts, compare: (a: string, b: string) => boolean): Texts {
  return fc.oneof(
    fc
      .tuple(element, element, fc.constantFrom('[', '('), fc.constantFrom(']', ')'))
      .map(([a, b, open, close]) => `${open}${compare(a, b) ? `${a},${b}` : `${b},${a}`}${close}`),
    element.map((a) => `(,${a}]`),
    fc.constantFrom('empty', '(,)'),
  );
}

const numbers = (a: string, b: string): boolean => BigInt(a) <= BigInt(b);
const small = whole(20n);

const TYPES: Readonly<Record<string, Texts>> = {
  smallint: whole(16n),
  integer: whole(32n),
  bigint: whole(64n),
  numeric,
  'numeric(12,3)': fc.tuple(digits(9), digits(3)).map(([a, b]) => `-${a}.${b}`),
  'numeric(5,-2)': int(-9_999_900, 9_999_900).map(String),
  real: float4,
  'double precision': float,
  boolean: fc.constantFrom('t', 'f'),
  text: edgy,
  'character varying(60)': edgy,
  'character(45)': edgy,
  name: fc.stringMatching(/^[a-z "\\]{0,60}$/),
  '"char"': fc.stringMatching(/^[ -~]$/),
  'text COLLATE "C"': edgy,
  bytea: fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  date: fc.oneof(day, fc.constantFrom('infinity', '-infinity', '4713-01-01 BC', '5874897-12-31')),
  'time without time zone': fc.oneof(clock, fc.constantFrom('24:00:00', '00:00:00')),
  'time(2) with time zone': fc
    .tuple(clock, int(-15, 15))
    .map(([t, h]) => `${t}${h < 0 ? '-' : '+'}${two(Math.abs(h))}:30`),
  timestamp: moment,
  // PostgreSQL itself rounds the last microsecond up to a moment that it does not read back.
  'timestamp(3)': moment.filter((value) => !value.startsWith('294276')),
  timestamptz: zoned,
  interval,
  'interval day to second(3)': interval,
  uuid: fc.uuid(),
  json: fc.json(),
  jsonb: fc.json().filter((value) => !value.includes('\\u0000')),
  xml: edgy.map((value) => `<a>${value.replace(/[^\t\n -~é😀]/gu, '').replace(/[<&]/g, '')}</a>`),
  'bit(7)': bits(7, 7),
  'bit varying': bits(0, 70),
  inet: fc.tuple(address, int(0, 32)).map(([ip, mask]) => `${ip}/${String(mask)}`),
  macaddr: fc
    .tuple(octet, octet, octet, octet, octet, octet)
    .map((parts) => parts.map((part) => part.toString(16).padStart(2, '0')).join(':')),
  point,
  box: fc
    .tuple(point, point)
    .map(([a, b]) => `${a},${b}`)
    .filter((value) => !value.includes('NaN')),
  polygon: fc.array(point, { minLength: 1, maxLength: 4 }).map((points) => `(${points.join(',')})`),
  tsvector: words,
  int4range: range(small, numbers),
  numrange: range(small, numbers),
  int8multirange: fc
    .array(range(small, numbers), { maxLength: 3 })
    .map((parts) => `{${parts.join(',')}}`),
  'integer[]': array(whole(32n)),
  'text[]': fc.oneof(array(edgy), matrix(edgy)),
  'numeric(8,2)[]': array(fc.tuple(digits(6), digits(2)).map(([a, b]) => `${a}.${b}`)),
  'timestamptz[]': array(zoned),
  'jsonb[]': array(fc.json().filter((value) => !value.includes('\\u0000'))),
  oid: int(0, 2 ** 31 - 1).map(String),
  pg_lsn: fc
    .tuple(int(0, 2 ** 31 - 1), int(0, 2 ** 31 - 1))
    .map(([a, b]) => `${a.toString(16)}/${b.toString(16)}`),
  mood: fc.constantFrom('sad', "it's", '😀'.repeat(3)),
  'mood[]': array(fc.constantFrom('sad', '😀'.repeat(3))),
  pair: row(whole(32n), edgy),
  'pair[]': array(row(whole(32n), edgy)),
  label: edgy.map((value) => value.slice(0, 8).toWellFormed()),
  'label[]': array(edgy.map((value) => value.slice(0, 8).toWellFormed())),
  citext: edgy,
  ltree: fc.stringMatching(/^[A-Za-z_]{1,5}(\.[A-Za-z_]{1,5}){0,3}$/),
};

/** Each value of each type: what the target prints is what the source prints, or the row is accounted for. */
describe('Any value of any type of PostgreSQL', () => {
  let cases: PostgresCases;

  beforeAll(async () => {
    cases = await startPostgresCases();
    await cases.run(
      'CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext',
    );
  }, 60_000);

  afterAll(() => cases.close());

  it(`arrives as it was (seed ${String(SEED)})`, async () => {
    const tables = Object.entries(TYPES).map(([type, values], number) => ({
      type,
      name: `t_${String(number)}`,
      values: fc.sample(values, { seed: SEED + number, numRuns: RUNS }),
    }));
    const typeOf = (chunk: string): string | undefined =>
      tables.find(({ name }) => chunk.startsWith(`${name}/`))?.type;
    const content = tables.map(({ type, name, values }) => {
      const plain = type.replace(/ COLLATE.*/, '');
      const list = values.map(
        (value) => `(E'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`,
      );
      return `CREATE TABLE ${name} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v ${type});
        INSERT INTO ${name} (v) SELECT x::${plain} FROM (VALUES ${list.join(', ')}, (NULL)) AS s (x)`;
    });

    const moved = await cases.move(
      `CREATE TYPE mood AS ENUM ('sad', 'it''s', '😀😀😀'); CREATE TYPE pair AS (n integer, t text);
       CREATE DOMAIN label AS varchar(20); ${content.join(';\n')}`,
      { chunkRows: 40 },
    );

    const rejected = [...moved.job.journal.rejects].flatMap(([chunk, rejects]) =>
      rejects.map(({ message, row }) => ({ table: typeOf(chunk), message, value: row.v })),
    );
    expect(rejected).toEqual([]);
    for (const { name, type } of tables) {
      const select = `SELECT v::text FROM ${name} ORDER BY id`;
      expect({ type, rows: await moved.target(select) }).toEqual({
        type,
        rows: await moved.source(select),
      });
    }
  }, 120_000);
});
