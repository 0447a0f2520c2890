import { float8Text } from './float8-text.ts';
import { parseDateText } from './date-text.ts';
import { isoText } from './text-dates.ts';
import { isJson } from './text-strings.ts';

/**
 * What a text in a file looks like. Number forms are those of which the text prints back the same (or the same but for a decimal comma
 * and groups), so a zip code with a leading zero, `+49`, `1e5` and `5.` are texts.
 */
export const CSV_FORMS = [
  'text',
  /** Digits after a zero: a zip code, a phone number. */
  'leadingZero',
  /** Of 64 bits, and beyond. */
  'integer',
  'wholeNumber',
  /** `1.5`, and `1,234.56` or `1,234,567`, which only are numbers with a decimal point. */
  'pointDecimal',
  'pointGrouped',
  /** `1,5`, and `1.234,56` or `1.234.567`, which only are numbers with a decimal comma. */
  'commaDecimal',
  'commaGrouped',
  /** `1.234` and `1,234`: a fraction, or a group. */
  'pointOrGroup',
  'commaOrGroup',
  /** With an exponent, as PostgreSQL prints a double. */
  'float',
  'truth',
  'letterT',
  'letterF',
  'isoDate',
  'isoDateTime',
  'isoDateTimeOffset',
  /** `31/12/2024`, `12/31/2024`, `03/04/2024` and `03/03/2024`, each with or without a time. */
  'dayFirst',
  'monthFirst',
  'dayOrMonth',
  'dayIsMonth',
  'zeroDate',
  'time',
  'uuid',
  'json',
  'bytea',
] as const;
export type CsvForm = (typeof CSV_FORMS)[number];

/** Longer texts are none of the forms but json, bytea, and numbers that nobody means as such. */
const MAX_FORM_CHARACTERS = 128;

const MINUS = 0x2d;

const WHOLE = /^-?(?:0|[1-9]\d*)$/;
const POINT = /^-?(?:0|[1-9]\d*)\.\d+$/;
const COMMA = /^-?(?:0|[1-9]\d*),\d+$/;
const ONE_GROUP = /^-?[1-9]\d{0,2}[.,]\d{3}$/;
const POINT_GROUPED = /^-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/;
const COMMA_GROUPED = /^-?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$/;
const EXPONENT = /^-?\d(?:\.\d+)?e[+-]\d{2,3}$/;
const YEAR_LAST = /^(\d{1,2})([./-])(\d{1,2})\2\d{4}(?: |$)/;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BYTEA = /^\\x(?:[0-9a-f]{2})+$/;

const MIN_BIGINT = -(2n ** 63n);
const MAX_BIGINT = 2n ** 63n - 1n;

/** What a value of another form than text begins with: digits, a minus, \ { [ and the letters of hexadecimal digits and truths. */
const FORM_BEGINS = new Uint8Array(256);
for (const character of '0123456789-\\{[abcdefABCDEFtT') FORM_BEGINS[character.charCodeAt(0)] = 1;

/** The first byte alone says that it is a text. */
export function beginsAsText(byte: number): boolean {
  return FORM_BEGINS[byte] === 0;
}

/** `mayBeJson`: json is only looked for where no other value has ruled it out, as that takes time. Never called with `''`. */
export function csvForm(text: string, mayBeJson: boolean): CsvForm {
  const first = text.charCodeAt(0);
  // { and [
  if (first === 0x7b || first === 0x5b) return mayBeJson && isJson(text) ? 'json' : 'text';
  if (first === 0x5c) return BYTEA.test(text) ? 'bytea' : 'text';
  if (text.length > MAX_FORM_CHARACTERS) return 'text';
  const isDigit = first >= 0x30 && first <= 0x39;
  if (isDigit || first === 0x2d) return numberForm(text);
  return wordForm(text);
}

function wordForm(text: string): CsvForm {
  if (text.length > 5) return UUID.test(text) ? 'uuid' : 'text';
  const word = text.toLowerCase();
  if (word === 'true' || word === 'false') return 'truth';
  if (word === 't') return 'letterT';
  return word === 'f' ? 'letterF' : 'text';
}

function numberForm(text: string): CsvForm {
  if (text.length === 10 && text.charCodeAt(4) === MINUS && text.charCodeAt(7) === MINUS)
    return isoForm(text);
  if (WHOLE.test(text)) return wholeForm(text);
  if (POINT.test(text)) {
    if (isMinusZero(text)) return 'text';
    return ONE_GROUP.test(text) ? 'pointOrGroup' : 'pointDecimal';
  }
  if (COMMA.test(text)) {
    if (isMinusZero(text)) return 'text';
    return ONE_GROUP.test(text) ? 'commaOrGroup' : 'commaDecimal';
  }
  if (POINT_GROUPED.test(text)) return 'pointGrouped';
  if (COMMA_GROUPED.test(text)) return 'commaGrouped';
  if (EXPONENT.test(text)) return float8Text(Number(text)) === text ? 'float' : 'text';
  if (/^0\d+$/.test(text)) return 'leadingZero';
  if (TIME.test(text)) return parseDateText(text).form === 'timeOfDay' ? 'time' : 'text';
  return text.length === 36 && UUID.test(text) ? 'uuid' : dateForm(text);
}

/** PostgreSQL's numbers have no minus zero: it would not print back. */
function isMinusZero(text: string): boolean {
  return text.startsWith('-') && !/[1-9]/.test(text);
}

function wholeForm(text: string): CsvForm {
  if (text === '-0') return 'text';
  if (text.length < 19) return 'integer';
  const value = BigInt(text);
  return value >= MIN_BIGINT && value <= MAX_BIGINT ? 'integer' : 'wholeNumber';
}

function dateForm(text: string): CsvForm {
  const match = YEAR_LAST.exec(text);
  if (match === null) return isoForm(isoText(text, 'ymd'));
  const asDay = isMoment(isoText(text, 'dmy'));
  const asMonth = isMoment(isoText(text, 'mdy'));
  if (asDay && asMonth) return Number(match[1]) === Number(match[3]) ? 'dayIsMonth' : 'dayOrMonth';
  if (asDay) return 'dayFirst';
  return asMonth ? 'monthFirst' : 'text';
}

function isMoment(iso: string): boolean {
  const { form } = parseDateText(iso);
  return form === 'isoDate' || form === 'isoDateTime';
}

function isoForm(iso: string): CsvForm {
  const { form } = parseDateText(iso);
  switch (form) {
    case 'isoDate':
    case 'isoDateTime':
    case 'isoDateTimeOffset':
      return form;
    case 'zeroDate':
      return /^0000-00-00(?: 00:00:00(?:\.0+)?)?$/.test(iso) ? form : 'text';
    case 'timeOfDay':
    case 'emptyText':
    case 'finerThanMicrosecond':
    case 'invalidDate':
      return 'text';
  }
}

/** Whether a double prints it as it stands. */
export function isFloatSafe(text: string): boolean {
  return float8Text(Number(text)) === text;
}
