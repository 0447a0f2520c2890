/** Precision and scale of `numeric(p,s)`; null = unconstrained. */
export type NumericModifier = { readonly precision: number; readonly scale: number } | null;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** What `numericText` answers for a number that the type cannot hold. */
export const OUT_OF_RANGE = 'out of range';

/** What a `numeric` can hold (PostgreSQL manual, 8.1.2). */
const MAX_WHOLE_DIGITS = 131_072;
const MAX_FRACTION_DIGITS = 16_383;

/**
 * PostgreSQL's text of a decimal number: no exponent, no needless sign or leading zero, padded to the scale. Null where
 * the text is no decimal number; `OUT_OF_RANGE` where the type cannot hold it exactly.
 */
export function numericText(text: string, modifier: NumericModifier): string | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign = '', wholeDigits = '', fractionDigits = '', exponent = '0'] = match;
  if (wholeDigits === '' && fractionDigits === '') return null;
  if (Math.abs(Number(exponent)) > MAX_WHOLE_DIGITS) return OUT_OF_RANGE;

  const shifted = shift(wholeDigits, fractionDigits, Number(exponent));
  const whole = shifted.whole.replace(/^0+(?=\d)/, '');
  const fraction =
    modifier === null ? shifted.fraction : fitScale(shifted.fraction, modifier.scale);
  if (fraction === null || !fits(whole, fraction, modifier)) return OUT_OF_RANGE;

  const isZero = /^0*$/.test(whole) && /^0*$/.test(fraction);
  const minus = sign === '-' && !isZero ? '-' : '';
  return `${minus}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The modifier in a PostgreSQL type name: `numeric(10,2)`. */
export function numericModifier(targetType: string): NumericModifier {
  const match = /^numeric\((\d+),(\d+)\)$/.exec(targetType);
  return match === null ? null : { precision: Number(match[1]), scale: Number(match[2]) };
}

function shift(
  whole: string,
  fraction: string,
  exponent: number,
): { whole: string; fraction: string } {
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return { whole: '0', fraction: '0'.repeat(-point) + digits };
  if (point >= digits.length)
    return { whole: digits + '0'.repeat(point - digits.length), fraction: '' };
  return { whole: digits.slice(0, point), fraction: digits.slice(point) };
}

/** Null where a digit other than zero would be lost. */
function fitScale(fraction: string, scale: number): string | null {
  if (/[1-9]/.test(fraction.slice(scale))) return null;
  return fraction.slice(0, scale).padEnd(scale, '0');
}

function fits(whole: string, fraction: string, modifier: NumericModifier): boolean {
  if (modifier === null)
    return whole.length <= MAX_WHOLE_DIGITS && fraction.length <= MAX_FRACTION_DIGITS;
  return whole.replace(/^0$/, '').length <= modifier.precision - modifier.scale;
}
