import { parseDateText } from './date-text.ts';
import type { Expression } from './expression-parser.ts';
import { familyOf, parseDeclaredType, type DeclaredType, type Family } from './mysql-declared.ts';
import { quotePostgresName, quotePostgresText } from './sql-text.ts';

/** What an expression yields, as far as the rules differ by it. `other` can be asked for NULL and nothing else. */
export type Kind =
  | 'integer'
  | 'numeric'
  | 'double'
  | 'boolean'
  | 'text'
  | 'enum'
  | 'date'
  | 'timestamp'
  | 'bytea'
  | 'null'
  | 'other';

export type Literal = Extract<Expression, { kind: 'literal' }>;

/** How texts are compared, where it is byte by byte: `pad` takes `'a '` and `'a'` for equal. */
export interface TextRule {
  readonly pads: boolean;
  /** The order of the bytes is that of UTF-8. */
  readonly isOrdered: boolean;
}

/** An expression of PostgreSQL, with what is known of its values in the source. */
export interface Typed {
  readonly sql: string;
  readonly kind: Kind;
  readonly literal?: Literal;
  readonly column?: KnownColumn;
  /** Integers: the least and greatest value that there can be. */
  readonly range?: readonly [bigint, bigint];
  /** Integers and decimals: the source reckons without a sign, and refuses a negative result. */
  readonly unsigned?: boolean;
  /** Decimals: digits in all, digits after the point. */
  readonly digits?: readonly [number, number];
  /** Numbers: as text the source prints them in another way: BIT as bytes, YEAR and ZEROFILL with leading zeros. */
  readonly printsOtherwise?: boolean;
  /** Text: null = no rule that PostgreSQL shares; left out = the rule of what it is compared with. */
  readonly rule?: TextRule | null;
  /** Text: character set that holds all of its characters. */
  readonly charset?: string;
}

export interface ColumnType {
  readonly target: string;
  readonly targetType: string;
  readonly declaredType?: string;
  readonly collation?: string | null;
}

export interface KnownColumn extends ColumnType {
  readonly declared: DeclaredType;
  readonly family: Family;
}

export type Columns = Readonly<Record<string, ColumnType>>;

/** Thrown inside, caught where an expression is translated: the meaning would not surely be the same. */
export class NotSure extends Error {}

const UINT64_END = 2n ** 64n - 1n;
export const INT64: readonly [bigint, bigint] = [-(2n ** 63n), 2n ** 63n - 1n];
const INTEGER_BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  integer: 32n,
  bigint: 64n,
};

