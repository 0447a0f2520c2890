import { createHash } from 'node:crypto';

import { CANONICAL_HASH_BYTES, type CanonicalStep } from '../../types/mysql-canonical.ts';

type Step = (value: Buffer) => Buffer;

/** What is left to do to a field that the server has rendered. Shares no code with the encoders. */
export function canonicalStep(step: CanonicalStep): Step | null {
  switch (step) {
    case 'none':
      return null;
    case 'float8':
      return (value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleBE(Number(value.toString('latin1')));
        return Buffer.from(bytes.toString('hex'));
      };
    case 'float4':
      return (value) => {
        const bytes = Buffer.alloc(4);
        bytes.writeFloatBE(Number(value.toString('latin1')));
        return Buffer.from(bytes.toString('hex'));
      };
    case 'decimal':
      return (value) => Buffer.from(withoutTrailingZeros(value.toString('latin1')));
    case 'jsonb':
      return renderJson;
  }
}

/** As `trim_scale` leaves it. */
function withoutTrailingZeros(text: string): string {
  if (/[eE]/.test(text)) return plainDecimal(text);
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const kept = fraction.replace(/0+$/, '');
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const plain = kept === '' ? digits : `${digits}.${kept}`;
  return negative && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

function plainDecimal(text: string): string {
  const scaled = scaledInteger(text);
  return scaled === null ? '!' : withoutTrailingZeros(decimalText(scaled));
}

interface Scaled {
  readonly negative: boolean;
  readonly digits: bigint;
  readonly scale: number;
}

function scaledInteger(text: string): Scaled | null {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,7}))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(`${whole}${fraction}` || '0');
  return scale < 0
    ? { negative: sign === '-', digits: digits * 10n ** BigInt(-scale), scale: 0 }
    : { negative: sign === '-', digits, scale };
}

function decimalText({ negative, digits, scale }: Scaled): string {
  const padded = String(digits).padStart(scale + 1, '0');
  const text = scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  return negative && digits !== 0n ? `-${text}` : text;
}

/** Stands for a value that PostgreSQL cannot hold: its row has been rejected, and is left out after it was rendered. */
const UNSTORABLE = Buffer.from('!');

/** What `jsonb` prints, by the runtime's own parser, which tells each number's digits. */
function renderJson(value: Buffer): Buffer {
  let text: string;
  try {
    // The number's own digits stand in `context.source`.
    const parsed: unknown = JSON.parse(
      value.toString('utf8'),
      (_, part: unknown, context?: { source?: string }) =>
        typeof part === 'number' ? new NumberText(context?.source ?? '0') : part,
    );
    text = render(parsed);
  } catch {
    return UNSTORABLE;
  }
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > CANONICAL_HASH_BYTES
    ? Buffer.from(`#${createHash('sha256').update(bytes).digest('hex')}`)
    : Buffer.from(bytes.toString('hex'));
}

class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function render(value: unknown): string {
  if (value instanceof NumberText) {
    const scaled = scaledInteger(value.text);
    return scaled === null ? '!' : decimalText(scaled);
  }
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .map(([key, member]) => ({ key, bytes: Buffer.from(key), member: member as unknown }))
    .sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes));
  return `{${members.map(({ key, member }) => `${JSON.stringify(key)}: ${render(member)}`).join(', ')}}`;
}
