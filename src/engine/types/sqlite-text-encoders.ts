import { isUtf8 } from 'node:buffer';

import type { Policies } from '../contract.ts';
import { decodeCp1252 } from './cp1252.ts';
import { hasNul } from './sqlite-cells.ts';
import {
  mismatch,
  tooLarge,
  type NonNullCell,
  type Problem,
  type SqliteEncoder,
} from './sqlite-encoder.ts';

/** `text`. Numbers arrive as SQLite writes them; a blob counts as text where its bytes are, and that is an adjustment. */
export const TEXT_ENCODER: SqliteEncoder = {
  guardedSelect: (column) =>
    `CASE WHEN typeof(${column}) = 'blob' THEN x'' ELSE CAST(${column} AS TEXT) END`,
  compileFast: () => (value, out) => typeof value === 'string' && out.tryWriteText(value),
  compileExact:
    ({ policies, targetType, maxFieldBytes }) =>
    (cell, target) => {
      if (cell.type === 'integer') {
        target.out.writeAscii(String(cell.value));
        return null;
      }
      if (cell.type === 'real') {
        target.out.writeAscii(cell.text ?? String(cell.value));
        return null;
      }
      if (cell.bytes.length > maxFieldBytes) return tooLarge(cell.bytes.length);
      if (cell.type === 'blob') {
        if (policies.typeMismatch === 'reject' || !isUtf8(cell.bytes))
          return mismatch(cell, targetType);
        target.adjust('TYPE_MISMATCH');
      }
      const cleaned = cleanText(cell, policies);
      if ('reasonCode' in cleaned) return cleaned;
      for (const rule of cleaned.rules) target.adjust(rule);
      const from = target.out.length;
      target.out.writeUtf8(cleaned.bytes);
      return target.out.length - from > maxFieldBytes ? tooLarge(target.out.length - from) : null;
    },
};

interface CleanText {
  readonly bytes: Uint8Array;
  readonly rules: readonly ('INVALID_UTF8' | 'TEXT_NUL')[];
}

/** Text that PostgreSQL can hold, and by which rules it was made so. */
export function cleanText(
  cell: Extract<NonNullCell, { bytes: Uint8Array }>,
  policies: Policies,
): CleanText | NonNullable<Problem> {
  const rules: ('INVALID_UTF8' | 'TEXT_NUL')[] = [];
  let { bytes } = cell;
  if (cell.type === 'text' && !cell.isValid) {
    const decoded = policies.invalidUtf8 === 'cp1252' ? decodeCp1252(bytes) : null;
    if (decoded === null)
      return { reasonCode: 'INVALID_UTF8', message: 'The bytes of the text are no valid UTF-8' };
    bytes = decoded;
    rules.push('INVALID_UTF8');
  }
  if (hasNul(bytes)) {
    if (policies.nulCharacter === 'reject') {
      return {
        reasonCode: 'TEXT_NUL',
        message: 'The text holds a NUL character, which PostgreSQL cannot store',
      };
    }
    bytes = bytes.filter((byte) => byte !== 0);
    rules.push('TEXT_NUL');
  }
  return { bytes, rules };
}

/** `bytea`. Text among blobs is carried over as its UTF-8 bytes, and that is an adjustment. */
export const BYTEA_ENCODER: SqliteEncoder = {
  compileFast:
    ({ maxFieldBytes }) =>
    (value, out) => {
      if (!(value instanceof Uint8Array) || value.length * 2 + 3 > maxFieldBytes) return false;
      out.writeBytea(value);
      return true;
    },
  compileExact:
    ({ policies, targetType, maxFieldBytes }) =>
    (cell, { out, adjust }) => {
      if (cell.type !== 'blob' && cell.type !== 'text') return mismatch(cell, targetType);
      if (cell.type === 'text' && policies.typeMismatch === 'reject')
        return mismatch(cell, targetType);
      if (cell.bytes.length * 2 + 3 > maxFieldBytes) return tooLarge(cell.bytes.length);
      if (cell.type === 'text') adjust('TYPE_MISMATCH');
      out.writeBytea(cell.bytes);
      return null;
    },
};
