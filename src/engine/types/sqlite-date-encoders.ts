import type { Policies, ReasonCode } from '../contract.ts';
import type { CopyBuffer } from './copy-text.ts';
import {
  dateText,
  daysInMonth,
  FIRST_DAY,
  parseDateText,
  timestampText,
  timeText,
  type ParsedDate,
} from './date-text.ts';
import { finerThan } from './text-dates.ts';
import { decodeUtf8 } from './sqlite-cells.ts';
import {
  momentOfJulianDay,
  momentOfMilliseconds,
  sqliteDateForm,
  textDateForm,
  type Moment,
  type SqliteDateForm,
} from './sqlite-dates.ts';
import {
  describeCell,
  outOfRange,
  type CellTarget,
  type NonNullCell,
  type Problem,
  type SqliteEncoder,
} from './sqlite-encoder.ts';

type Render = (moment: Moment) => string;

const RENDER_DATE: Render = ({ days }) => dateText(days);
const RENDER_TIMESTAMP: Render = ({ days, microseconds }) => timestampText(days, microseconds, '');
const RENDER_TIMESTAMPTZ: Render = ({ days, microseconds }) =>
  timestampText(days, microseconds, '+00');
const RENDER_TIME: Render = ({ microseconds }) => timeText(microseconds);

/** ISO text in the given forms; all else goes by the policies. */
function isoEncoder(forms: readonly SqliteDateForm[], render: Render): SqliteEncoder {
  return {
    compileFast: ({ targetType }) => {
      const isFiner = finerThan(targetType);
      return (value, out) => {
        if (typeof value !== 'string') return false;
        if (copiesThrough(value, forms, out)) return true;
        const parsed = parseDateText(value);
        if (!forms.includes(parsed.form) || isFiner(parsed.microseconds)) return false;
        out.writeAscii(render(parsed));
        return true;
      };
    },
    compileExact: ({ policies, targetType }) => {
      const isFiner = finerThan(targetType);
      return (cell, { out, writeNull, adjust }) => {
        const { form, parsed } = formOf(cell);
        if (parsed !== null && forms.includes(form)) {
          if (isFiner(parsed.microseconds)) return outOfRange(cell, targetType);
          out.writeAscii(render(parsed));
          return null;
        }
        return unusable(
          { form, cell, policies, targetType, replace: { forms, render, isFiner, out } },
          { writeNull, adjust },
        );
      };
    },
  };
}

/** Writes text that PostgreSQL prints in the very same way: `2024-02-29` and `2024-02-29 12:00:00`. */
function copiesThrough(text: string, forms: readonly SqliteDateForm[], out: CopyBuffer): boolean {
  const { length } = text;
  if (
    !(length === 10 && forms[0] === 'isoDate' && forms.length === 1) &&
    !(length === 19 && forms.includes('isoDateTime'))
  ) {
    return false;
  }
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return false;
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  // A character that is no digit makes its part NaN, which fails every comparison.
  if (!(
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    (day <= 28 || day <= daysInMonth(year, month))
  ))
    return false;
  if (length === 10) {
    out.writeAscii(text);
    return true;
  }
  const separator = text.charCodeAt(10);
  if (
    (separator !== 0x20 && separator !== 0x54) ||
    text.charCodeAt(13) !== 0x3a ||
    text.charCodeAt(16) !== 0x3a
  )
    return false;
  if (!(digits(text, 11) <= 23 && digits(text, 14) <= 59 && digits(text, 17) <= 59)) return false;
  out.writeAscii(text);
  out.bytes[out.length - 9] = 0x20;
  return true;
}

