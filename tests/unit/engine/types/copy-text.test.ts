import fc from 'fast-check';

import { CopyBuffer } from '../../../../src/engine/types/copy-text.ts';
import { dateText, timestampText, timeText } from '../../../../src/engine/types/date-text.ts';
import { float8Text } from '../../../../src/engine/types/float8-text.ts';
import { numericText } from '../../../../src/engine/types/numeric-text.ts';
import { copyThrough, openCopySession, type CopySession } from './copy-round-trip.ts';

let session: CopySession;
beforeAll(async () => {
  session = await openCopySession();
});
afterAll(() => session.end());

/** One value a line, through PostgreSQL and back. */
async function expectSameBytes(
  type: string,
  values: readonly ((out: CopyBuffer) => void)[],
): Promise<void> {
  const out = new CopyBuffer(16);
  for (const write of values) {
    write(out);
    out.endField();
    out.endLine(true);
  }
  const sent = out.bytes.subarray(0, out.length);

  const printed = await copyThrough(session, { columns: `v ${type}`, lines: sent });

  expect(printed.toString('latin1')).toBe(sent.toString('latin1'));
}

const RUNS = { numRuns: 25 } as const;

describe('PostgreSQL prints what was sent', () => {
  it('for any text', async () => {
    const character = fc.oneof(
      fc.constantFrom(
        '\\',
        '\t',
        '\n',
        '\r',
        '\b',
        '\f',
        '\v',
        '\u0001',
        '\u007f',
        'é',
        '€',
        '😀',
        '"',
        "'",
      ),
      fc
        .string({ minLength: 1, maxLength: 1, unit: 'binary' })
        .filter((unit) => unit !== '\0' && unit !== '\ufffd'),
    );
    const text = fc.array(character, { maxLength: 300 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 60 }), async (texts) => {
        await expectSameBytes(
          'text',
          texts.flatMap((value) => [
            (out: CopyBuffer): void => expect(out.tryWriteText(value)).toBe(true),
            (out: CopyBuffer): void => out.writeUtf8(Buffer.from(value)),
          ]),
        );
      }),
      RUNS,
    );
  });

  it('for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 60 }),
        async (blobs) => {
          await expectSameBytes(
            'bytea',
            blobs.map(
              (blob) =>
                (out: CopyBuffer): void =>
                  out.writeBytea(blob),
            ),
          );
        },
      ),
      RUNS,
    );
  });

  it('for any double, the half-way ones included', async () => {
    const powers = Array.from({ length: 2098 }, (_, index) => 2 ** (index - 1074));
    const large = Array.from(
      { length: 4000 },
      (_, index) => (2 ** 53 + index * 2) * 2 ** (index % 60),
    );
    const decimals = Array.from({ length: 617 }, (_, index) => Number(`1e${String(index - 308)}`));
    const known = [
      0,
      -0,
      NaN,
      Infinity,
      -Infinity,
      5e-324,
      1.7976931348623157e308,
      1e15,
      1e-4,
      9.9999e-5,
      0.1 + 0.2,
    ];
    const fixed = [...known, ...powers, ...large, ...decimals].flatMap((value) => [value, -value]);
    await expectSameBytes(
      'float8',
      fixed.map(
        (value) =>
          (out: CopyBuffer): void =>
            out.writeAscii(float8Text(value)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double(), { maxLength: 2000, minLength: 500 }),
        async (values) => {
          await expectSameBytes(
            'float8',
            values.map(
              (value) =>
                (out: CopyBuffer): void =>
                  out.writeAscii(float8Text(value)),
            ),
          );
        },
      ),
      RUNS,
    );
  });

  it('for any decimal number', async () => {
    const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), maxLength: 30 });
    const decimal = fc
      .tuple(
        fc.constantFrom('', '-', '+'),
        digits,
        fc.option(digits),
        fc.option(fc.integer({ min: -30, max: 30 })),
      )
      .filter(([, whole, fraction]) => whole !== '' || (fraction !== null && fraction !== ''))
      .map(
        ([sign, whole, fraction, exponent]) =>
          `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${String(exponent)}`}`,
      );
    await fc.assert(
      fc.asyncProperty(fc.array(decimal, { minLength: 20, maxLength: 200 }), async (values) => {
        const rendered = values.map((value) => numericText(value, null) ?? 'not rendered');
        await expectSameBytes(
          'numeric',
          rendered.map(
            (text) =>
              (out: CopyBuffer): void =>
                out.writeAscii(text),
          ),
        );
        const { rows } = await session.client.query<{ same: boolean }>({
          text: 'SELECT bool_and(a::numeric = b::numeric) AS same FROM unnest($1::text[], $2::text[]) AS u (a, b)',
          values: [values, rendered],
        });
        expect(rows).toEqual([{ same: true }]);
      }),
      RUNS,
    );
  });

  it('for any date, time and timestamp', async () => {
    const days = fc.integer({ min: -730_000, max: 8_000_000 });
    const microseconds = fc.oneof(
      fc.integer({ min: 0, max: 86_399_999_999 }),
      fc.integer({ min: 0, max: 86_399 }).map((seconds) => seconds * 1_000_000),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(days, microseconds), { minLength: 50, maxLength: 300 }),
        async (moments) => {
          const write = (render: (day: number, time: number) => string) =>
            moments.map(
              ([day, time]) =>
                (out: CopyBuffer): void =>
                  out.writeAscii(render(day, time)),
            );
          await expectSameBytes(
            'date',
            write((day) => dateText(day)),
          );
          await expectSameBytes(
            'time',
            write((_, time) => timeText(time)),
          );
          await expectSameBytes(
            'timestamp',
            write((day, time) => timestampText(day, time, '')),
          );
          await expectSameBytes(
            'timestamptz',
            write((day, time) => timestampText(day, time, '+00')),
          );
        },
      ),
      RUNS,
    );
  });
});

describe('CopyBuffer', () => {
  it.each([
    ['a\0b'],
    ['\ufffd'],
    ['\ud800x'],
    ['x\udc00'],
    [`${'long '.repeat(40)}\0`],
    [`${'long '.repeat(40)}\ufffd`],
  ])('leaves %j to the exact way', (text) => {
    const out = new CopyBuffer(8);

    expect(out.tryWriteText(text)).toBe(false);

    expect(out.length).toBe(0);
  });
});
