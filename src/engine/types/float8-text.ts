/**
 * PostgreSQL's text of a `double precision` under `extra_float_digits` 1 and above: the shortest digits that read back as
 * the same eight bytes.
 */
export function float8Text(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return value > 0 ? 'Infinity' : '-Infinity';
  if (magnitude >= 1e-4 && magnitude < 1e15) return String(value);
  return withTwoDigitExponent(shortestInside(value, magnitude));
}

/** JavaScript writes `1e+5`, PostgreSQL `1e+05`. */
function withTwoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

const MAX_SAFE_POWER = 2 ** 53;
/** Beyond this no decimal of 17 digits lies half-way between two doubles. */
const LAST_HALF_WAY = 1e42;

/**
 * JavaScript accepts digits that lie exactly half-way to the neighbouring double (reading rounds to even, so they come
 * back right); PostgreSQL takes only digits strictly nearer.
 */
function shortestInside(value: number, magnitude: number): string {
  const shortest = value.toExponential();
  if (magnitude < MAX_SAFE_POWER || magnitude > LAST_HALF_WAY || !isHalfWay(shortest, value))
    return shortest;
  const digits = shortest.replace(/e.*|\D/g, '').length;
  for (let fraction = digits; fraction <= 16; fraction++) {
    const longer = value.toExponential(fraction);
    if (Number(longer) === value && !isHalfWay(longer, value)) return longer;
  }
  return value.toExponential(16);
}

function isHalfWay(text: string, value: number): boolean {
  const decimal = decimalToInteger(text);
  const exact = BigInt(value);
  const distance = decimal > exact ? decimal - exact : exact - decimal;
  const neighbour = BigInt(
    decimal > exact === value > 0 ? nextAwayFromZero(value) : nextTowardsZero(value),
  );
  const gap = neighbour > exact ? neighbour - exact : exact - neighbour;
  return distance * 2n === gap;
}

/** `1.25e+20` as a whole number. The callers' values are at least 2^53, so no fraction is left. */
function decimalToInteger(text: string): bigint {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e\+(\d+)$/.exec(text) ?? [];
  const integer =
    BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, Number(exponent) - fraction.length));
  return sign === '' ? integer : -integer;
}

const VIEW = new DataView(new ArrayBuffer(8));

function nextAwayFromZero(value: number): number {
  VIEW.setFloat64(0, value);
  VIEW.setBigUint64(0, VIEW.getBigUint64(0) + 1n);
  return VIEW.getFloat64(0);
}

function nextTowardsZero(value: number): number {
  VIEW.setFloat64(0, value);
  VIEW.setBigUint64(0, VIEW.getBigUint64(0) - 1n);
  return VIEW.getFloat64(0);
}
