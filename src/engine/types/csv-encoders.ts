import { isUtf8 } from 'node:buffer';

import type { PlannedColumn, Policies, ReasonCode, SourceValue } from '../contract.ts';
import { castEncoder, castType, PLAIN_STYLE, type TextStyle } from './cast-encoder.ts';
import type { CopyBuffer } from './copy-text.ts';
import { decodeCp1252 } from './cp1252.ts';
import { CSV_ENCODERS, type CsvEncoderName } from './csv-decide.ts';
import { decideOnDate } from './text-dates-policy.ts';
import type { TextEncoder, TextProblem } from './text-problem.ts';

/** A text of a file: its bytes in UTF-8, or as they stand in the file where they are no valid text. */
export interface CsvValue {
  readonly bytes: Uint8Array;
  readonly isValid: boolean;
}

export interface CsvCellTarget {
  readonly out: CopyBuffer;
  /** Writes NULL, unless the column takes none. */
  readonly writeNull: () => TextProblem | null;
  /** Notes that the value is stored otherwise than the file has it. */
  readonly adjust: (rule: ReasonCode) => void;
}

/** How texts of one planned column are written. Where both ways write, they write the same bytes. */
export interface CsvColumnEncoder {
  /** Takes ASCII bytes as they stand in a buffer. False, with nothing written, where that does not do. */
  readonly fast: (source: Uint8Array, start: number, end: number, out: CopyBuffer) => boolean;
  readonly exact: (value: CsvValue, target: CsvCellTarget) => TextProblem | null;
}

const STYLES: Readonly<Record<CsvEncoderName, TextStyle>> = {
  plain: PLAIN_STYLE,
  decimalComma: { decimal: 'comma', dates: 'ymd' },
  dayFirst: { decimal: 'point', dates: 'dmy' },
  monthFirst: { decimal: 'point', dates: 'mdy' },
};

/** The style that a plan names. A plan of another version of the hub may name one that is not there. */
export function csvStyle({ encoder }: Pick<PlannedColumn, 'encoder'>): TextStyle {
  const name = CSV_ENCODERS.find((known) => known === encoder);
  if (name === undefined) throw new Error(`the CSV source has no encoder ${encoder}`);
  return STYLES[name];
}

/** `policies`: the job's, with the column's own in their place. */
export function csvColumnEncoder(column: PlannedColumn, policies: Policies): CsvColumnEncoder {
  const type = castType(column.targetType);
  if (type === null) throw new Error(`the CSV source cannot write ${column.targetType}`);
  const style = csvStyle(column);
  const encode = castEncoder(type, style);
  const isText = type.targetType === 'text';
  return {
    fast: isText ? FAST.text : fastWay(column, encode),
    exact: (value, target) => {
      const clean = cleanText(value, policies);
      if ('reasonCode' in clean) return clean;
      if (isText) {
        for (const rule of clean.rules) target.adjust(rule);
        target.out.writeUtf8(clean.bytes);
        return null;
      }
      const text = decodeUtf8(clean.bytes);
      const printed = encode(text);
      for (const rule of clean.rules) target.adjust(rule);
      if (typeof printed === 'string') return writeText(printed, target.out);
      const request = { text, order: style.dates, policies, encode };
      const outcome = decideOnDate(printed, request);
      if (outcome.kind === 'problem') return outcome.problem;
      target.adjust(outcome.rule);
      return outcome.kind === 'null' ? target.writeNull() : writeText(outcome.printed, target.out);
    },
  };
}

/** A value for a reject, in JSON: NUL is kept in bytes, as no JSON column of PostgreSQL takes it. */
export function csvSourceValue({ bytes, isValid }: CsvValue): SourceValue {
  return isValid && !bytes.includes(0)
    ? { type: 'text', value: decodeUtf8(bytes) }
    : { type: 'text', base64: toBuffer(bytes).toString('base64') };
}

/** The text that a mended value stands for; null = NULL. */
export function csvValueOf(value: SourceValue): CsvValue | null {
  if (value === null) return null;
  if ('value' in value) return { bytes: Buffer.from(value.value, 'utf8'), isValid: true };
  const bytes = Buffer.from(value.base64, 'base64');
  return { bytes, isValid: isUtf8(bytes) };
}

function writeText(printed: string, out: CopyBuffer): null {
  if (!out.tryWriteText(printed)) out.writeUtf8(Buffer.from(printed, 'utf8'));
  return null;
}

interface CleanText {
  readonly bytes: Uint8Array;
  readonly rules: readonly ReasonCode[];
}

const NO_RULES: readonly ReasonCode[] = [];

