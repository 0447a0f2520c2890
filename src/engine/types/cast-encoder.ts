import { dateEncoder, momentEncoder, timeEncoder, type DateOrder } from './text-dates.ts';
import { encodeInet } from './text-inet.ts';
import { encodeInterval } from './text-interval.ts';
import {
  floatEncoder,
  integerEncoder,
  isIntegerType,
  numericEncoder,
  type DecimalSign,
} from './text-numbers.ts';
import type { TextEncoder } from './text-problem.ts';
import {
  encodeBoolean,
  encodeBytea,
  encodeJson,
  encodeJsonb,
  encodeUuid,
  stringEncoder,
} from './text-strings.ts';

/** How a text is to be read where its form leaves a choice. */
export interface TextStyle {
  readonly decimal: DecimalSign;
  readonly dates: DateOrder;
}

/** As PostgreSQL itself writes. */
export const PLAIN_STYLE: TextStyle = { decimal: 'point', dates: 'ymd' };

/** What the types of one family have in common, for whoever treats them alike. */
export type CastFamily =
  | 'boolean'
  | 'integer'
  | 'numeric'
  | 'float'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'time'
  | 'interval'
  | 'uuid'
  | 'string'
  | 'bytea'
  | 'json'
  | 'jsonb'
  | 'inet';

export interface CastType {
  readonly family: CastFamily;
  /** As in DDL, with its modifiers: `numeric(10,2)`, `varchar(20)`. */
  readonly targetType: string;
}

interface NamedType {
  readonly family: CastFamily;
  readonly name: string;
}

const NAMES: Readonly<Record<string, NamedType>> = {
  boolean: { family: 'boolean', name: 'boolean' },
  bool: { family: 'boolean', name: 'boolean' },
  smallint: { family: 'integer', name: 'smallint' },
  int2: { family: 'integer', name: 'smallint' },
  integer: { family: 'integer', name: 'integer' },
  int: { family: 'integer', name: 'integer' },
  int4: { family: 'integer', name: 'integer' },
  bigint: { family: 'integer', name: 'bigint' },
  int8: { family: 'integer', name: 'bigint' },
  numeric: { family: 'numeric', name: 'numeric' },
  decimal: { family: 'numeric', name: 'numeric' },
  real: { family: 'float', name: 'real' },
  float4: { family: 'float', name: 'real' },
  'double precision': { family: 'float', name: 'double precision' },
  float8: { family: 'float', name: 'double precision' },
  float: { family: 'float', name: 'double precision' },
  date: { family: 'date', name: 'date' },
  timestamp: { family: 'timestamp', name: 'timestamp' },
  'timestamp without time zone': { family: 'timestamp', name: 'timestamp' },
  timestamptz: { family: 'timestamptz', name: 'timestamptz' },
  'timestamp with time zone': { family: 'timestamptz', name: 'timestamptz' },
  time: { family: 'time', name: 'time' },
  'time without time zone': { family: 'time', name: 'time' },
  interval: { family: 'interval', name: 'interval' },
  uuid: { family: 'uuid', name: 'uuid' },
  text: { family: 'string', name: 'text' },
  varchar: { family: 'string', name: 'varchar' },
  'character varying': { family: 'string', name: 'varchar' },
  char: { family: 'string', name: 'char' },
  character: { family: 'string', name: 'char' },
  bytea: { family: 'bytea', name: 'bytea' },
  json: { family: 'json', name: 'json' },
  jsonb: { family: 'jsonb', name: 'jsonb' },
  inet: { family: 'inet', name: 'inet' },
};

const TYPE_NAME =
  /^([a-z][a-z0-9]*)\s*(?:\(\s*(\d{1,8})\s*(?:,\s*(\d{1,4})\s*)?\))?((?: [a-z]+)*)$/;
const MAX_STRING = 10_485_760;
const MAX_PRECISION = 1000;

/** A PostgreSQL type that text can be cast to, or null: of other types nobody here knows how they print. */
export function castType(typeName: string): CastType | null {
  const clean = typeName.trim().toLowerCase().replace(/\s+/g, ' ');
  // The modifier of `timestamp (3) with time zone` stands in the midst of the name.
  const spaced = /^(character varying|double precision)\s*(\(.*\))?$/.exec(clean);
  const match = TYPE_NAME.exec(spaced === null ? clean : `x${spaced[2] ?? ''}`);
  if (match === null) return null;
  const [, word = '', first, second, tail = ''] = match;
  const name = spaced?.[1] ?? `${word}${tail}`;
  const named = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  const modifier = named === undefined ? null : modifierOf(named, first, second);
  if (named === undefined || modifier === null) return null;
  return { family: named.family, targetType: `${named.name}${modifier}` };
}

/** `''` where there is none, null where the type cannot have it. */
function modifierOf(
  { family, name }: NamedType,
  first: string | undefined,
  second: string | undefined,
): string | null {
  // A bare `char` has one character.
  if (first === undefined) return name === 'char' ? '(1)' : '';
  const size = Number(first);
  switch (family) {
    case 'numeric': {
      const scale = Number(second ?? 0);
      return size >= 1 && size <= MAX_PRECISION && scale <= size
        ? `(${String(size)},${String(scale)})`
        : null;
    }
    case 'string':
      return name !== 'text' && second === undefined && size >= 1 && size <= MAX_STRING
        ? `(${String(size)})`
        : null;
    case 'timestamp':
    case 'timestamptz':
    case 'time':
      return second === undefined && size <= 6 ? `(${String(size)})` : null;
    case 'boolean':
    case 'integer':
    case 'float':
    case 'date':
    case 'interval':
    case 'uuid':
    case 'bytea':
    case 'json':
    case 'jsonb':
    case 'inet':
      return null;
  }
}

/** How texts become values of the type, each as PostgreSQL itself would print it. */
export function castEncoder({ family, targetType }: CastType, style: TextStyle): TextEncoder {
  switch (family) {
    case 'boolean':
      return encodeBoolean;
    case 'integer':
      return integerEncoder(isIntegerType(targetType) ? targetType : 'bigint', style.decimal);
    case 'numeric':
      return numericEncoder(targetType, style.decimal);
    case 'float':
      return floatEncoder(targetType === 'real' ? 'real' : 'double precision', style.decimal);
    case 'date':
      return dateEncoder(style.dates);
    case 'timestamp':
    case 'timestamptz':
      return momentEncoder(targetType, style.dates);
    case 'time':
      return timeEncoder(targetType);
    case 'interval':
      return encodeInterval;
    case 'uuid':
      return encodeUuid;
    case 'string':
      return stringEncoder(targetType);
    case 'bytea':
      return encodeBytea;
    case 'json':
      return encodeJson;
    case 'jsonb':
      return encodeJsonb;
    case 'inet':
      return encodeInet;
  }
}
