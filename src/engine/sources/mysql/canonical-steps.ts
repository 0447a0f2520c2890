import { createHash } from 'node:crypto';

import { canonicalJsonb, plainDecimal } from '../../types/jsonb-canonical.ts';
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
  if (/[eE]/.test(text)) {
    const plain = plainDecimal(text);
    return plain === null ? '!' : withoutTrailingZeros(plain);
  }
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const kept = fraction.replace(/0+$/, '');
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const plain = kept === '' ? digits : `${digits}.${kept}`;
  return negative && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

/** Stands for a value that PostgreSQL cannot hold: its row has been rejected, and is left out after it was rendered. */
const UNSTORABLE = Buffer.from('!');

function renderJson(value: Buffer): Buffer {
  const text = canonicalJsonb(value.toString('utf8'));
  if (text === null) return UNSTORABLE;
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > CANONICAL_HASH_BYTES
    ? Buffer.from(`#${createHash('sha256').update(bytes).digest('hex')}`)
    : Buffer.from(bytes.toString('hex'));
}
