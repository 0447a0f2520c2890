import { daysInMonth } from './date-text.ts';
import type { CopyBuffer } from './copy-text.ts';
import {
  mismatch,
  type CellEncoder,
  type CellTarget,
  type MysqlEncoder,
  type Problem,
} from './mysql-encoder.ts';

const ZERO = 0x30;
const DOT = 0x2e;
const MINUS = 0x2d;
const COLON = 0x3a;

const DATE_SIZE = 10;
const MOMENT_SIZE = 19;

/** `date` out of DATE. */
export const DATE_ENCODER: MysqlEncoder = {
  compile: ({ policies, targetType }) => {
    const write = compileMoment({ policies, targetType, hasClock: false, suffix: '' });
    return (bytes, start, end, target) =>
      end - start === DATE_SIZE
        ? write(bytes, start, end, target)
        : mismatch(end - start, targetType);
  },
};

/** `timestamp(p)` out of DATETIME(p): the same digits. */
export const TIMESTAMP_ENCODER: MysqlEncoder = momentEncoder('');
/** `timestamptz(p)` out of TIMESTAMP(p), which the session reads in UTC. */
export const TIMESTAMPTZ_ENCODER: MysqlEncoder = momentEncoder('+00');

interface MomentRules {
  readonly policies: Parameters<MysqlEncoder['compile']>[0]['policies'];
  readonly targetType: string;
  /** Whether a time of day follows. */
  readonly hasClock: boolean;
  readonly suffix: string;
}

function momentEncoder(suffix: '' | '+00'): MysqlEncoder {
  return {
    compile: ({ policies, targetType }) => {
      const rules: MomentRules = { policies, targetType, hasClock: true, suffix };
      return compileMoment(rules);
    },
  };
}

function compileMoment(rules: MomentRules): CellEncoder {
  return (bytes, start, end, target) => {
    const size = end - start;
    const hasOwnClock = size >= MOMENT_SIZE;
    if (size !== DATE_SIZE && !hasOwnClock) return mismatch(size, rules.targetType);
    const year = digits(bytes, start, 4);
    const month = digits(bytes, start + 5, 2);
    const day = digits(bytes, start + 8, 2);
    if (year < 0 || month < 0 || day < 0) return mismatch(size, rules.targetType);
    if (hasOwnClock && !isClock(bytes, start + 11, end)) return mismatch(size, rules.targetType);
    if (year > 0 && month > 0 && day > 0 && month <= 12 && day <= daysInMonth(year, month)) {
      const clockEnd = hasOwnClock ? trimmedEnd(bytes, start + MOMENT_SIZE, end) : end;
      copyBytes(bytes, start, rules.hasClock ? clockEnd : start + DATE_SIZE, target.out);
      if (rules.hasClock && !hasOwnClock) target.out.writeAscii(' 00:00:00');
      if (rules.suffix !== '') target.out.writeAscii(rules.suffix);
      return null;
    }
    return writeUnusual({ year, month, day }, rules, target, () => {
      if (!rules.hasClock) return '';
      return hasOwnClock
        ? bytes.toString('latin1', start + DATE_SIZE, trimmedEnd(bytes, start + MOMENT_SIZE, end))
        : ' 00:00:00';
    });
  };
}

/** What is on no calendar, by the policies. */
function writeUnusual(
  date: { readonly year: number; readonly month: number; readonly day: number },
  { policies, suffix, hasClock }: MomentRules,
  target: CellTarget,
  clock: () => string,
): Problem {
  const { year, month, day } = date;
  if (year === 0 && month === 0 && day === 0) {
    if (policies.zeroDate === 'reject')
      return { reasonCode: 'ZERO_DATE', message: 'The date is 0000-00-00' };
    target.adjust('ZERO_DATE');
    if (policies.zeroDate === 'null') return target.writeNull();
    target.out.writeAscii(`0001-01-01${hasClock ? ' 00:00:00' : ''}${suffix}`);
    return null;
  }
  if (year > 0 && month <= 12 && day <= 31 && (month === 0 || day === 0)) {
    const first = { month: Math.max(1, month), day: Math.max(1, day) };
    const isPossible = first.day <= daysInMonth(year, first.month);
    if (policies.partialDate === 'reject' || (policies.partialDate === 'first' && !isPossible))
      return { reasonCode: 'PARTIAL_DATE', message: 'The date has no month or no day' };
    target.adjust('PARTIAL_DATE');
    if (policies.partialDate === 'null') return target.writeNull();
    target.out.writeAscii(
      `${String(year).padStart(4, '0')}-${two(first.month)}-${two(first.day)}${clock()}${suffix}`,
    );
    return null;
  }
  if (policies.invalidDate === 'reject')
    return { reasonCode: 'INVALID_DATE', message: 'The date is on no calendar' };
  target.adjust('INVALID_DATE');
  return target.writeNull();
}

/** `time(p)`: up to 24:00:00. */
export const TIME_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const size = end - start;
      // Of 24:00:00 PostgreSQL takes exactly that.
      const hours = digits(bytes, start, 2);
      const isInDay =
        hours >= 0 &&
        (hours < 24 || bytes.toString('latin1', start, end).replace(/\.0*$/, '') === '24:00:00');
      if (bytes[start + 2] !== COLON || !isInDay || !isClock(bytes, start, end))
        return {
          reasonCode: bytes[start] === MINUS || hours >= 24 ? 'OUT_OF_RANGE' : 'TYPE_MISMATCH',
          message: `A value of ${String(size)} bytes is no ${targetType}`,
        };
      copyBytes(bytes, start, trimmedEnd(bytes, start + 8, end), out);
      return null;
    },
};

/** `interval` out of TIME, `-838:59:59` to `838:59:59`: PostgreSQL prints hours alike. */
export const INTERVAL_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const isNegative = bytes[start] === MINUS;
      const from = isNegative ? start + 1 : start;
      const colon = bytes.indexOf(COLON, from);
      if (colon < from + 2 || colon > from + 3 || digits(bytes, from, colon - from) < 0)
        return mismatch(end - start, targetType);
      if (!isClock(bytes, colon - 2, end)) return mismatch(end - start, targetType);
      const last = trimmedEnd(bytes, colon + 6, end);
      // There is no negative zero.
      const isZero = isNegative && !/[1-9]/.test(bytes.toString('latin1', from, last));
      copyBytes(bytes, isZero ? from : start, last, out);
      return null;
    },
};

/** Number of so many digits, -1 where there is something else. */
function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** `HH:MM:SS` and a fraction of up to six digits. The hour is not looked at beyond being digits. */
function isClock(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 8 || digits(bytes, start, 2) < 0) return false;
  const minute = digits(bytes, start + 3, 2);
  const second = digits(bytes, start + 6, 2);
  if (minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  if (bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) return false;
  if (end === start + 8) return true;
  const places = end - start - 9;
  return bytes[start + 8] === DOT && places <= 6 && digits(bytes, start + 9, places) >= 0;
}

/** The end of the fraction that begins at `point`, less its trailing zeros, which PostgreSQL does not print. */
function trimmedEnd(bytes: Buffer, point: number, end: number): number {
  let last = end;
  while (last > point + 1 && bytes[last - 1] === ZERO) last--;
  return last === point + 1 ? point : last;
}

function copyBytes(bytes: Buffer, start: number, end: number, out: CopyBuffer): void {
  out.reserve(end - start);
  const target = out.bytes;
  let position = out.length;
  for (let index = start; index < end; index++) target[position++] = bytes[index] ?? 0;
  out.length = position;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
