import { isUtf8 } from 'node:buffer';

import type { RowKeyValue, SourceValue } from '../../contract.ts';
import { bitWidth } from '../../types/mysql-declared.ts';
import type { SqlColumn } from '../../types/mysql-sql.ts';
import { ENUM_ERROR_BYTE } from '../../types/mysql-text-encoders.ts';

/** Before the bytes of a text that could not be converted to UTF-8. */
const RAW_MARK = 0xff;

/** A value as it came, for a reject. */
export function sourceValue(
  bytes: Buffer | null,
  { family, declared }: Pick<SqlColumn, 'family' | 'declared'>,
): SourceValue {
  if (bytes === null) return null;
  switch (family) {
    case 'integer':
    case 'year':
      return { type: 'integer', value: bytes.toString('latin1') };
    case 'decimal':
    case 'float':
    case 'double':
      return { type: 'real', value: bytes.toString('latin1') };
    case 'bit':
      return { type: 'text', value: bitText(bytes, bitWidth(declared)) };
    case 'binary':
    case 'geometry':
      return { type: 'blob', base64: bytes.toString('base64') };
    case 'enum':
      // The error value prints as an empty text.
      return bytes.length === 1 && bytes[0] === ENUM_ERROR_BYTE
        ? { type: 'text', value: '' }
        : textValue(bytes);
    case 'date':
    case 'datetime':
    case 'inet':
    case 'json':
    case 'set':
    case 'text':
    case 'time':
    case 'timestamp':
    case 'unknown':
    case 'uuid':
      return textValue(bytes);
  }
}

function textValue(bytes: Buffer): SourceValue {
  if (bytes[0] === RAW_MARK) return { type: 'text', base64: bytes.subarray(1).toString('base64') };
  // NUL is kept in bytes: no JSON column of PostgreSQL takes it.
  return isUtf8(bytes) && !bytes.includes(0)
    ? { type: 'text', value: bytes.toString('utf8') }
    : { type: 'text', base64: bytes.toString('base64') };
}

function bitText(bytes: Buffer, width: number): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.slice(Math.max(0, bits.length - width));
}

/** A key's value for a person: bytes where it is no clean text. */
export function rowKeyValue(value: SourceValue): RowKeyValue {
  if (value === null) return null;
  return 'base64' in value ? { base64: value.base64 } : value.value;
}
