import { beyondType, notOfType, type TextEncoder } from './text-problem.ts';

/** PostgreSQL keeps months, days and microseconds apart: a day may have 23 hours. */
interface Interval {
  readonly months: bigint;
  readonly days: bigint;
  readonly microseconds: bigint;
}

const CLOCK = /^([+-]?)(\d{1,10}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})0*)?)?$/;
const PARTS =
  /^(?:([+-]?\d{1,9}) years? ?)?(?:([+-]?\d{1,9}) mons? ?)?(?:([+-]?\d{1,9}) days? ?)?([+-]?\d{1,10}:\d\d(?::\d\d(?:\.\d+)?)?)?$/;
const ISO =
  /^P(?=.)(?:(-?\d{1,9})Y)?(?:(-?\d{1,9})M)?(?:(-?\d{1,9})W)?(?:(-?\d{1,9})D)?(?:T(?=.)(?:(-?\d{1,10})H)?(?:(-?\d{1,10})M)?(?:(-?)(\d{1,10})(?:\.(\d{1,6})0*)?S)?)?$/;

const MAX_MONTHS = 2n ** 31n - 1n;
const MAX_MICROSECONDS = 2n ** 63n - 1n;

/** `-12:34:56.5`, `1 year 2 mons 3 days 04:05:06` as PostgreSQL prints it, and `P1Y2M3DT4H5M6S`. */
export const encodeInterval: TextEncoder = (text) => {
  const interval = parseInterval(text);
  if (interval === null) return notOfType(text, 'interval');
  return isInRange(interval) ? intervalText(interval) : beyondType(text, 'interval');
};

function parseInterval(text: string): Interval | null {
  if (text === '') return null;
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, years, months, weeks, days, hours, minutes, sign, seconds, fraction] = iso;
    const second = whole(seconds) * 1_000_000n + BigInt((fraction ?? '').padEnd(6, '0'));
    return {
      months: whole(years) * 12n + whole(months),
      days: whole(weeks) * 7n + whole(days),
      microseconds:
        (whole(hours) * 3600n + whole(minutes) * 60n) * 1_000_000n +
        (sign === '-' ? -second : second),
    };
  }
  const parts = PARTS.exec(text);
  if (parts === null || text.endsWith(' ')) return null;
  const [, years, months, days, clock] = parts;
  const microseconds = clock === undefined ? 0n : clockMicroseconds(clock);
  if (microseconds === null) return null;
  return { months: whole(years) * 12n + whole(months), days: whole(days), microseconds };
}

function clockMicroseconds(clock: string): bigint | null {
  const match = CLOCK.exec(clock);
  if (match === null) return null;
  const [, sign, hours = '', minutes = '', seconds = '00', fraction = ''] = match;
  if (minutes > '59' || seconds > '59') return null;
  const total =
    (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n +
    BigInt(fraction.padEnd(6, '0'));
  return sign === '-' ? -total : total;
}

function whole(digits: string | undefined): bigint {
  if (digits === undefined) return 0n;
  return BigInt(digits.startsWith('+') ? digits.slice(1) : digits);
}

function isInRange({ months, days, microseconds }: Interval): boolean {
  return (
    magnitude(months) <= MAX_MONTHS &&
    magnitude(days) <= MAX_MONTHS &&
    magnitude(microseconds) <= MAX_MICROSECONDS
  );
}

/** As `IntervalStyle = postgres` prints it: a plus only after something negative. */
function intervalText({ months, days, microseconds }: Interval): string {
  const parts: string[] = [];
  const wasNegative = (): boolean => parts.at(-1)?.startsWith('-') ?? false;
  const units = [
    [months / 12n, 'year'],
    [months % 12n, 'mon'],
    [days, 'day'],
  ] as const;
  for (const [value, unit] of units) {
    if (value === 0n) continue;
    const plus = wasNegative() && value > 0n ? '+' : '';
    parts.push(`${plus}${String(value)} ${unit}${value === 1n ? '' : 's'}`);
  }
  if (microseconds === 0n && parts.length > 0) return parts.join(' ');
  const sign = microseconds < 0n ? '-' : wasNegative() ? '+' : '';
  return [...parts, `${sign}${clockText(magnitude(microseconds))}`].join(' ');
}

function clockText(microseconds: bigint): string {
  const seconds = microseconds / 1_000_000n;
  const fraction = String(microseconds % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return fraction === '' ? clock : `${clock}.${fraction}`;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
