import { isUtf8 } from 'node:buffer';

import type { CopyBuffer } from './copy-text.ts';
import { castEncoder, castType, PLAIN_STYLE } from './cast-encoder.ts';
import { repairDoubleEncoding } from './double-encoding.ts';
import { jsonbText } from './jsonb-text.ts';
import {
  mismatch,
  tooLarge,
  type CellEncoder,
  type EncoderOptions,
  type MysqlEncoder,
  type Problem,
} from './mysql-encoder.ts';
import { JSONB_PROBLEMS } from './text-strings.ts';

/** What an ENUM that holds the error value is read as: `''` may be a label too. */
export const ENUM_ERROR_BYTE = 0;

const TEXT_NUL = {
  reasonCode: 'TEXT_NUL',
  message: 'The text holds a NUL character, which PostgreSQL cannot store',
} as const;
const INVALID_UTF8 = {
  reasonCode: 'INVALID_UTF8',
  message: 'The bytes of the text are no characters of its character set',
} as const;

/** `text` and `character varying(n)`: the server has converted them to UTF-8. */
export const TEXT_ENCODER: MysqlEncoder = { compile: compileText };

function compileText({ policies, maxFieldBytes, targetType }: EncoderOptions): CellEncoder {
  const repairs = policies.doubleEncoding === 'repair';
  const width = Number(/\((\d+)\)$/.exec(targetType)?.[1] ?? Infinity);
  return (bytes, start, end, target) => {
    if (end - start > maxFieldBytes) return tooLarge(end - start);
    // A character has at least one byte.
    if (end - start > width && countCharacters(bytes, start, end) > width)
      return { reasonCode: 'OUT_OF_RANGE', message: `The text is longer than ${targetType}` };
    const from = target.out.length;
    if (tryWritePlain(bytes, { start, end }, target.out, repairs))
      return checkSize(target.out, from, maxFieldBytes);
    let value = bytes.subarray(start, end);
    if (!isUtf8(value)) return INVALID_UTF8;
    const repaired = repairs ? repairDoubleEncoding(value) : null;
    if (repaired !== null) {
      target.adjust('DOUBLE_ENCODING');
      value = repaired;
    }
    if (value.includes(0)) {
      if (policies.nulCharacter === 'reject') return TEXT_NUL;
      target.adjust('TEXT_NUL');
      value = Buffer.from(value.filter((byte) => byte !== 0));
    }
    target.out.writeUtf8(value);
    return checkSize(target.out, from, maxFieldBytes);
  };
}

function checkSize(out: CopyBuffer, from: number, maxFieldBytes: number): Problem {
  return out.length - from > maxFieldBytes ? tooLarge(out.length - from) : null;
}

/** What a byte needs: 0 nothing, 1 a closer look, else the letter after a backslash. */
const LOOK = new Uint8Array(256);
LOOK.fill(1, 0x80);
LOOK[0] = 1;
LOOK[0x08] = 0x62;
LOOK[0x09] = 0x74;
LOOK[0x0a] = 0x6e;
LOOK[0x0b] = 0x76;
LOOK[0x0c] = 0x66;
LOOK[0x0d] = 0x72;
LOOK[0x5c] = 0x5c;

/**
 * Writes text that is valid UTF-8 without NUL. False where it is not, or where a character beyond ASCII is to be looked at
 * (`asciiOnly`); what has been written then is of no use. Forms of a character: RFC 3629, section 4.
 */
function tryWritePlain(
  bytes: Buffer,
  span: { readonly start: number; readonly end: number },
  out: CopyBuffer,
  asciiOnly: boolean,
): boolean {
  const { start, end } = span;
  out.reserve((end - start) * 2);
  const target = out.bytes;
  let position = out.length;
  let index = start;
  while (index < end) {
    const byte = bytes[index++] ?? 0;
    const look = LOOK[byte] ?? 0;
    if (look === 0) {
      target[position++] = byte;
      continue;
    }
    if (look !== 1) {
      target[position++] = 0x5c;
      target[position++] = look;
      continue;
    }
    if (asciiOnly || byte < 0xc2 || byte > 0xf4) return false;
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (index + more > end) return false;
    const second = bytes[index] ?? 0;
    const least = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    const most = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    target[position++] = byte;
    target[position++] = second;
    index++;
    for (let left = more - 1; left > 0; left--) {
      const next = bytes[index++] ?? 0;
      if ((next & 0xc0) !== 0x80) return false;
      target[position++] = next;
    }
  }
  out.length = position;
  return true;
}

function countCharacters(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index++) if (((bytes[index] ?? 0) & 0xc0) !== 0x80) count++;
  return count;
}

/** `bytea`. */
export const BYTEA_ENCODER: MysqlEncoder = {
  compile:
    ({ maxFieldBytes }) =>
    (bytes, start, end, { out }) => {
      if ((end - start) * 2 + 3 > maxFieldBytes) return tooLarge(end - start);
      out.writeBytea(bytes.subarray(start, end));
      return null;
    },
};

/** A label of an ENUM, into a type of its own or into text. */
export const ENUM_ENCODER: MysqlEncoder = {
  compile: (options) => {
    const labels = new Set(options.declared.labels);
    const writeText = compileText({
      ...options,
      policies: { ...options.policies, doubleEncoding: 'keep' },
      targetType: 'text',
    });
    return (bytes, start, end, target) => {
      if (end - start === 1 && bytes[start] === ENUM_ERROR_BYTE) {
        if (options.policies.enumError === 'reject')
          return {
            reasonCode: 'ENUM_ERROR_VALUE',
            message: 'The column holds the error value of ENUM, index 0',
          };
        target.adjust('ENUM_ERROR_VALUE');
        return target.writeNull();
      }
      if (!labels.has(bytes.toString('utf8', start, end)))
        return mismatch(end - start, options.targetType);
      return writeText(bytes, start, end, target);
    };
  },
};

