import type { PlannedColumn } from '../contract.ts';
import { canonicalSql, parseTypeName } from './postgres-types.ts';
import { partsOfName } from './postgres-tokens.ts';
import { quotePostgresName, quotePostgresText } from './sql-text.ts';

/**
 * How a column is selected.
 * `same`: as it is. `recast`: as the target's type, which takes every value. `hstore`: as jsonb. `validate`: as the type that the
 * user wishes, NULL where the value is none of that type. `match`: the same for servers before 16, which cannot tell by themselves.
 */
export const POSTGRES_ENCODERS = ['same', 'recast', 'hstore', 'validate', 'match'] as const;
export type PostgresEncoder = (typeof POSTGRES_ENCODERS)[number];

/** Marks columns of a source without an encoding (SQL_ASCII): their bytes may be no UTF-8, so each line is looked at. */
const CHECKED = '+utf8';

export function checked(encoder: PostgresEncoder): string {
  return encoder + CHECKED;
}

export function isChecked({ encoder }: Pick<PlannedColumn, 'encoder'>): boolean {
  return encoder.endsWith(CHECKED);
}

export function isValidated({ encoder }: Pick<PlannedColumn, 'encoder'>): boolean {
  return kindOf(encoder) === 'validate' || kindOf(encoder) === 'match';
}

type EncodedColumn = Pick<PlannedColumn, 'source' | 'declaredType' | 'targetType' | 'encoder'>;

/** SQL of the source that gives the value as the target will print it. */
export function sourceExpression(column: EncodedColumn): string {
  const name = quotePostgresName(column.source);
  switch (kindOf(column.encoder)) {
    case 'same':
      return name;
    case 'recast':
      return `${name}::${column.targetType}`;
    case 'hstore':
      return `${besideType(column.declaredType, 'hstore_to_jsonb')}(${name})`;
    case 'validate':
      return validated(column, name);
    case 'match':
      return matched(column, name);
  }
}

/** SQL of the source that renders the value for the independent comparison. */
export function canonicalSourceExpression(column: EncodedColumn, databaseEncoding: string): string {
  const asText = isChecked(column);
  return canonicalSql(column.targetType, sourceExpression(column), {
    asText,
    encoding: asText ? databaseEncoding : 'UTF8',
  });
}

/** The same of the target. */
export function canonicalTargetExpression(column: PlannedColumn): string {
  return canonicalSql(column.targetType, quotePostgresName(column.target), {
    asText: isChecked(column),
  });
}

function kindOf(encoder: string): PostgresEncoder {
  const name = encoder.replace(CHECKED, '');
  const kind = POSTGRES_ENCODERS.find((known) => known === name);
  if (kind === undefined) throw new Error(`unknown encoder ${encoder}`);
  return kind;
}

/** A function that an extension has made in the same schema as its type. */
function besideType(type: string, name: string): string {
  const [schema = ''] = partsOfName(type) ?? [];
  return `${quotePostgresName(schema)}.${quotePostgresName(name)}`;
}

function validated({ declaredType, targetType }: EncodedColumn, name: string): string {
  const from = parseTypeName(declaredType).base;
  const isDecimal = /^(?:numeric|real|double precision)$/.test(from);
  const toWhole = /^(?:smallint|integer|bigint)$/.test(targetType);
  // 1.0 is a whole number, but not as text. By way of text, since the cast of a float keeps 15 digits only.
  const text = isDecimal && toWhole ? `trim_scale(${name}::text::numeric)::text` : `${name}::text`;
  const value = `(${text})::${targetType}`;
  const exact = exactness(text, value, targetType);
  const stored = exact === null ? value : `CASE WHEN ${exact} THEN ${value} END`;
  return `CASE WHEN pg_input_is_valid(${text}, ${quotePostgresText(targetType)}) THEN ${stored} END`;
}

/** Texts that are of a type without doubt, for servers that cannot tell by themselves. */
const PATTERNS: Readonly<Record<string, string>> = {
  smallint: '^[-+]?[0-9]{1,18}$',
  integer: '^[-+]?[0-9]{1,18}$',
  bigint: '^[-+]?[0-9]{1,18}$',
  numeric: '^[-+]?[0-9]{1,255}([.][0-9]{0,255})?$',
  boolean: '^([tf01]|true|false|yes|no|on|off)$',
  uuid: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  'character varying': '',
};

const LIMITS: Readonly<Record<string, string>> = {
  smallint: '32767',
  integer: '2147483647',
  bigint: '999999999999999999',
};

/** Whether values of a type can be told from others by their text alone. */
export function canMatch(targetType: string): boolean {
  return Object.hasOwn(PATTERNS, parseTypeName(targetType).base);
}

function matched({ declaredType, targetType }: EncodedColumn, name: string): string {
  const { base, modifier } = parseTypeName(targetType);
  const from = parseTypeName(declaredType).base;
  const isDecimal = /^(?:numeric|real|double precision)$/.test(from);
  const text = isDecimal && Object.hasOwn(LIMITS, base) ? wholePart(name) : `${name}::text`;
  const value = `(${text})::${targetType}`;
  return `CASE WHEN ${text} ~ ${quotePostgresText(PATTERNS[base] ?? '')} THEN CASE WHEN ${fits(base, modifier, text)} THEN ${value} END END`;
}

/** Of NaN and infinity nothing: older servers have no numeric for them. */
function wholePart(name: string): string {
  const number = `${name}::text::numeric`;
  const whole = `CASE WHEN ${number} = trunc(${number}) THEN trunc(${number}) END`;
  return `(CASE WHEN ${name}::text ~ '[0-9]' THEN ${whole} END)::text`;
}

function fits(base: string, modifier: string, text: string): string {
  const limit = Object.hasOwn(LIMITS, base) ? LIMITS[base] : undefined;
  if (limit !== undefined) return `abs((${text})::numeric) <= ${limit}`;
  const [size = 0, scale = 0] = (modifier.match(/\d+/g) ?? []).map(Number);
  if (modifier === '') return 'true';
  if (base === 'character varying') return `char_length(${text}) <= ${String(size)}`;
  return `abs((${text})::numeric) < 1e${String(size - scale)} AND round((${text})::numeric, ${String(scale)}) = (${text})::numeric`;
}

/** PostgreSQL reads some texts by leaving out a part of them; null = not those of this type. */
function exactness(text: string, value: string, targetType: string): string | null {
  const { base, modifier } = parseTypeName(targetType);
  switch (base) {
    case 'real':
    case 'double precision':
      return `${value}::text::numeric = (${text})::numeric`;
    case 'numeric':
    case 'interval':
      return modifier === '' ? null : `${value} = (${text})::${base}`;
    case 'character':
    case 'character varying':
      return modifier === '' ? null : `char_length(${text}) <= ${modifier.slice(1, -1)}`;
    case 'date':
      return `(${text} !~ ':' OR ${text} ~ ' 00:00:00(\\.0+)?( BC)?$')`;
    case 'time without time zone':
    case 'time with time zone':
      return `${text} ~ '^\\s*\\d{1,2}:' AND ${value} = (${text})::${base}`;
    case 'timestamp without time zone':
      return `${text} !~ ':\\d\\d(\\.\\d+)?\\s*([-+]|[A-Za-z])' AND ${value} = (${text})::${base}`;
    case 'timestamp with time zone':
      return `${value} = (${text})::${base}`;
    default:
      return null;
  }
}
