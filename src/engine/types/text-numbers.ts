import { float4Text, nearestFloat4 } from './float4-text.ts';
import { float8Text } from './float8-text.ts';
import { numericModifier, numericText, OUT_OF_RANGE } from './numeric-text.ts';
import { beyondType, notOfType, type TextEncoder } from './text-problem.ts';

/** Which character stands before the fraction. The other one may group the digits before it by threes. */
export type DecimalSign = 'point' | 'comma';

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const PLAIN_OR_EXPONENT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?$/;
const GROUPED = {
  point: /^[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/,
  comma: /^[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$/,
} as const;

/** The number with a point and without groups; null where it is none in this way of writing. */
export function plainNumber(text: string, sign: DecimalSign): string | null {
  if (sign === 'point') {
    if (PLAIN_OR_EXPONENT.test(text)) return text;
    return GROUPED.point.test(text) ? text.replaceAll(',', '') : null;
  }
  if (GROUPED.comma.test(text)) return text.replaceAll('.', '').replace(',', '.');
  if (text.includes('.')) return null;
  const plain = text.replace(',', '.');
  return PLAIN.test(plain) ? plain : null;
}

const INTEGER_RANGES = {
  smallint: { min: -(2n ** 15n), max: 2n ** 15n - 1n },
  integer: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  bigint: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
} as const;
export type IntegerType = keyof typeof INTEGER_RANGES;

export function isIntegerType(targetType: string): targetType is IntegerType {
  return Object.hasOwn(INTEGER_RANGES, targetType);
}

/** Whole numbers only: `5.0` is none. */
export function integerEncoder(targetType: IntegerType, sign: DecimalSign): TextEncoder {
  const { min, max } = INTEGER_RANGES[targetType];
  return (text) => {
    const plain = plainNumber(text, sign);
    if (plain === null || !/^[+-]?\d+$/.test(plain)) return notOfType(text, targetType);
    // BigInt takes a minus, but no plus.
    const value = BigInt(plain.startsWith('+') ? plain.slice(1) : plain);
    return value < min || value > max ? beyondType(text, targetType) : String(value);
  };
}

/** Digits that the type has no room for make the value out of range: nothing is rounded. */
export function numericEncoder(targetType: string, sign: DecimalSign): TextEncoder {
  const modifier = numericModifier(targetType);
  return (text) => {
    const plain = plainNumber(text, sign);
    const rendered = plain === null ? null : numericText(plain, modifier);
    if (rendered === null) return notOfType(text, targetType);
    return rendered === OUT_OF_RANGE ? beyondType(text, targetType) : rendered;
  };
}

const SPECIAL_FLOATS = new Map([
  ['nan', 'NaN'],
  ['infinity', 'Infinity'],
  ['+infinity', 'Infinity'],
  ['inf', 'Infinity'],
  ['+inf', 'Infinity'],
  ['-infinity', '-Infinity'],
  ['-inf', '-Infinity'],
]);

/** The nearest binary number, as PostgreSQL itself reads it; what would become infinite or zero is out of range. */
export function floatEncoder(
  targetType: 'real' | 'double precision',
  sign: DecimalSign,
): TextEncoder {
  const read = targetType === 'real' ? nearestFloat4 : Number;
  const print = targetType === 'real' ? float4Text : float8Text;
  return (text) => {
    const special = SPECIAL_FLOATS.get(text.toLowerCase());
    if (special !== undefined) return special;
    const plain = plainNumber(text, sign);
    if (plain === null) return notOfType(text, targetType);
    const value = read(plain);
    const isLost = value === 0 && /[1-9]/.test(plain.replace(/[eE].*$/, ''));
    return isLost || !Number.isFinite(value) ? beyondType(text, targetType) : print(value);
  };
}
