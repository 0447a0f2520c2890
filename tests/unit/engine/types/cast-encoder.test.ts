import fc from 'fast-check';

import { castEncoder, castType, PLAIN_STYLE } from '../../../../src/engine/types/cast-encoder.ts';
import { CopyBuffer } from '../../../../src/engine/types/copy-text.ts';
import { copyThrough, openCopySession, type CopySession } from './copy-round-trip.ts';
import { SEED } from '../../../helpers/seed.ts';

const RUNS = 1500;

const digits = (max: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9]{1,${String(max)}}$`));
const sign = fc.constantFrom('', '-', '+');
const integer = fc.tuple(sign, digits(21)).map((parts) => parts.join(''));
const decimal = fc
  .tuple(sign, digits(25), fc.constantFrom('', '.'), fc.option(digits(20), { nil: '' }))
  .map(
    ([first, whole, point, fraction]) => `${first}${whole}${point}${point === '' ? '' : fraction}`,
  );
const scientific = fc
  .tuple(decimal, fc.constantFrom('', 'e', 'E'), fc.integer({ min: -330, max: 330 }))
  .map(([number, e, power]) => (e === '' ? number : `${number}${e}${String(power)}`));
const shortFloat = fc.oneof(
  fc.float({ noNaN: true }).map(String),
  fc.double({ noNaN: true }).map(String),
  fc.constantFrom(
    'NaN',
    'Infinity',
    '-infinity',
    '16777217',
    '8388608.5',
    '3.4028235e38',
    '1e-46',
    '7e-46',
  ),
);
const two = (max: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
const year = fc
  .oneof(fc.integer({ min: 0, max: 9999 }), fc.integer({ min: 1970, max: 2040 }))
  .map((value) => String(value).padStart(4, '0'));
const date = fc.tuple(year, two(13), two(32)).map((parts) => parts.join('-'));
const clock = fc
  .tuple(two(24), two(60), fc.option(two(60)), fc.option(digits(7)))
  .map(([hours, minutes, seconds, fraction]) =>
    seconds === null
      ? `${hours}:${minutes}`
      : `${hours}:${minutes}:${seconds}${fraction === null ? '' : `.${fraction}`}`,
  );
const naive = fc
  .tuple(date, fc.constantFrom(' ', 'T'), fc.option(clock))
  .map(([day, space, time]) => (time === null ? day : `${day}${space}${time}`));
const offset = fc.oneof(
  fc.constant('Z'),
  fc
    .tuple(fc.constantFrom('+', '-'), two(15), fc.option(two(59)), fc.constantFrom(':', ''))
    .map(([s, hours, minutes, colon]) => `${s}${hours}${minutes === null ? '' : colon + minutes}`),
);
const instant = fc
  .tuple(date, fc.constantFrom(' ', 'T'), clock, offset)
  .map((parts) => parts.join(''));
const small = fc.integer({ min: -30_000, max: 30_000 });
const interval = fc.oneof(
  fc
    .tuple(
      sign,
      fc.integer({ min: 0, max: 90_000 }),
      two(61),
      fc.option(two(61)),
      fc.option(digits(7)),
    )
    .map(([s, hours, minutes, seconds, fraction]) => {
      const rest = seconds === null ? '' : `:${seconds}${fraction === null ? '' : `.${fraction}`}`;
      return `${s}${String(hours)}:${minutes}${rest}`;
    }),
  fc
    .tuple(fc.option(small), fc.option(small), fc.option(small), fc.option(fc.tuple(sign, clock)))
    .map(([years, months, days, time]) =>
      [
        ...(years === null ? [] : [`${String(years)} years`]),
        ...(months === null ? [] : [`${String(months)} mons`]),
        ...(days === null ? [] : [`${String(days)} days`]),
        ...(time === null ? [] : [time.join('')]),
      ].join(' '),
    ),
  fc
    .tuple(small, small, small, small, small, small)
    .map(([y, m, d, h, min, s]) => `P${y}Y${m}M${d}DT${h}H${min}M${s}.25S`),
);
const hex = (size: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${String(size)}}$`));
const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
  fc.uuid().map((text) => `{${text}}`),
  hex(32),
);
const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((value) => value.replaceAll('\0', ''));
const words = fc.array(fc.constantFrom(0, 0, 0, 1, 0xffff, 0xabc, 0x102), {
  minLength: 8,
  maxLength: 8,
});
const inet = fc
  .oneof(
    fc.tuple(fc.ipV4(), fc.option(fc.integer({ min: 0, max: 33 }))),
    fc.tuple(fc.ipV6(), fc.option(fc.integer({ min: 0, max: 129 }))),
    fc.tuple(
      words.map((list) => list.map((word) => word.toString(16)).join(':')),
      fc.option(fc.integer({ min: 0, max: 129 })),
    ),
  )
  .map(([address, bits]) => (bits === null ? address : `${address}/${String(bits)}`));

const CASES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: fc.constantFrom(
    't',
    'F',
    'true',
    'False',
    'yes',
    'NO',
    'on',
    'Off',
    '0',
    '1',
    'y',
    'x',
    'tr',
  ),
  smallint: fc.oneof(integer, small.map(String), fc.constantFrom('32768', '-32768')),
  integer: fc.oneof(integer, fc.integer().map(String), fc.constantFrom('007', '+5', '2147483648')),
  bigint: fc.oneof(integer, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String)),
  numeric: fc.oneof(decimal, scientific),
  'numeric(10,2)': decimal,
  'numeric(5,5)': fc.oneof(
    decimal,
    digits(6).map((value) => `.${value}`),
  ),
  real: fc.oneof(shortFloat, scientific),
  'double precision': fc.oneof(shortFloat, scientific),
  date: fc.oneof(
    date,
    date.map((value) => value.replaceAll('-', '/')),
  ),
  timestamp: naive,
  'timestamp(3)': naive,
  timestamptz: instant,
  'timestamptz(0)': instant,
  time: clock,
  'time(2)': clock,
  interval,
  uuid,
  text,
  'varchar(5)': text,
  'char(4)': text,
  bytea: fc.array(hex(2), { maxLength: 8 }).map((bytes) => `\\x${bytes.join('')}`),
  json: fc.json(),
  inet,
};

