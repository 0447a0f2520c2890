import { asDouble, INT64, NotSure, type Typed } from './mysql-expression-values.ts';

/** Digits that a decimal of the servers can have, in all and after the point. */
const MAX_DIGITS = 65;
const MAX_SCALE = 30;

/** The least and the greatest value. */
export type Range = readonly [bigint, bigint];

export function arithmetic(operator: string, left: Typed, right: Typed): Typed {
  const isDouble = left.kind === 'double' || right.kind === 'double';
  if (isDouble) return doubleArithmetic(operator, asDouble(left).sql, asDouble(right).sql);
  if (left.kind === 'numeric' || right.kind === 'numeric')
    return decimalArithmetic(operator, left, right);
  return integerArithmetic(operator, left, right);
}

function doubleArithmetic(operator: string, left: string, right: string): Typed {
  if (operator === '+' || operator === '-' || operator === '*')
    return { sql: `(${left} ${operator} ${right})`, kind: 'double' };
  // Division by zero is NULL.
  if (operator === '/') return { sql: `(${left} / nullif(${right}, 0))`, kind: 'double' };
  throw new NotSure();
}

/** Sums and products are exact on both sides; how many digits a quotient has differs. */
function decimalArithmetic(operator: string, left: Typed, right: Typed): Typed {
  const [a, b] = [digitsOf(left), digitsOf(right)];
  const unsigned = left.unsigned === true || right.unsigned === true;
  const isProduct = operator === '*';
  if (!isProduct && operator !== '+' && operator !== '-') throw new NotSure();
  if (unsigned && (operator === '-' || !isNeverNegative(left) || !isNeverNegative(right)))
    throw new NotSure();
  const scale = isProduct ? a[1] + b[1] : Math.max(a[1], b[1]);
  const whole = isProduct ? a[0] - a[1] + b[0] - b[1] : Math.max(a[0] - a[1], b[0] - b[1]) + 1;
  if (scale > MAX_SCALE || whole + scale > MAX_DIGITS) throw new NotSure();
  const sql = `(${left.sql} ${operator} ${right.sql})`;
  return { sql, kind: 'numeric', digits: [whole + scale, scale], unsigned };
}

export function digitsOf({ digits, range }: Typed): readonly [number, number] {
  if (digits !== undefined) return digits;
  const [low, high] = range ?? INT64;
  return [Math.max(String(high).length, String(low).replace('-', '').length), 0];
}

function isNeverNegative({ unsigned, literal, range }: Typed): boolean {
  return unsigned === true || literal !== undefined || (range !== undefined && range[0] >= 0n);
}

function integerArithmetic(operator: string, left: Typed, right: Typed): Typed {
  const range = resultRange(operator, left.range ?? INT64, right.range ?? INT64);
  const unsigned = left.unsigned === true || right.unsigned === true;
  // Without a sign the source refuses results below 0, and goes on where bigint ends.
  if (unsigned && (range[0] < 0n || range[1] > INT64[1])) throw new NotSure();
  // PostgreSQL reckons small constants in 32 bits.
  const first = left.literal && right.literal ? `${left.sql}::bigint` : left.sql;
  const kept = { kind: 'integer', range: clamped(range), unsigned } as const;
  if (operator === 'DIV') return { ...kept, sql: `(${first} / nullif(${right.sql}, 0))` };
  if (operator === '%' || operator === 'MOD')
    return { ...kept, sql: `(${first} % nullif(${right.sql}, 0))` };
  return { ...kept, sql: `(${first} ${operator} ${right.sql})` };
}

function resultRange(operator: string, a: Range, b: Range): Range {
  switch (operator) {
    case '+':
      return [a[0] + b[0], a[1] + b[1]];
    case '-':
      return [a[0] - b[1], a[1] - b[0]];
    case '*':
      return extent([a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]]);
    case 'DIV':
      return extent([a[0], a[1], -a[0], -a[1]].filter((end) => b[0] < 0n || a.includes(end)));
    case '%':
    case 'MOD':
      return [a[0] < 0n ? a[0] : 0n, a[1] > 0n ? a[1] : 0n];
    default:
      throw new NotSure();
  }
}

/** What is beyond is an error on both sides. */
function clamped([low, high]: Range): Range {
  return [low < INT64[0] ? INT64[0] : low, high > INT64[1] ? INT64[1] : high];
}

function extent(ends: readonly bigint[]): Range {
  return ends.reduce<Range>(
    ([low, high], end) => [end < low ? end : low, end > high ? end : high],
    [0n, 0n],
  );
}
