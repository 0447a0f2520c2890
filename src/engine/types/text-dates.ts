import { dateText, parseDateText, timestampText, timeText } from './date-text.ts';
import { beyondType, notOfType, type TextEncoder, type TextProblem } from './text-problem.ts';

/** Which part of `03/04/2024` is the day. A date that begins with its year is read alike under all. */
export type DateOrder = 'ymd' | 'dmy' | 'mdy';

const YEAR_FIRST = /^(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?:([ T])(.+))?$/;
const YEAR_LAST = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:([ T])(.+))?$/;
const SHORT_OFFSET = /(:\d\d(?:\.\d+)?)([+-]\d\d)(\d\d)?$/;

/**
 * A date or moment in ISO form: `31/12/2024 23:59` as `2024-12-31 23:59`, an offset of `+02` as `+02:00`. What does not look like
 * a date of this order comes back as it is.
 */
export function isoText(text: string, order: DateOrder): string {
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst !== null) {
    const [, year = '', , month = '', day = '', , time] = yearFirst;
    return compose(year, month, day, time);
  }
  const yearLast = order === 'ymd' ? null : YEAR_LAST.exec(text);
  if (yearLast === null) return text;
  const [, first = '', , second = '', year = '', , time] = yearLast;
  return order === 'dmy' ? compose(year, second, first, time) : compose(year, first, second, time);
}

function compose(year: string, month: string, day: string, time: string | undefined): string {
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  if (time === undefined) return date;
  const clock = /^\d:/.test(time) ? `0${time}` : time;
  return `${date} ${clock.replace(SHORT_OFFSET, (_, before: string, hours: string, minutes = '00') => `${before}${hours}:${String(minutes)}`)}`;
}

/** `YYYY-MM-DD` and its relatives, years 1 to 9999. */
export function dateEncoder(order: DateOrder): TextEncoder {
  return (text) => {
    const iso = isoText(text, order);
    const { form, days } = parseDateText(iso);
    return form === 'isoDate' ? dateText(days) : notMoment(text, iso, 'date');
  };
}

/** `timestamp(p)` without, `timestamptz(p)` with an offset from UTC: a moment of the one kind is none of the other. */
export function momentEncoder(targetType: string, order: DateOrder): TextEncoder {
  const wantsOffset = targetType.startsWith('timestamptz');
  const isFiner = finerThan(targetType);
  return (text) => {
    const iso = isoText(text, order);
    const { form, days, microseconds } = parseDateText(iso);
    const fits = wantsOffset
      ? form === 'isoDateTimeOffset'
      : form === 'isoDateTime' || form === 'isoDate';
    if (!fits) return notMoment(text, iso, targetType);
    if (isFiner(microseconds)) return beyondType(text, targetType);
    return timestampText(days, microseconds, wantsOffset ? '+00' : '');
  };
}

/** `time(p)`: `HH:MM` with or without seconds. */
export function timeEncoder(targetType: string): TextEncoder {
  const isFiner = finerThan(targetType);
  return (text) => {
    const { form, microseconds } = parseDateText(text);
    if (form === 'finerThanMicrosecond') return beyondType(text, targetType);
    if (form !== 'timeOfDay') return notOfType(text, targetType);
    return isFiner(microseconds) ? beyondType(text, targetType) : timeText(microseconds);
  };
}

/** Whether a moment has digits that a type of this precision would round away. */
export function finerThan(targetType: string): (microseconds: number) => boolean {
  const precision = /\((\d)\)$/.exec(targetType)?.[1];
  if (precision === undefined) return () => false;
  const unit = 10 ** (6 - Number(precision));
  return (microseconds) => microseconds % unit !== 0;
}

const ZERO_DATE = /^0000-00-00(?: 00:00(?::00(?:\.0+)?)?)?$/;
const PARTIAL_DATE = /^\d{4}-(?:00-\d\d|\d\d-00)(?: |$)/;

/** Which rule decides over a text that is no moment of the type. */
function notMoment(text: string, iso: string, targetType: string): TextProblem {
  if (text === '') return problem('EMPTY_DATE', 'The text is empty');
  if (ZERO_DATE.test(iso)) return problem('ZERO_DATE', 'The date is zero');
  if (PARTIAL_DATE.test(iso)) return problem('PARTIAL_DATE', 'The date has no day or no month');
  const { form } = parseDateText(iso);
  if (form === 'finerThanMicrosecond') return beyondType(text, targetType);
  if (form === 'invalidDate') return problem('INVALID_DATE', `The text is no ${targetType}`);
  return notOfType(text, targetType);
}

function problem(reasonCode: TextProblem['reasonCode'], message: string): TextProblem {
  return { reasonCode, message };
}
