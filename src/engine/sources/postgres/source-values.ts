import { isUtf8 } from 'node:buffer';
import type { PlannedColumn, SourceValue } from '../../contract.ts';
import { parseTypeName } from '../../types/postgres-types.ts';

/** Larger values stand in a reject with their size only. */
const MAX_VALUE_BYTES = 64 * 1024;

/** A value as the server printed it, in JSON. */
export function describeField(
  column: PlannedColumn,
  value: Buffer | null,
): SourceValue | { readonly truncatedFrom: number } {
  if (value === null) return null;
  const { base, isArray } = parseTypeName(column.declaredType);
  const kind = isArray ? 'text' : kindOf(base);
  if (kind === 'blob') {
    // \x and two digits a byte.
    const bytes = (value.length - 2) / 2;
    if (bytes > MAX_VALUE_BYTES) return { truncatedFrom: bytes };
    const base64 = Buffer.from(value.toString('latin1', 2), 'hex').toString('base64');
    return { type: 'blob', base64 };
  }
  if (value.length > MAX_VALUE_BYTES) return { truncatedFrom: value.length };
  if (!isUtf8(value)) return { type: 'text', base64: value.toString('base64') };
  return { type: kind, value: value.toString('utf8') };
}

function kindOf(base: string): 'integer' | 'real' | 'text' | 'blob' {
  if (/^(?:smallint|integer|bigint)$/.test(base)) return 'integer';
  if (/^(?:real|double precision|numeric)$/.test(base)) return 'real';
  return base === 'bytea' ? 'blob' : 'text';
}
