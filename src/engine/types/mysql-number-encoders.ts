import type { CopyBuffer } from './copy-text.ts';
import { float4Text } from './float4-text.ts';
import { float8Text } from './float8-text.ts';
import { bitWidth } from './mysql-declared.ts';
import { mismatch, outOfRange, type MysqlEncoder } from './mysql-encoder.ts';
import { numericModifier, numericText, OUT_OF_RANGE } from './numeric-text.ts';

const MINUS = 0x2d;
const ZERO = 0x30;

interface Range {
  readonly min: bigint;
  readonly max: bigint;
  /** A number of fewer digits is surely inside. */
  readonly safeDigits: number;
}

const RANGES: Readonly<Record<string, Range>> = {
  smallint: { min: -(2n ** 15n), max: 2n ** 15n - 1n, safeDigits: 4 },
  integer: { min: -(2n ** 31n), max: 2n ** 31n - 1n, safeDigits: 9 },
  bigint: { min: -(2n ** 63n), max: 2n ** 63n - 1n, safeDigits: 18 },
};

/** Whole numbers into `smallint`, `integer`, `bigint` or a `numeric` without fraction. */
export const WHOLE_ENCODER: MysqlEncoder = {
  compile: ({ targetType }) => {
    const range = RANGES[targetType];
    const modifier = numericModifier(targetType);
    const safeDigits = range?.safeDigits ?? modifier?.precision ?? 1000;
    return (bytes, start, end, { out }) => {
      let digits = start;
      if (bytes[start] === MINUS) digits++;
      if (end - digits <= safeDigits && isPlainWhole(bytes, digits, end)) {
        copyBytes(bytes, start, end, out);
        return null;
      }
      const text = bytes.toString('latin1', start, end);
      if (!/^-?\d+$/.test(text)) return mismatch(end - start, targetType);
      const value = BigInt(text);
      if (range !== undefined && (value < range.min || value > range.max))
        return outOfRange(end - start, targetType);
      const rendered = range === undefined ? numericText(text, modifier) : String(value);
      if (rendered === null || rendered === OUT_OF_RANGE)
        return outOfRange(end - start, targetType);
      out.writeAscii(rendered);
      return null;
    };
  },
};

/** Digits, without a leading zero unless it is the only one, and without `-0`. */
function isPlainWhole(bytes: Buffer, digits: number, end: number): boolean {
  if (digits >= end) return false;
  if (bytes[digits] === ZERO && (end - digits > 1 || bytes[digits - 1] === MINUS)) return false;
  for (let index = digits; index < end; index++) {
    const code = bytes[index] ?? 0;
    if (code < ZERO || code > 0x39) return false;
  }
  return true;
}

/** Decimal numbers; padded to the scale, never rounded. */
export const NUMERIC_ENCODER: MysqlEncoder = {
  compile: ({ targetType, declared }) => {
    const modifier = numericModifier(targetType);
    const [precision = 10, scale = 0] = declared.sizes;
    // The server prints a DECIMAL(p,s) as PostgreSQL prints a numeric(p,s).
    const isSame =
      declared.name === 'decimal' &&
      targetType === `numeric(${String(precision)},${String(scale)})`;
    return (bytes, start, end, { out }) => {
      if (isSame && isPlainDecimal(bytes, start, end)) {
        copyBytes(bytes, start, end, out);
        return null;
      }
      const text = bytes.toString('latin1', start, end);
      const rendered = numericText(text, modifier);
      if (rendered === null) return mismatch(end - start, targetType);
      if (rendered === OUT_OF_RANGE) return outOfRange(end - start, targetType);
      out.writeAscii(rendered);
      return null;
    };
  },
};

const POINT = 0x2e;

/** Digits without a needless zero in front, and a fraction; of negative numbers only those that begin with another digit. */
function isPlainDecimal(bytes: Buffer, start: number, end: number): boolean {
  const isNegative = bytes[start] === MINUS;
  let index = isNegative ? start + 1 : start;
  if (bytes[index] === ZERO && (isNegative || (bytes[index + 1] !== POINT && end - index > 1)))
    return false;
  let points = 0;
  const first = index;
  for (; index < end; index++) {
    const code = bytes[index] ?? 0;
    if (code === POINT && index > first && index < end - 1) points++;
    else if (code < ZERO || code > 0x39) return false;
  }
  return points <= 1 && index > first;
}

function copyBytes(bytes: Buffer, start: number, end: number, out: CopyBuffer): void {
  out.reserve(end - start);
  const target = out.bytes;
  let position = out.length;
  for (let index = start; index < end; index++) target[position++] = bytes[index] ?? 0;
  out.length = position;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** `double precision`: the server prints the shortest digits that name the value, in its own form. */
export const DOUBLE_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const text = bytes.toString('latin1', start, end);
      if (!DECIMAL.test(text)) return mismatch(end - start, targetType);
      const value = Number(text);
      if (!Number.isFinite(value)) return outOfRange(end - start, targetType);
      out.writeAscii(float8Text(value));
      return null;
    },
};

/** `real`, out of a FLOAT that was read as a DOUBLE: the text of a FLOAT has six digits only. */
export const REAL_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const text = bytes.toString('latin1', start, end);
      if (!DECIMAL.test(text)) return mismatch(end - start, targetType);
      const value = Number(text);
      const single = Math.fround(value);
      if (!Number.isFinite(single) || (single === 0 && value !== 0))
        return outOfRange(end - start, targetType);
      out.writeAscii(float4Text(single));
      return null;
    },
};

/** `boolean` out of whole numbers. */
export const BOOLEAN_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const code = bytes[start];
      if (end - start !== 1 || (code !== ZERO && code !== ZERO + 1))
        return mismatch(end - start, targetType);
      out.writeAscii(code === ZERO ? 'f' : 't');
      return null;
    },
};

/** `boolean` out of a BIT(1). */
export const BIT_BOOLEAN_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const code = bytes[start];
      if (end - start !== 1 || (code !== 0 && code !== 1)) return mismatch(end - start, targetType);
      out.writeAscii(code === 0 ? 'f' : 't');
      return null;
    },
  wireBytes: bitBytes,
};

/** `bit(n)`: the server sends the bytes, most significant first. */
export const BIT_ENCODER: MysqlEncoder = {
  compile: ({ declared, targetType }) => {
    const width = bitWidth(declared);
    return (bytes, start, end, { out }) => {
      let bits = '';
      for (let index = start; index < end; index++)
        bits += (bytes[index] ?? 0).toString(2).padStart(8, '0');
      if (bits.length < width || bits.slice(0, bits.length - width).includes('1'))
        return mismatch(end - start, targetType);
      out.writeAscii(bits.slice(bits.length - width));
      return null;
    };
  },
  wireBytes: bitBytes,
};

/** A typed BIT: a whole number, ones and zeros, or the bytes. */
function bitBytes(
  value: Parameters<NonNullable<MysqlEncoder['wireBytes']>>[0],
  declared: Parameters<NonNullable<MysqlEncoder['wireBytes']>>[1],
): Buffer | null {
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  const width = bitWidth(declared);
  const isBits =
    value.type === 'text' && value.value.length === width && /^[01]+$/.test(value.value);
  if (!isBits && !/^\d{1,20}$/.test(value.value)) return null;
  const number = isBits ? BigInt(`0b${value.value}`) : BigInt(value.value);
  if (number >= 1n << BigInt(width)) return null;
  const size = Math.ceil(width / 8);
  return Buffer.from(number.toString(16).padStart(size * 2, '0'), 'hex');
}