function cleanText({ bytes, isValid }: CsvValue, policies: Policies): CleanText | TextProblem {
  if (isValid && !bytes.includes(0)) return { bytes, rules: NO_RULES };
  const rules: ReasonCode[] = [];
  let clean = bytes;
  if (!isValid) {
    const decoded = policies.invalidUtf8 === 'cp1252' ? decodeCp1252(bytes) : null;
    if (decoded === null)
      return { reasonCode: 'INVALID_UTF8', message: 'The bytes of the text are no valid UTF-8' };
    clean = decoded;
    rules.push('INVALID_UTF8');
  }
  if (!clean.includes(0)) return { bytes: clean, rules };
  if (policies.nulCharacter === 'reject') {
    return {
      reasonCode: 'TEXT_NUL',
      message: 'The text holds a NUL character, which PostgreSQL cannot store',
    };
  }
  return { bytes: clean.filter((byte) => byte !== 0), rules: [...rules, 'TEXT_NUL'] };
}

function decodeUtf8(bytes: Uint8Array): string {
  return toBuffer(bytes).toString('utf8');
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Values that print as they stand byte by byte, others of ASCII by their text. */
function fastWay({ targetType, encoder }: PlannedColumn, encode: TextEncoder): FastWay {
  const direct = FAST[fastName({ targetType, encoder })];
  return (source, start, end, out) => {
    if (direct(source, start, end, out)) return true;
    if (end - start > MAX_FAST_TEXT || !isPlainAscii(source, start, end)) return false;
    const printed = encode(toBuffer(source).toString('latin1', start, end));
    return typeof printed === 'string' && out.tryWriteText(printed);
  };
}

function isPlainAscii(source: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = source[index] ?? 0;
    if (byte === 0 || byte >= 0x80) return false;
  }
  return true;
}

type FastWay = CsvColumnEncoder['fast'];

function fastName({
  targetType,
  encoder,
}: Pick<PlannedColumn, 'targetType' | 'encoder'>): keyof typeof FAST {
  if (targetType === 'date') return 'date';
  if (encoder !== 'plain') return 'none';
  if (targetType === 'bigint') return 'bigint';
  return targetType === 'numeric' ? 'numeric' : 'none';
}

const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
/** Any number of so many digits is a bigint, and any of them a numeric. */
const MAX_FAST_DIGITS = 18;
const MAX_FAST_TEXT = 256;

/** For the values that make up nearly all data: what is printed as it stands is copied byte by byte. */
const FAST = {
  none: () => false,
  text: (source, start, end, out) => {
    out.reserve(end - start);
    const { bytes } = out;
    let position = out.length;
    for (let index = start; index < end; index++) {
      const byte = source[index] ?? 0;
      if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH) return false;
      bytes[position++] = byte;
    }
    out.length = position;
    return true;
  },
  /** `2024-02-28`: a day that every month has, of a year that PostgreSQL has. */
  date: (source, start, end, out) => {
    if (end - start !== 10 || source[start + 4] !== MINUS || source[start + 7] !== MINUS)
      return false;
    const year = twoDigits(source, start) * 100 + twoDigits(source, start + 2);
    const month = twoDigits(source, start + 5);
    const day = twoDigits(source, start + 8);
    if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return false;
    copyAscii(source, start, end, out);
    return true;
  },
  bigint: (source, start, end, out) => {
    const digits = source[start] === MINUS ? start + 1 : start;
    const size = end - digits;
    // What begins with a zero is 0, or has to lose it.
    if (size < 1 || size > MAX_FAST_DIGITS || source[digits] === ZERO) return false;
    for (let index = digits; index < end; index++) {
      const byte = source[index] ?? 0;
      if (byte < ZERO || byte > NINE) return false;
    }
    copyAscii(source, start, end, out);
    return true;
  },
  numeric: (source, start, end, out) => {
    const digits = source[start] === MINUS ? start + 1 : start;
    const size = end - digits;
    const first = source[digits] ?? 0;
    if (size < 1 || size > MAX_FAST_DIGITS || first <= ZERO || first > NINE) return false;
    let points = 0;
    for (let index = digits; index < end; index++) {
      const byte = source[index] ?? 0;
      if (byte === POINT && index < end - 1) points++;
      else if (byte < ZERO || byte > NINE) return false;
    }
    if (points > 1) return false;
    copyAscii(source, start, end, out);
    return true;
  },
} as const satisfies Record<string, CsvColumnEncoder['fast']>;

/** NaN where they are none. */
function twoDigits(source: Uint8Array, at: number): number {
  const tens = source[at] ?? 0;
  const ones = source[at + 1] ?? 0;
  const areDigits = tens >= ZERO && tens <= NINE && ones >= ZERO && ones <= NINE;
  return areDigits ? (tens - ZERO) * 10 + (ones - ZERO) : NaN;
}

function copyAscii(source: Uint8Array, start: number, end: number, out: CopyBuffer): void {
  out.reserve(end - start);
  const { bytes } = out;
  let position = out.length;
  for (let index = start; index < end; index++) bytes[position++] = source[index] ?? 0;
  out.length = position;
}
