import {
  DATE_FORMS,
  FIRST_DAY,
  LAST_DAY,
  normalize,
  parseDateText,
  type DateForm,
} from './date-text.ts';

/** How numbers in a date column can mean a moment, besides the forms of ISO text. */
export const SQLITE_DATE_FORMS = [
  ...DATE_FORMS,
  'partialDate',
  'epochSeconds',
  'epochMilliseconds',
  'julianDay',
  'smallInteger',
  'otherNumber',
] as const;
export type SqliteDateForm = (typeof SQLITE_DATE_FORMS)[number] | DateForm;

/** 1973 to 2286: wide enough for any record, narrow enough that 20240131 is not taken for seconds. */
const EPOCH_SECONDS = { from: 1e8, to: 1e10 } as const;
const EPOCH_MILLISECONDS = { from: 1e11, to: 1e13 } as const;
/** Years 1 to 9999, as SQLite's own date functions reckon them. */
export const JULIAN_DAYS = { from: 1_721_425.5, to: 5_373_484.5 } as const;

/** In which form one value of a date column names a moment. */
export function sqliteDateForm(type: string, value: unknown): SqliteDateForm {
  if (typeof value === 'string') return textDateForm(value, parseDateText(value).form);
  if (typeof value !== 'number') return 'invalidDate';
  if (type === 'real') return isWithin(value, JULIAN_DAYS) ? 'julianDay' : 'otherNumber';
  if (isWithin(value, EPOCH_SECONDS)) return 'epochSeconds';
  if (isWithin(value, EPOCH_MILLISECONDS)) return 'epochMilliseconds';
  return Math.abs(value) < EPOCH_SECONDS.from ? 'smallInteger' : 'otherNumber';
}

/** A date that lacks only its day or month names a year at least; a zero date names nothing. */
export function textDateForm(text: string, form: DateForm): SqliteDateForm {
  return form === 'zeroDate' && !text.startsWith('0000') ? 'partialDate' : form;
}

export interface Moment {
  readonly days: number;
  readonly microseconds: number;
}

/** Null where the moment is outside years 1 to 9999. */
export function momentOfMilliseconds(milliseconds: number): Moment | null {
  const days = Math.floor(milliseconds / 86_400_000);
  if (days < FIRST_DAY || days > LAST_DAY) return null;
  return normalize(days, (milliseconds - days * 86_400_000) * 1000);
}

/** SQLite keeps a Julian day as whole milliseconds, rounded half up (`sqlite3_date.c`, `setRawDateNumber`). */
export function momentOfJulianDay(julianDay: number): Moment | null {
  return momentOfMilliseconds(Math.floor(julianDay * 86_400_000 + 0.5) - 210_866_760_000_000);
}

function isWithin(value: number, range: { readonly from: number; readonly to: number }): boolean {
  return value >= range.from && value < range.to;
}
