import type { CopyBuffer } from './copy-text.ts';
import { float8Text } from './float8-text.ts';
import {
  numericModifier,
  numericText,
  OUT_OF_RANGE,
  type NumericModifier,
} from './numeric-text.ts';
import { decodeUtf8 } from './sqlite-cells.ts';
import {
  integerSelect,
  mismatch,
  outOfRange,
  type NonNullCell,
  type SqliteEncoder,
} from './sqlite-encoder.ts';

/** `bigint`, `integer` and `smallint`. */
export function integerEncoder(range: {
  readonly min: bigint;
  readonly max: bigint;
}): SqliteEncoder {
  const min = Number(range.min);
  const max = Number(range.max);
  const isWide = range.max > 9_007_199_254_740_991n;
  return {
    guardedSelect: (column) =>
      `CASE typeof(${column}) WHEN 'integer' THEN ${integerSelect(column)} WHEN 'null' THEN NULL ELSE x'' END`,
    compileFast:
      ({ guarded }) =>
      (value, out) => {
        if (typeof value === 'number') {
          if (!Number.isSafeInteger(value) || value < min || value > max) return false;
          writeInteger(value, out);
          return true;
        }
        // Unguarded, a string is text that SQLite has stored in the column.
        if (typeof value !== 'string' || !isWide || !guarded) return false;
        out.writeAscii(value);
        return true;
      },
    compileExact:
      ({ targetType }) =>
      (cell, { out }) => {
        const value = wholeNumber(cell);
        if (value === null) return mismatch(cell, targetType);
        if (value < range.min || value > range.max) return outOfRange(cell, targetType);
        out.writeAscii(String(value));
        return null;
      },
  };
}

/** A real that is a whole number, and exact as one, counts as one. */
function wholeNumber(cell: NonNullCell): bigint | null {
  if (cell.type === 'integer') return cell.value;
  return cell.type === 'real' && Number.isSafeInteger(cell.value) ? BigInt(cell.value) : null;
}

function writeInteger(value: number, out: CopyBuffer): void {
  if (value < 0 || value > 999_999_999) {
    out.writeAscii(String(value));
    return;
  }
  out.reserve(9);
  let size = 1;
  for (let power = 10; value >= power; power *= 10) size++;
  let rest = value | 0;
  for (let position = out.length + size - 1; position >= out.length; position--) {
    const tens = (rest / 10) | 0;
    out.bytes[position] = 48 + rest - tens * 10;
    rest = tens;
  }
  out.length += size;
}

const NUMBER_SELECT = (column: string): string =>
  `CASE typeof(${column}) WHEN 'real' THEN ${column} WHEN 'integer' THEN ${integerSelect(column)} WHEN 'null' THEN NULL ELSE x'' END`;

/** `double precision`: reals as they are, whole numbers only where the double is the same number. */
export const DOUBLE_ENCODER: SqliteEncoder = {
  guardedSelect: NUMBER_SELECT,
  compileFast: () => (value, out) => {
    if (typeof value !== 'number') return false;
    out.writeAscii(float8Text(value));
    return true;
  },
  compileExact:
    ({ targetType }) =>
    (cell, { out }) => {
      if (cell.type !== 'real' && cell.type !== 'integer') return mismatch(cell, targetType);
      const value = Number(cell.value);
      if (cell.type === 'integer' && BigInt(value) !== cell.value)
        return outOfRange(cell, targetType);
      out.writeAscii(float8Text(value));
      return null;
    },
};

/** `numeric`, with or without precision: reals by their shortest digits, text that is a decimal number digit by digit. */
export const NUMERIC_ENCODER: SqliteEncoder = {
  guardedSelect: NUMBER_SELECT,
  compileFast: ({ targetType, guarded }) => {
    const modifier = numericModifier(targetType);
    return (value, out) => {
      if (typeof value !== 'number' && !(guarded && typeof value === 'string')) return false;
      // A whole number, or a real whose digits are rendered otherwise.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return false;
      const text = String(value);
      const rendered = plainNumeric(text, modifier);
      if (rendered === null) return false;
      out.writeAscii(rendered);
      return true;
    };
  },
  compileExact: ({ targetType }) => {
    const modifier = numericModifier(targetType);
    return (cell, { out }) => {
      const text = decimalText(cell);
      if (text === null) return mismatch(cell, targetType);
      const rendered = SPECIAL_NUMBERS.has(text)
        ? modifier === null
          ? text
          : OUT_OF_RANGE
        : numericText(text, modifier);
      if (rendered === null) return mismatch(cell, targetType);
      if (rendered === OUT_OF_RANGE) return outOfRange(cell, targetType);
      out.writeAscii(rendered);
      return null;
    };
  },
};

const SPECIAL_NUMBERS = new Set(['Infinity', '-Infinity']);

function decimalText(cell: NonNullCell): string | null {
  if (cell.type === 'blob' || (cell.type === 'text' && !cell.isValid)) return null;
  if (cell.type !== 'text') return String(cell.value);
  const text = decodeUtf8(cell.bytes);
  return SPECIAL_NUMBERS.has(text) ? null : text;
}

/** What `numericText` would answer, for the plain cases that make up nearly all data; null for the others. */
function plainNumeric(text: string, modifier: NumericModifier): string | null {
  if (text.includes('e') || text.endsWith('y')) return null;
  if (modifier === null) return text;
  const { precision, scale } = modifier;
  const point = text.indexOf('.');
  const fraction = point < 0 ? 0 : text.length - point - 1;
  const whole = (point < 0 ? text.length : point) - (text.startsWith('-') ? 1 : 0);
  if (fraction > scale || whole > precision - scale) return null;
  if (fraction === scale) return text;
  return `${point < 0 ? `${text}.` : text}${'0'.repeat(scale - fraction)}`;
}

const TRUE_WORDS = new Set(['true', 't']);
const FALSE_WORDS = new Set(['false', 'f']);

/** `boolean`: 0, 1 and the words of PostgreSQL's own output and SQL. */
export const BOOLEAN_ENCODER: SqliteEncoder = {
  compileFast: () => (value, out) => {
    if (value !== 0 && value !== 1) return false;
    out.writeAscii(value === 1 ? 't' : 'f');
    return true;
  },
  compileExact:
    ({ targetType }) =>
    (cell, { out }) => {
      const value = truth(cell);
      if (value === null) return mismatch(cell, targetType);
      out.writeAscii(value ? 't' : 'f');
      return null;
    },
};

function truth(cell: NonNullCell): boolean | null {
  if (cell.type === 'integer' || cell.type === 'real') {
    const value = Number(cell.value);
    return value === 0 || value === 1 ? value === 1 : null;
  }
  if (cell.type !== 'text' || cell.bytes.length > 5) return null;
  const word = decodeUtf8(cell.bytes).toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  return FALSE_WORDS.has(word) ? false : null;
}
