import { isUtf8 } from 'node:buffer';

import type { RowKeyValue, SourceValue } from '../contract.ts';

/** One value exactly as SQLite stores it. */
export type Cell =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly value: bigint }
  /** `text` is SQLite's own rendering, given for columns that become text. */
  | { readonly type: 'real'; readonly value: number; readonly text: string | null }
  /** `bytes` are UTF-8 where `isValid`, else as they stand in the file. */
  | { readonly type: 'text'; readonly bytes: Uint8Array; readonly isValid: boolean }
  | { readonly type: 'blob'; readonly bytes: Uint8Array };

export const TEXT_ENCODINGS = ['UTF-8', 'UTF-16le', 'UTF-16be'] as const;
export type TextEncoding = (typeof TEXT_ENCODINGS)[number];

/** Text from the bytes that SQLite holds in the encoding of its database. */
export function textCell(bytes: Uint8Array, encoding: TextEncoding): Cell {
  if (encoding === 'UTF-8') return { type: 'text', bytes, isValid: isUtf8(bytes) };
  const copy = Buffer.from(bytes);
  if (copy.length % 2 !== 0) return { type: 'text', bytes, isValid: false };
  if (encoding === 'UTF-16be') copy.swap16();
  const text = copy.toString('utf16le');
  if (!text.isWellFormed()) return { type: 'text', bytes, isValid: false };
  return { type: 'text', bytes: Buffer.from(text, 'utf8'), isValid: true };
}

export function hasNul(bytes: Uint8Array): boolean {
  return bytes.includes(0);
}

export function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** A key's value for a person: bytes where it is no clean text. */
export function rowKeyValue(cell: Cell): RowKeyValue {
  const value = sourceValue(cell);
  if (value === null) return null;
  return 'base64' in value ? { base64: value.base64 } : value.value;
}

/** A value for a reject, in JSON. */
export function sourceValue(cell: Cell): SourceValue {
  switch (cell.type) {
    case 'null':
      return null;
    case 'integer':
      return { type: 'integer', value: String(cell.value) };
    case 'real':
      return { type: 'real', value: Object.is(cell.value, -0) ? '-0' : String(cell.value) };
    case 'text':
      // NUL is kept in bytes: no JSON column of PostgreSQL takes it.
      return cell.isValid && !hasNul(cell.bytes)
        ? { type: 'text', value: decodeUtf8(cell.bytes) }
        : { type: 'text', base64: toBase64(cell.bytes) };
    case 'blob':
      return { type: 'blob', base64: toBase64(cell.bytes) };
  }
}

/** Bytes that a value takes in memory, about. */
export function cellSize(cell: Cell): number {
  return cell.type === 'text' || cell.type === 'blob' ? cell.bytes.length : 8;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
