/** PostgreSQL's text of a `real`: the shortest digits that read back as the same four bytes. */
export function float4Text(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const [mantissa = '', exponentText = '0'] = shortestExponential(value).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    const sign = exponent < 0 ? '-' : '+';
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return withoutExponent(mantissa, exponent);
}

/** The `real` nearest to a decimal number: rounding to a double first would sometimes round twice. */
export function nearestFloat4(text: string): number {
  const double = Number(text);
  const nearest = Math.fround(double);
  if (nearest === double || !Number.isFinite(double)) return nearest;
  const other = neighbour(nearest, double > nearest);
  // Half-way between two reals: what the double has lost decides.
  if (double - nearest !== other - double) return nearest;
  const side = compareToDecimal(double, text);
  if (side === 0) return nearest;
  return side < 0 === other > nearest ? other : nearest;
}

const VIEW = new DataView(new ArrayBuffer(4));
/** One more than the greatest `real`, as far as rounding is concerned. */
const BEYOND = 2 ** 128;

function neighbour(value: number, upwards: boolean): number {
  if (!Number.isFinite(value)) return value > 0 ? 3.4028234663852886e38 : -3.4028234663852886e38;
  if (value === 0) return upwards ? 2 ** -149 : -(2 ** -149);
  VIEW.setFloat32(0, value);
  const step = upwards === value > 0 ? 1 : -1;
  VIEW.setUint32(0, VIEW.getUint32(0) + step);
  const next = VIEW.getFloat32(0);
  if (Number.isFinite(next)) return next;
  return next > 0 ? BEYOND : -BEYOND;
}

/** Below zero: the decimal is greater than the double. Above zero: it is smaller. */
function compareToDecimal(double: number, text: string): number {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const exponent = Number(power) - fraction.length;
  const { numerator, denominator } = asFraction(double);
  const left = exponent < 0 ? numerator * 10n ** BigInt(-exponent) : numerator;
  const right = digits * denominator * (exponent > 0 ? 10n ** BigInt(exponent) : 1n);
  return left < right ? -1 : left > right ? 1 : 0;
}

function asFraction(double: number): { readonly numerator: bigint; readonly denominator: bigint } {
  let denominator = 1n;
  let scaled = double;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

function shortestExponential(value: number): string {
  for (let fraction = 0; fraction < 9; fraction++) {
    const text = roundedToEven(value, fraction);
    if (nearestFloat4(text) === value && !isHalfWay(text, value)) return trimZeros(text);
  }
  return trimZeros(value.toExponential(8));
}

/** JavaScript rounds a half up, PostgreSQL to the even digit. */
function roundedToEven(value: number, fraction: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(100).split('e');
  const length = mantissa.indexOf('.') + 1 + fraction;
  const isHalf = /^50*$/.test(mantissa.slice(length));
  const kept = mantissa.slice(0, length).replace(/\.$/, '');
  return isHalf && /[02468]$/.test(kept) ? `${kept}e${exponent}` : value.toExponential(fraction);
}

/** Digits half-way to the neighbour read back by luck of the even bit; PostgreSQL takes only digits strictly nearer. */
function isHalfWay(text: string, value: number): boolean {
  const double = Number(text);
  if (double === value) return false;
  const other = neighbour(value, double > value);
  return (
    Math.abs(double - value) === Math.abs(other - double) && compareToDecimal(double, text) === 0
  );
}

function trimZeros(text: string): string {
  return text.replace(/\.?0*e/, 'e');
}

function withoutExponent(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