function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** Numbers of one unit. SQLite stores a real that is a whole number as either, so neither is asked for. */
function unitEncoder(convert: (value: number) => Moment | null, render: Render): SqliteEncoder {
  return {
    compileFast: () => (value, out) => {
      const found = typeof value === 'number' ? convert(value) : null;
      if (found === null) return false;
      out.writeAscii(render(found));
      return true;
    },
    compileExact:
      ({ policies, targetType }) =>
      (cell, { out, writeNull, adjust }) => {
        const isNumber = cell.type === 'integer' || cell.type === 'real';
        const found = isNumber ? convert(Number(cell.value)) : null;
        if (found !== null) {
          out.writeAscii(render(found));
          return null;
        }
        const { form } = formOf(cell);
        return unusable(
          {
            form,
            cell,
            policies,
            targetType,
            replace: { forms: ISO_FORMS, render, isFiner: finerThan(targetType), out },
          },
          { writeNull, adjust },
        );
      },
  };
}

/** Any form that names a moment, value by value; each one that is not plain ISO text of the target's kind is an adjustment. */
function mixedEncoder(plainForms: readonly SqliteDateForm[], render: Render): SqliteEncoder {
  return {
    compileFast: ({ targetType }) => {
      const isFiner = finerThan(targetType);
      return (value, out) => {
        const parsed = typeof value === 'string' ? parseDateText(value) : null;
        if (parsed === null || !plainForms.includes(parsed.form) || isFiner(parsed.microseconds))
          return false;
        out.writeAscii(render(parsed));
        return true;
      };
    },
    compileExact: ({ policies, targetType }) => {
      const isFiner = finerThan(targetType);
      return (cell, { out, writeNull, adjust }) => {
        const { form } = formOf(cell);
        const moment = mixedMoment(cell, form);
        if (moment === null)
          return unusable(
            {
              form,
              cell,
              policies,
              targetType,
              replace: { forms: ISO_FORMS, render, isFiner, out },
            },
            { writeNull, adjust },
          );
        if (isFiner(moment.microseconds)) return outOfRange(cell, targetType);
        if (!plainForms.includes(form)) adjust('MIXED_DATE');
        out.writeAscii(render(moment));
        return null;
      };
    },
  };
}

function mixedMoment(cell: NonNullCell, form: SqliteDateForm): Moment | null {
  switch (form) {
    case 'isoDate':
    case 'isoDateTime':
    case 'isoDateTimeOffset':
      return formOf(cell).parsed;
    case 'epochSeconds':
      return 'value' in cell ? momentOfMilliseconds(Number(cell.value) * 1000) : null;
    case 'epochMilliseconds':
      return 'value' in cell ? momentOfMilliseconds(Number(cell.value)) : null;
    case 'julianDay':
      return 'value' in cell ? momentOfJulianDay(Number(cell.value)) : null;
    case 'timeOfDay':
    case 'emptyText':
    case 'zeroDate':
    case 'partialDate':
    case 'finerThanMicrosecond':
    case 'invalidDate':
    case 'smallInteger':
    case 'otherNumber':
      return null;
  }
}

function formOf(cell: NonNullCell): {
  readonly form: SqliteDateForm;
  readonly parsed: ParsedDate | null;
} {
  if (cell.type === 'blob' || (cell.type === 'text' && (!cell.isValid || cell.bytes.length > 64))) {
    return { form: 'invalidDate', parsed: null };
  }
  if (cell.type !== 'text')
    return { form: sqliteDateForm(cell.type, Number(cell.value)), parsed: null };
  const text = decodeUtf8(cell.bytes);
  const parsed = parseDateText(text);
  return { form: textDateForm(text, parsed.form), parsed };
}

const ISO_FORMS = ['isoDate', 'isoDateTime', 'isoDateTimeOffset'] as const;

interface UnusableDate {
  readonly form: SqliteDateForm;
  readonly cell: NonNullCell;
  readonly policies: Policies;
  readonly targetType: string;
  /** Where and how another date is written in its place, and which forms the column takes. */
  readonly replace: {
    readonly forms: readonly SqliteDateForm[];
    readonly render: Render;
    readonly isFiner: (microseconds: number) => boolean;
    readonly out: CopyBuffer;
  };
}