describe(`casts of text, seed ${String(SEED)}`, () => {
  let session: CopySession;
  beforeAll(async () => {
    session = await openCopySession();
  }, 60_000);
  afterAll(async () => {
    await session.end();
  });

  it.each(Object.entries(CASES))('to %s print what PostgreSQL prints', async (name, arbitrary) => {
    const type = castType(name);
    if (type === null) throw new Error(`${name} is no type to cast to`);
    const encode = castEncoder(type, PLAIN_STYLE);

    const taken = fc.sample(arbitrary, { numRuns: RUNS, seed: SEED }).flatMap((value) => {
      const printed = encode(value);
      return typeof printed === 'string' ? [{ value, printed }] : [];
    });
    const printed = await copyThrough(session, {
      columns: `v ${type.targetType}, n integer`,
      lines: copyLines(taken.map(({ value }) => value)),
    });

    expect(taken.length).toBeGreaterThan(RUNS / 20);
    const found = new Set(printed.toString('utf8').split('\n'));
    const expected = copyLines(taken.map((sample) => sample.printed));
    const different = expected
      .toString('utf8')
      .split('\n')
      .filter((line) => !found.has(line));
    expect(different.slice(0, 5)).toEqual([]);
  });

  it('print a number with a decimal comma as they print it with a point', () => {
    const style = { decimal: 'comma', dates: 'ymd' } as const;
    const type = { family: 'numeric', targetType: 'numeric' } as const;
    const withComma = castEncoder(type, style);
    const withPoint = castEncoder(type, PLAIN_STYLE);

    fc.assert(
      fc.property(decimal, (number) => {
        expect(withComma(number.replace('.', ','))).toEqual(withPoint(number));
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect([withComma('1.234.567,80'), withPoint('1,234,567.80')]).toEqual(
      Array(2).fill('1234567.80'),
    );
    expect(withComma('1.5')).toMatchObject({ reasonCode: 'TYPE_MISMATCH' });
  });

  it.each([
    ['boolean', 'maybe', 'TYPE_MISMATCH'],
    ['integer', '5.0', 'TYPE_MISMATCH'],
    ['integer', ' 5', 'TYPE_MISMATCH'],
    ['integer', '', 'TYPE_MISMATCH'],
    ['smallint', '40000', 'OUT_OF_RANGE'],
    ['numeric(5,2)', '1.005', 'OUT_OF_RANGE'],
    ['numeric', '0x1A', 'TYPE_MISMATCH'],
    ['real', '1e39', 'OUT_OF_RANGE'],
    ['double precision', '1e-400', 'OUT_OF_RANGE'],
    ['date', '2023-02-30', 'INVALID_DATE'],
    ['date', '0000-00-00', 'ZERO_DATE'],
    ['date', '2010-05-00', 'PARTIAL_DATE'],
    ['date', '', 'EMPTY_DATE'],
    ['date', '2024-01-01 10:00', 'TYPE_MISMATCH'],
    ['timestamp', '2024-01-01 10:00+02', 'TYPE_MISMATCH'],
    ['timestamptz', '2024-01-01 10:00', 'TYPE_MISMATCH'],
    ['timestamp(0)', '2024-01-01 10:00:00.5', 'OUT_OF_RANGE'],
    ['varchar(3)', 'abcd', 'OUT_OF_RANGE'],
    ['bytea', '0x1A', 'TYPE_MISMATCH'],
    ['json', '{a:1}', 'INVALID_JSON'],
    ['inet', '10.0.0.256', 'TYPE_MISMATCH'],
    ['inet', 'fe80::1%eth0', 'TYPE_MISMATCH'],
  ])('to %s refuse %j as %s', (name, value, reasonCode) => {
    const type = castType(name);
    if (type === null) throw new Error(`${name} is no type to cast to`);

    expect(castEncoder(type, PLAIN_STYLE)(value)).toMatchObject({ reasonCode });
  });

  it('know types by all their names, with what modifies them', () => {
    const names = [
      'INT',
      'decimal(10)',
      'numeric( 10 , 2 )',
      'character varying(20)',
      'Timestamp (3) with time zone',
      'double  precision',
      'char',
      'time(2) without time zone',
    ];

    expect(names.map((name) => castType(name)?.targetType)).toEqual([
      'integer',
      'numeric(10,0)',
      'numeric(10,2)',
      'varchar(20)',
      'timestamptz(3)',
      'double precision',
      'char(1)',
      'time(2)',
    ]);
  });

  it.each([
    '',
    'money',
    'integer(4)',
    'numeric(2,3)',
    'varchar(0)',
    'timestamp(7)',
    'text; drop',
    'int[]',
    '__proto__',
  ])('know no type %j', (name) => {
    expect(castType(name)).toBeNull();
  });
});

function copyLines(values: readonly string[]): Buffer {
  const out = new CopyBuffer(1024);
  for (const [index, value] of values.entries()) {
    if (!out.tryWriteText(value)) out.writeUtf8(Buffer.from(value));
    out.endField();
    // PostgreSQL does not promise to give rows in their order.
    out.writeAscii(String(index));
    out.endField();
    out.endLine(true);
  }
  return out.bytes.subarray(0, out.length);
}
