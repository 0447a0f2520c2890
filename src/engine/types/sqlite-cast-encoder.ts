import { constants } from 'node:buffer';

import { castEncoder, castType, PLAIN_STYLE, type CastType } from './cast-encoder.ts';
import type { CopyBuffer } from './copy-text.ts';
import { nearestFloat4 } from './float4-text.ts';
import { decodeUtf8 } from './sqlite-cells.ts';
import {
  integerSelect,
  mismatch,
  outOfRange,
  tooLarge,
  type NonNullCell,
  type Problem,
  type SqliteEncoder,
} from './sqlite-encoder.ts';
import { cleanText } from './sqlite-text-encoders.ts';

/**
 * A PostgreSQL type of the user's wish, from the text of the value: whole numbers in digits, reals by their shortest digits, or as
 * SQLite writes them where they become text. A blob is none.
 */
export const CAST_ENCODER: SqliteEncoder = {
  guardedSelect: (column) =>
    `CASE typeof(${column}) WHEN 'integer' THEN ${integerSelect(column)} ELSE ${column} END`,
  compileFast: ({ targetType, guarded }) => {
    const type = getCastType(targetType);
    const encode = castEncoder(type, PLAIN_STYLE);
    return (value, out) => {
      const text =
        typeof value === 'number' ? plainNumber(value, type) : plainText(value, type, guarded);
      const printed = text === null ? null : encode(text);
      return typeof printed === 'string' && out.tryWriteText(printed);
    };
  },
  compileExact: ({ policies, targetType, maxFieldBytes }) => {
    const type = getCastType(targetType);
    const encode = castEncoder(type, PLAIN_STYLE);
    return (cell, { out, adjust }) => {
      if (cell.type === 'blob') return mismatch(cell, targetType);
      if (cell.type !== 'text') {
        const text = numberText(cell, type);
        if (typeof text !== 'string') return text;
        const printed = encode(text);
        return typeof printed === 'string'
          ? writeText(printed, out, maxFieldBytes)
          : { ...mismatch(cell, targetType), reasonCode: printed.reasonCode };
      }
      if (cell.bytes.length > Math.min(maxFieldBytes, constants.MAX_STRING_LENGTH))
        return tooLarge(cell.bytes.length);
      const cleaned = cleanText(cell, policies);
      if ('reasonCode' in cleaned) return cleaned;
      for (const rule of cleaned.rules) adjust(rule);
      const printed = encode(decodeUtf8(cleaned.bytes));
      return typeof printed === 'string' ? writeText(printed, out, maxFieldBytes) : printed;
    };
  },
};

/** True where a column's reals have to be read as SQLite writes them. */
export function castsRealsAsText(targetType: string): boolean {
  return getCastType(targetType).family === 'string';
}

function getCastType(targetType: string): CastType {
  const type = castType(targetType);
  if (type === null) throw new Error(`the SQLite source cannot cast to ${targetType}`);
  return type;
}

/** Null where it has to be known whether SQLite has a whole number or a real. */
function plainNumber(value: number, { family, targetType }: CastType): string | null {
  if (family === 'string' || (Number.isInteger(value) && !Number.isSafeInteger(value))) return null;
  if (targetType === 'real' && Number.isInteger(value) && Math.fround(value) !== value) return null;
  return realText(value, family);
}

/** Null where the text may stand for a whole number that no double holds. */
function plainText(
  value: string | Uint8Array,
  { family }: CastType,
  guarded: boolean,
): string | null {
  if (typeof value !== 'string') return null;
  return guarded && family === 'float' ? null : value;
}

function numberText(
  cell: Extract<NonNullCell, { type: 'integer' | 'real' }>,
  { family, targetType }: CastType,
): string | NonNullable<Problem> {
  if (cell.type === 'real') {
    if (family === 'string') return cell.text ?? String(cell.value);
    return realText(cell.value, family) ?? mismatch(cell, targetType);
  }
  const text = String(cell.value);
  if (family !== 'float') return text;
  const held = targetType === 'real' ? nearestFloat4(text) : Number(text);
  return BigInt(held) === cell.value ? text : outOfRange(cell, targetType);
}

/** A real counts as a whole number where it is one, and exact as one. */
function realText(value: number, family: CastType['family']): string | null {
  if (family === 'integer') return Number.isSafeInteger(value) ? String(value) : null;
  return Object.is(value, -0) && family !== 'boolean' ? '-0' : String(value);
}

function writeText(printed: string, out: CopyBuffer, maxFieldBytes: number): Problem {
  const from = out.length;
  if (!out.tryWriteText(printed)) out.writeUtf8(Buffer.from(printed, 'utf8'));
  const size = out.length - from;
  return size > maxFieldBytes ? tooLarge(size) : null;
}
