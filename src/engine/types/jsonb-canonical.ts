/** A decimal number without exponent, as many digits after the point as are written; null where it is none that PostgreSQL holds. */
export function plainDecimal(text: string): string | null {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,6}))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (Math.abs(Number(exponent)) > MAX_EXPONENT) return null;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(`${whole}${fraction}` || '0');
  const minus = sign === '-' && digits !== 0n ? '-' : '';
  if (scale <= 0) return `${minus}${String(digits * 10n ** BigInt(-scale))}`;
  const padded = String(digits).padStart(scale + 1, '0');
  return `${minus}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** No `numeric` has more digits before its point (PostgreSQL manual, 8.1.2). */
const MAX_EXPONENT = 131_072;

/**
 * What `jsonb` prints, by the runtime's own parser, which tells each number's digits: the second opinion beside `jsonbText`, with
 * which it shares no code. Null where the text is no JSON.
 */
export function canonicalJsonb(json: string): string | null {
  try {
    // The number's own digits stand in `context.source`.
    const parsed: unknown = JSON.parse(json, (_, part: unknown, context?: { source?: string }) =>
      typeof part === 'number' ? new NumberText(context?.source ?? '0') : part,
    );
    return render(parsed);
  } catch {
    return null;
  }
}

class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function render(value: unknown): string {
  if (value instanceof NumberText) return plainDecimal(value.text) ?? '!';
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .map(([key, member]) => ({ key, bytes: Buffer.from(key), member: member as unknown }))
    .sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes));
  return `{${members.map(({ key, member }) => `${JSON.stringify(key)}: ${render(member)}`).join(', ')}}`;
}