const COMMA = 0x2c;

/** `text[]` out of SET: `''` is the empty set. Members hold no comma. */
export const SET_ENCODER: MysqlEncoder = {
  compile: () => (bytes, start, end, target) => {
    const value = bytes.subarray(start, end);
    if (!isUtf8(value)) return INVALID_UTF8;
    if (value.includes(0)) return TEXT_NUL;
    const members: string[] = [];
    let from = start;
    for (let index = start; index <= end && end > start; index++) {
      if (index < end && bytes[index] !== COMMA) continue;
      members.push(quoteElement(bytes.toString('utf8', from, index)));
      from = index + 1;
    }
    target.out.writeUtf8(Buffer.from(`{${members.join(',')}}`, 'utf8'));
    return null;
  },
};

/** As `array_out` prints an element: quotes where it would be read as something else without them. */
function quoteElement(text: string): string {
  const isPlain = text !== '' && !/["\\{}, \t\n\r\v\f]/.test(text) && text.toUpperCase() !== 'NULL';
  return isPlain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `jsonb`, in the form in which PostgreSQL prints it. */
export const JSONB_ENCODER: MysqlEncoder = {
  compile:
    ({ maxFieldBytes }) =>
    (bytes, start, end, { out }) => {
      if (end - start > maxFieldBytes) return tooLarge(end - start);
      const value = bytes.subarray(start, end);
      if (!isUtf8(value)) return INVALID_UTF8;
      const rendered = jsonbText(value.toString('utf8'));
      if ('problem' in rendered) return JSONB_PROBLEMS[rendered.problem];
      const from = out.length;
      out.writeUtf8(Buffer.from(rendered.text, 'utf8'));
      return checkSize(out, from, maxFieldBytes);
    },
};

/** `json`: the text as it stands. */
export const JSON_ENCODER: MysqlEncoder = {
  compile:
    ({ maxFieldBytes, policies }) =>
    (bytes, start, end, { out }) => {
      if (end - start > maxFieldBytes) return tooLarge(end - start);
      const value = bytes.subarray(start, end);
      if (!isUtf8(value)) return INVALID_UTF8;
      const rendered = jsonbText(value.toString('utf8'));
      if ('problem' in rendered) {
        const { problem } = rendered;
        if (problem === 'syntax' || problem === 'tooDeep') return JSONB_PROBLEMS[problem];
        if (problem === 'nul' && policies.jsonNul === 'reject') return JSONB_PROBLEMS.nul;
      }
      const from = out.length;
      out.writeUtf8(value);
      return checkSize(out, from, maxFieldBytes);
    },
};

/** A UUID of MariaDB, or 16 bytes. */
export const UUID_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType }) =>
    (bytes, start, end, { out }) => {
      const isBytes = end - start === 16;
      const hex = isBytes
        ? bytes.toString('hex', start, end)
        : bytes.toString('latin1', start, end).replaceAll('-', '').toLowerCase();
      if (!/^[0-9a-f]{32}$/.test(hex)) return mismatch(end - start, targetType);
      out.writeAscii(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
      return null;
    },
};

/** A PostgreSQL type of the user's wish, from the text of the value. */
export const CAST_ENCODER: MysqlEncoder = {
  compile: ({ targetType, maxFieldBytes }) => {
    const type = castType(targetType);
    if (type === null) throw new Error(`no cast to ${targetType}`);
    const encode = castEncoder(type, PLAIN_STYLE);
    return (bytes, start, end, { out }) => {
      if (end - start > maxFieldBytes) return tooLarge(end - start);
      const value = bytes.subarray(start, end);
      if (!isUtf8(value)) return INVALID_UTF8;
      if (value.includes(0)) return TEXT_NUL;
      const rendered = encode(value.toString('utf8'));
      if (typeof rendered !== 'string') return rendered;
      const from = out.length;
      out.writeUtf8(Buffer.from(rendered, 'utf8'));
      return checkSize(out, from, maxFieldBytes);
    };
  },
};

const SRID_FLAG = 0x20000000;

/**
 * `bytea` with EWKB: what PostGIS reads, were it there. The server's own form is four bytes of SRID, then WKB, whose x is the
 * longitude also where the SRID has the latitude first.
 */
export const GEOMETRY_ENCODER: MysqlEncoder = {
  compile:
    ({ targetType, maxFieldBytes }) =>
    (bytes, start, end, { out }) => {
      if ((end - start) * 2 + 3 > maxFieldBytes) return tooLarge(end - start);
      if (end - start < 9 || bytes[start + 4] !== 1) return mismatch(end - start, targetType);
      const srid = bytes.readUInt32LE(start);
      if (srid === 0) {
        out.writeBytea(bytes.subarray(start + 4, end));
        return null;
      }
      const ewkb = Buffer.alloc(end - start);
      ewkb[0] = 1;
      ewkb.writeUInt32LE((bytes.readUInt32LE(start + 5) | SRID_FLAG) >>> 0, 1);
      ewkb.writeUInt32LE(srid, 5);
      bytes.copy(ewkb, 9, start + 9, end);
      out.writeBytea(ewkb);
      return null;
    },
};