/** What the policies say of a value that names no moment, or names it in a form that the plan did not foresee. */
function unusable(
  date: UnusableDate,
  { writeNull, adjust }: Pick<CellTarget, 'writeNull' | 'adjust'>,
): Problem {
  const { form, cell, policies, targetType } = date;
  const asNull = (rule: ReasonCode): Problem => {
    const problem = writeNull();
    if (problem === null) adjust(rule);
    return problem;
  };
  switch (form) {
    case 'emptyText':
      if (policies.emptyDate === 'null') return asNull('EMPTY_DATE');
      return { reasonCode: 'EMPTY_DATE', message: `An empty text is no ${targetType}` };
    case 'zeroDate':
      if (policies.zeroDate === 'null') return asNull('ZERO_DATE');
      if (policies.zeroDate === 'sentinel' && replaceDate(date, SENTINEL)) {
        adjust('ZERO_DATE');
        return null;
      }
      return { reasonCode: 'ZERO_DATE', message: 'A date of zeros is on no calendar' };
    case 'partialDate':
      if (policies.partialDate === 'null') return asNull('PARTIAL_DATE');
      if (policies.partialDate === 'first' && replaceDate(date, firstDay(cell))) {
        adjust('PARTIAL_DATE');
        return null;
      }
      return { reasonCode: 'PARTIAL_DATE', message: 'A date without a day or month' };
    case 'finerThanMicrosecond':
      return outOfRange(cell, targetType);
    case 'invalidDate':
    case 'otherNumber':
    case 'smallInteger':
      if (policies.invalidDate === 'null') return asNull('INVALID_DATE');
      return { reasonCode: 'INVALID_DATE', message: `${describeCell(cell)} is no ${targetType}` };
    case 'isoDate':
    case 'isoDateTime':
    case 'isoDateTimeOffset':
    case 'timeOfDay':
    case 'epochSeconds':
    case 'epochMilliseconds':
    case 'julianDay':
      return {
        reasonCode: 'TYPE_MISMATCH',
        message: `${describeCell(cell)} is a date in another form than the column's`,
      };
  }
}

const SENTINEL: Moment = { days: FIRST_DAY, microseconds: 0 };

/** False, with nothing written, where there is no other date, or the column holds no dates. */
function replaceDate({ replace }: UnusableDate, moment: Moment | ParsedDate): boolean {
  const { forms, render, isFiner, out } = replace;
  if (forms.includes('timeOfDay') || ('form' in moment && !forms.includes(moment.form)))
    return false;
  if (isFiner(moment.microseconds)) return false;
  out.writeAscii(render(moment));
  return true;
}

/** The same date with the first day of its month, or of its year where it has no month. */
function firstDay(cell: NonNullCell): ParsedDate {
  const text = cell.type === 'text' ? decodeUtf8(cell.bytes) : '';
  const month = text.slice(5, 7);
  return parseDateText(`${text.slice(0, 5)}${month === '00' ? '01' : month}-01${text.slice(10)}`);
}

const SECONDS = (value: number): Moment | null =>
  Number.isSafeInteger(value) ? momentOfMilliseconds(value * 1000) : null;
const MILLISECONDS = (value: number): Moment | null =>
  Number.isSafeInteger(value) ? momentOfMilliseconds(value) : null;

export const DATE_ENCODERS = {
  date: isoEncoder(['isoDate'], RENDER_DATE),
  timestamp: isoEncoder(['isoDate', 'isoDateTime'], RENDER_TIMESTAMP),
  timestamptz: isoEncoder(['isoDateTimeOffset'], RENDER_TIMESTAMPTZ),
  time: isoEncoder(['timeOfDay'], RENDER_TIME),
  timestamptzFromSeconds: unitEncoder(SECONDS, RENDER_TIMESTAMPTZ),
  timestamptzFromMilliseconds: unitEncoder(MILLISECONDS, RENDER_TIMESTAMPTZ),
  timestampFromJulianDay: unitEncoder(momentOfJulianDay, RENDER_TIMESTAMP),
  mixedTimestamp: mixedEncoder(['isoDate', 'isoDateTime'], RENDER_TIMESTAMP),
  mixedTimestamptz: mixedEncoder(['isoDateTimeOffset'], RENDER_TIMESTAMPTZ),
} as const satisfies Record<string, SqliteEncoder>;
