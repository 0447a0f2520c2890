import { isUtf8 } from 'node:buffer';
import type { RowKey, RowKeyValue } from '../../contract.ts';
import { quotePostgresName } from '../../types/sql-text.ts';
import { unescapeField } from './copy-fields.ts';

/** What tells a row of a table without a key: its partition, and its place there. */
const PLACE = ['tableoid::text', 'ctid::text'];

/** SQL of what tells a row, to be selected before all else. */
export function keySelect(keyColumns: readonly string[]): readonly string[] {
  return keyColumns.length === 0
    ? PLACE
    : keyColumns.map((name) => `${quotePostgresName(name)}::text`);
}

/** Reads it from the fields of a line that begins with `keySelect`. */
export function rowKeyOf(keyColumns: readonly string[], fields: readonly Buffer[]): RowKey {
  if (keyColumns.length === 0) return { ctid: keyValue(fields[1]) };
  return Object.fromEntries(
    keyColumns.map((name, position) => [name, keyValue(fields[position])] as const),
  );
}

/** Stays the same as long as the row is not changed; of a keyed row, as long as its key is not. */
export function locatorOf(keyColumns: readonly string[], fields: readonly Buffer[]): string {
  const parts = fields.slice(0, keySelect(keyColumns).length);
  // Escaped fields hold no tab, so the parts cannot run into each other.
  return parts.map((part) => part.toString(isUtf8(part) ? 'utf8' : 'latin1')).join('\t');
}

function keyValue(field: Buffer | undefined): RowKeyValue {
  const value = unescapeField(field);
  if (value === null) return null;
  return isUtf8(value) ? value.toString('utf8') : { base64: value.toString('base64') };
}
