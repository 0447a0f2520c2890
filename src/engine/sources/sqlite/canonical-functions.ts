import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

import { DEFAULT_JOB_OPTIONS } from '../../contract.ts';
import { canonicalField, type CanonicalField } from '../../types/csv-canonical.ts';
import { CANONICAL_HASH_BYTES } from '../../types/sqlite-canonical.ts';
import type { TextEncoding } from '../../types/sqlite-cells.ts';

/** Nothing in the file's own schema may call them. */
const OPTIONS = { deterministic: true, directOnly: true } as const;

/** Of a value that PostgreSQL cannot hold: its row has been rejected, and is left out after it was rendered. */
const UNSTORABLE = '!';

const DECODER_LABELS = {
  'UTF-8': 'utf-8',
  'UTF-16le': 'utf-16le',
  'UTF-16be': 'utf-16be',
} as const;

/** What SQLite's SQL lacks for the canonical rendering. Shares no code with the encoders. */
export function registerCanonicalFunctions(db: DatabaseSync, encoding: TextEncoding): void {
  db.function('hub_is_utf8', OPTIONS, () => (encoding === 'UTF-8' ? 1 : 0));
  db.function('hub_sha256', OPTIONS, (bytes) =>
    createHash('sha256')
      .update(bytes as Uint8Array)
      .digest('hex'),
  );
  const view = new DataView(new ArrayBuffer(8));
  db.function('hub_float8', OPTIONS, (value) => {
    view.setFloat64(0, value as number);
    return hexOfWord(view.getUint32(0)) + hexOfWord(view.getUint32(4));
  });
  registerCast(db, encoding);
  db.function('hub_decimal', OPTIONS, (value) => plainDecimal(value));
  db.function('hub_clean_text', OPTIONS, (bytes, type, invalidUtf8, nulCharacter) => {
    const encodingOfBytes = type === 'blob' ? 'UTF-8' : encoding;
    const text = decode(bytes as Uint8Array, encodingOfBytes, invalidUtf8 === 'cp1252');
    if (text === null && invalidUtf8 !== 'keep') return UNSTORABLE;
    if (text === null) return hexOrHash(bytes as Uint8Array);
    const clean = nulCharacter === 'strip' ? text.split('\0').join('') : text;
    return hexOrHash(Buffer.from(clean, 'utf8'));
  });
}

/** Text by its bytes and a real as itself, cast as the CSV source's second opinion has it. */
function registerCast(db: DatabaseSync, encoding: TextEncoding): void {
  const fields = new Map<string, CanonicalField>();
  const fieldOf = (targetType: string): CanonicalField => {
    const known = fields.get(targetType);
    if (known !== undefined) return known;
    // Policies on dates do not matter: dates have renderings of their own, and NULs have been taken out.
    const field = canonicalField({ targetType, encoder: 'plain' }, DEFAULT_JOB_OPTIONS.policies);
    fields.set(targetType, field);
    return field;
  };
  db.function('hub_cast', OPTIONS, (value, targetType, invalidUtf8, nulCharacter) => {
    const text =
      typeof value === 'number'
        ? realText(value)
        : decode(value as Uint8Array, encoding, invalidUtf8 === 'cp1252');
    if (text === null) return UNSTORABLE;
    try {
      const clean = nulCharacter === 'strip' ? text.split('\0').join('') : text;
      // An exponent makes no whole number, but may make one that takes long to write.
      const isEndless =
        /^(?:smallint|integer|bigint)$/.test(String(targetType)) && /e/i.test(clean);
      return isEndless ? UNSTORABLE : fieldOf(String(targetType))(clean);
    } catch {
      return UNSTORABLE;
    }
  });
}

function realText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function hexOrHash(bytes: Uint8Array): string {
  return bytes.length > CANONICAL_HASH_BYTES
    ? `#${createHash('sha256').update(bytes).digest('hex')}`
    : Buffer.from(bytes).toString('hex');
}

function hexOfWord(word: number): string {
  return word.toString(16).padStart(8, '0');
}

function decode(bytes: Uint8Array, encoding: TextEncoding, orCp1252: boolean): string | null {
  try {
    return new TextDecoder(DECODER_LABELS[encoding], { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    if (!orCp1252) return null;
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

const DECIMAL_FORMAT = new Intl.NumberFormat('en-US', {
  useGrouping: false,
  maximumSignificantDigits: 17,
});

/** Digits without exponent and without trailing zeros, as `trim_scale` leaves them. */
function plainDecimal(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
    return value === 0 ? '0' : DECIMAL_FORMAT.format(value);
  }
  if (typeof value !== 'string' || !/^[+-]?[\d.]+(e[+-]?\d{1,6})?$/i.test(value)) return UNSTORABLE;
  const [mantissa = '', exponent = '0'] = value.toLowerCase().split('e');
  const negative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const scale = fraction.length - Number(exponent);
  let digits = BigInt(`${whole}${fraction}`);
  if (scale <= 0) return withSign(String(digits * 10n ** BigInt(-scale)), negative);
  let places = scale;
  while (places > 0 && digits % 10n === 0n) {
    digits /= 10n;
    places--;
  }
  const padded = String(digits).padStart(places + 1, '0');
  const text = places === 0 ? padded : `${padded.slice(0, -places)}.${padded.slice(-places)}`;
  return withSign(text, negative);
}

function withSign(text: string, negative: boolean): string {
  return negative && /[1-9]/.test(text) ? `-${text}` : text;
}
