/**
 * Calendar dates and times of day in ISO 8601 form, read strictly, and PostgreSQL's text for them under
 * `DateStyle = ISO`, `TimeZone = UTC`.
 */

export const DATE_FORMS = [
  'isoDate',
  'isoDateTime',
  'isoDateTimeOffset',
  'timeOfDay',
  'emptyText',
  'zeroDate',
  'finerThanMicrosecond',
  'invalidDate',
] as const;
export type DateForm = (typeof DATE_FORMS)[number];

/** `days` since 1970-01-01 and microseconds of the day, in UTC where the text names an offset. */
export interface ParsedDate {
  readonly form: DateForm;
  readonly days: number;
  readonly microseconds: number;
}

const PATTERN =
  /^(?:(\d{4})-(\d\d)-(\d\d)(?:[ T](?=\d)|$))?(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** 0001-01-01 and 9999-12-31: the years that ISO 8601 writes with four digits, less the year 0, which PostgreSQL lacks. */
export const FIRST_DAY = -719_162;
export const LAST_DAY = 2_932_896;

const MICROSECONDS_A_DAY = 86_400_000_000;

/**
 * Reads `YYYY-MM-DD`, `YYYY-MM-DD HH:MM[:SS[.f…]][Z|±HH:MM]` (also with `T`) and `HH:MM[:SS[.f…]]`. A date that is on no
 * calendar is `invalidDate`, one with month or day 00 a `zeroDate`, a fraction that microseconds cannot hold
 * `finerThanMicrosecond`.
 */
export function parseDateText(text: string): ParsedDate {
  if (text === '') return nothing('emptyText');
  const match = PATTERN.exec(text);
  if (match === null) return nothing('invalidDate');
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset] = match;
  const time = hour === undefined ? 0 : timeOfDay({ hour, minute: minute ?? '', second, fraction });
  if (time === null) return nothing('invalidDate');
  if (/[1-9]/.test(fraction.slice(6))) return nothing('finerThanMicrosecond');
  if (year === undefined) {
    return offset === undefined && hour !== undefined
      ? { form: 'timeOfDay', days: 0, microseconds: time }
      : nothing('invalidDate');
  }

  if (month === '00' || day === '00') return nothing('zeroDate');
  const days = daysOf(Number(year), Number(month), Number(day));
  if (days === null) return nothing('invalidDate');
  if (hour === undefined) return { form: 'isoDate', days, microseconds: 0 };
  if (offset === undefined) return { form: 'isoDateTime', days, microseconds: time };

  const shift = offsetMinutes(offset);
  if (shift === null) return nothing('invalidDate');
  const moment = normalize(days, time - shift * 60_000_000);
  if (moment.days < FIRST_DAY || moment.days > LAST_DAY) return nothing('invalidDate');
  return { form: 'isoDateTimeOffset', ...moment };
}

/** Days since 1970-01-01, or null where the calendar has no such day. Years 1 to 9999. */
function daysOf(year: number, month: number, day: number): number | null {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 86_400_000;
}

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (MONTH_LENGTHS[month - 1] ?? 0);
}

/** Splits microseconds since 1970 that may lie outside the day. */
export function normalize(
  days: number,
  microseconds: number,
): { readonly days: number; readonly microseconds: number } {
  const carry = Math.floor(microseconds / MICROSECONDS_A_DAY);
  return { days: days + carry, microseconds: microseconds - carry * MICROSECONDS_A_DAY };
}

/** PostgreSQL's text of a date: `2024-02-29`, `12345-01-01`, `0044-03-15 BC`. */
export function dateText(days: number): string {
  const { year, monthAndDay } = calendar(days);
  return `${yearText(year)}-${monthAndDay}${eraText(year)}`;
}

/** PostgreSQL's text of a timestamp; `zone` is `+00` for a `timestamptz`. */
export function timestampText(days: number, microseconds: number, zone: '' | '+00'): string {
  const { year, monthAndDay } = calendar(days);
  return `${yearText(year)}-${monthAndDay} ${timeText(microseconds)}${zone}${eraText(year)}`;
}

/** PostgreSQL's text of a time of day: no trailing zeros in the fraction. */
export function timeText(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  const fraction = microseconds - seconds * 1_000_000;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0
    ? clock
    : `${clock}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
}

function calendar(days: number): { readonly year: number; readonly monthAndDay: string } {
  const date = new Date(days * 86_400_000);
  return {
    year: date.getUTCFullYear(),
    monthAndDay: `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
  };
}

/** There is no year 0: the year before 1 is 1 BC. */
function yearText(year: number): string {
  return String(year > 0 ? year : 1 - year).padStart(4, '0');
}

function eraText(year: number): '' | ' BC' {
  return year > 0 ? '' : ' BC';
}

function timeOfDay(clock: {
  hour: string;
  minute: string;
  second: string;
  fraction: string;
}): number | null {
  const [hour, minute, second] = [Number(clock.hour), Number(clock.minute), Number(clock.second)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  return (
    (hour * 3600 + minute * 60 + second) * 1_000_000 +
    Number(clock.fraction.slice(0, 6).padEnd(6, '0'))
  );
}

/** SQLite itself reads offsets up to 14 hours. */
function offsetMinutes(offset: string): number | null {
  if (offset === 'Z') return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4, 6))];
  if (hours > 14 || minutes > 59) return null;
  return (hours * 60 + minutes) * (offset.startsWith('-') ? -1 : 1);
}

function nothing(form: DateForm): ParsedDate {
  return { form, days: 0, microseconds: 0 };
}

function two(value: number): string {
  return value < 10 ? `0${String(value)}` : String(value);
}