/** The values that a column of whole numbers can hold in the source. */
export function integerRange({ name, unsigned }: DeclaredType): readonly [bigint, bigint] {
  if (name === 'year') return [0n, 2155n];
  const bits = INTEGER_BITS[name] ?? 64n;
  return unsigned ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

export function findColumn(columns: Columns, name: string): KnownColumn {
  const names = Object.keys(columns);
  // Names of columns are compared without case.
  const key =
    names.find((candidate) => candidate === name) ??
    names.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const column = key === undefined ? undefined : columns[key];
  if (column === undefined) throw new NotSure();
  return knownColumn(column);
}

export function knownColumn(column: ColumnType): KnownColumn {
  const declared = parseDeclaredType(column.declaredType ?? '');
  return { ...column, declared, family: familyOf(declared) };
}

/** A column as a value. One whose type is not the natural one of its declaration (a cast) is `other`. */
export function columnValue(column: KnownColumn): Typed {
  const { targetType, family, declared } = column;
  const name = quotePostgresName(column.target);
  const other: Typed = { sql: name, kind: 'other', column };
  switch (family) {
    case 'integer':
    case 'year':
      return integerColumn(column, name) ?? other;
    case 'decimal': {
      const digits = numericDigits(targetType);
      return digits === null
        ? other
        : { sql: name, kind: 'numeric', column, digits, unsigned: declared.unsigned };
    }
    case 'float':
    case 'double':
      if (targetType === 'real')
        return { sql: `${name}::double precision`, kind: 'double', column };
      return targetType === 'double precision' ? { ...other, kind: 'double' } : other;
    case 'bit':
      return targetType === 'boolean'
        ? { ...other, kind: 'boolean', printsOtherwise: true }
        : other;
    case 'text':
      return isText(targetType)
        ? {
            ...other,
            kind: 'text',
            rule: textRule(column.collation),
            charset: charsetOf(column.collation),
          }
        : other;
    case 'enum':
      return isText(targetType) || targetType.startsWith('"') ? { ...other, kind: 'enum' } : other;
    case 'date':
      return targetType === 'date' ? { ...other, kind: 'date' } : other;
    case 'datetime':
      return /^timestamp(?:\(\d\))?$/.test(targetType) ? { ...other, kind: 'timestamp' } : other;
    case 'binary':
      return targetType === 'bytea' ? { ...other, kind: 'bytea' } : other;
    case 'timestamp':
    case 'time':
    case 'set':
    case 'json':
    case 'geometry':
    case 'uuid':
    case 'inet':
    case 'unknown':
      return other;
  }
}

function integerColumn(column: KnownColumn, sql: string): Typed | null {
  const { targetType, declared, family } = column;
  const printsOtherwise = declared.zerofill || family === 'year';
  const unsigned = declared.unsigned || family === 'year';
  const known = { sql, column, unsigned, printsOtherwise };
  const range = integerRange(declared);
  if (targetType === 'boolean') return { ...known, kind: 'boolean' };
  if (targetType === 'bigint') return { ...known, kind: 'integer', range };
  if (targetType === 'smallint' || targetType === 'integer')
    return { ...known, sql: `${sql}::bigint`, kind: 'integer', range };
  return targetType === 'numeric(20,0)' ? { ...known, kind: 'numeric', digits: [20, 0] } : null;
}

export function isText(targetType: string): boolean {
  return targetType === 'text' || targetType.startsWith('character varying');
}

export function numericDigits(targetType: string): readonly [number, number] | null {
  const match = /^numeric\((\d+),(\d+)\)$/.exec(targetType);
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

export function charsetOf(collation: string | null | undefined): string {
  const charset = (collation ?? '').split('_')[0] ?? '';
  return charset === 'utf8mb3' ? 'utf8' : charset;
}

function textRule(collation: string | null | undefined): TextRule | null {
  if (!collation?.endsWith('_bin')) return null;
  const isOrdered = ['utf8', 'utf8mb4', 'ascii'].includes(charsetOf(collation));
  return { pads: !/_nopad_|_0900_/.test(collation), isOrdered };
}

export function literalValue(literal: Literal): Typed {
  const { type, value } = literal;
  switch (type) {
    case 'integer': {
      const number = BigInt(value);
      if (number > UINT64_END) throw new NotSure();
      if (number > INT64[1])
        return { sql: value, kind: 'numeric', literal, digits: [20, 0], unsigned: true };
      return { sql: String(number), kind: 'integer', literal, range: [number, number] };
    }
    case 'real':
      return realValue(literal);
    case 'text':
      // PostgreSQL has no NUL; and MariaDB prints `????` for characters beyond the first 65,536.
      if (value.includes('\0') || value.includes('????')) throw new NotSure();
      return {
        sql: quotePostgresText(value),
        kind: 'text',
        literal,
        charset: /^[\0-\x7f]*$/.test(value) ? 'ascii' : 'utf8mb4',
      };
    case 'blob':
      if (value.startsWith('b')) throw new NotSure();
      return { sql: `'\\x${value}'::bytea`, kind: 'bytea', literal };
    case 'null':
      return { sql: 'NULL', kind: 'null', literal };
    case 'boolean':
      return { sql: value, kind: 'boolean', literal };
  }
}

/** A number with a point is a decimal, one with an exponent a double. */
function realValue(literal: Literal): Typed {
  const { value } = literal;
  if (/e/i.test(value)) return { sql: doubleLiteral(value), kind: 'double', literal };
  const [whole = '', fraction = ''] = value.split('.');
  const sql = `${whole === '' ? '0' : whole}.${fraction === '' ? '0' : fraction}`;
  return {
    sql,
    kind: 'numeric',
    literal,
    digits: [Math.max(whole.length, 1) + fraction.length, fraction.length],
  };
}

function doubleLiteral(text: string): string {
  if (!Number.isFinite(Number(text))) throw new NotSure();
  return `'${text}'::double precision`;
}

/** A whole number, decimal, double or truth as a number. */
export function asNumber(value: Typed): Typed {
  if (value.kind === 'boolean') {
    if (value.literal !== undefined) {
      const digit = value.sql === 'TRUE' ? '1' : '0';
      return literalValue({ kind: 'literal', type: 'integer', value: digit });
    }
    const { sql, printsOtherwise = false } = value;
    return { sql: `(${sql})::int::bigint`, kind: 'integer', range: [0n, 1n], printsOtherwise };
  }
  if (value.kind === 'integer' || value.kind === 'numeric' || value.kind === 'double') return value;
  throw new NotSure();
}

/** A column of decimals becomes a double in another way than in the source: not sure. */
export function asDouble(value: Typed): Typed {
  const number = asNumber(value);
  if (number.kind === 'double') return number;
  if (number.literal !== undefined)
    return { sql: doubleLiteral(number.literal.value), kind: 'double', literal: number.literal };
  if (number.kind === 'integer')
    return { sql: `(${number.sql})::double precision`, kind: 'double' };
  throw new NotSure();
}

/** Text, or a whole number or a column of decimals as its digits. */
export function asText(value: Typed): Typed {
  if (value.kind === 'text') return value;
  const number = asNumber(value);
  const isPrinted = number.kind === 'integer' || (number.kind === 'numeric' && number.column);
  if (!isPrinted || value.printsOtherwise) throw new NotSure();
  return { sql: `(${number.sql})::text`, kind: 'text', charset: 'ascii' };
}

/** A moment written as the source writes it itself. */
export function momentLiteral(value: Typed, kind: 'date' | 'timestamp'): Typed {
  const { literal } = value;
  if (literal?.type !== 'text') throw new NotSure();
  const pattern =
    kind === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?)?$/;
  const { form } = parseDateText(literal.value);
  if (!pattern.test(literal.value) || !form.startsWith('iso')) throw new NotSure();
  return { sql: `${kind === 'date' ? 'DATE' : 'TIMESTAMP'} ${value.sql}`, kind };
}

export function truth(sql: string): Typed {
  return { sql, kind: 'boolean' };
}

/** A character set that has the characters of all. */
export function commonCharset(values: readonly Typed[]): string {
  const charsets = new Set(values.map(({ charset }) => charset ?? ''));
  charsets.delete('ascii');
  const [only] = charsets;
  return charsets.size > 1 ? 'utf8mb4' : (only ?? 'ascii');
}

/** The value without what a literal or a column is known by. PostgreSQL would reckon small constants in 32 bits. */
export function notConstant(value: Typed): Typed {
  const known: { -readonly [Name in keyof Typed]: Typed[Name] } = { ...value };
  if (value.literal !== undefined && value.kind === 'integer') known.sql = `${value.sql}::bigint`;
  delete known.literal;
  delete known.column;
  return known;
}
