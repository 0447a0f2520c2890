import type { PlannedColumn, Policies } from '../contract.ts';
import { castType } from './cast-encoder.ts';
import { bitWidth, type Family } from './mysql-declared.ts';
import type { MysqlEncoderName } from './mysql-encoders.ts';
import {
  asUtf8,
  dateParts,
  IS_ENUM_ERROR,
  isDoubleEncoded,
  utf8Bytes,
  type SqlColumn,
} from './mysql-sql.ts';

/** What has to be done here to a field that the server's SQL cannot finish. */
export type CanonicalStep = 'none' | 'float8' | 'float4' | 'decimal' | 'jsonb';

/**
 * The second opinion on every value: what the server itself makes of it in SQL, beside the PostgreSQL expression that has to
 * give the same text. Nothing here is shared with the encoders, so a mistake there cannot hide here.
 *
 * Fields hold no character that COPY would escape: numbers in digits, text and bytes in hex, moments in days or
 * microseconds since 1970. Large values stand as `#` and their SHA-256.
 */
interface CanonicalPair {
  readonly source: (column: SqlColumn, policies: Policies) => string;
  readonly target: (column: string) => string;
  readonly step?: CanonicalStep;
}

/** From here on a text or its like is compared by its SHA-256. */
export const CANONICAL_HASH_BYTES = 262_144;

const DAY_ZERO = 719_528;

function hexOrHash(sql: string): string {
  return `CASE WHEN OCTET_LENGTH(${sql}) > ${String(CANONICAL_HASH_BYTES)} THEN CONCAT('#', SHA2(${sql}, 256)) ELSE LOWER(HEX(${sql})) END`;
}

function targetHexOrHash(bytes: string): string {
  return `CASE WHEN octet_length(${bytes}) > ${String(CANONICAL_HASH_BYTES)} THEN '#' || encode(sha256(${bytes}), 'hex') ELSE encode(${bytes}, 'hex') END`;
}

function targetTextHex(column: string): string {
  return targetHexOrHash(`convert_to(${column}::text, 'UTF8')`);
}

/** NULL where a policy makes it so, the moment of a policy where that replaces it. */
function dated({ sql }: SqlColumn, policies: Policies, rendered: (date: string) => string): string {
  const { isZero, isPartial, isInvalid } = dateParts(sql);
  const first = `CONCAT(LPAD(YEAR(${sql}), 4, '0'), '-', GREATEST(MONTH(${sql}), 1), '-', GREATEST(DAYOFMONTH(${sql}), 1))`;
  return `CASE WHEN ${isZero} THEN ${policies.zeroDate === 'sentinel' ? rendered("'0001-01-01'") : 'NULL'}
    WHEN ${isPartial} THEN ${policies.partialDate === 'first' ? rendered(first) : 'NULL'}
    WHEN ${isInvalid} THEN NULL ELSE ${rendered(sql)} END`;
}

function days(date: string): string {
  return `(TO_DAYS(${date}) - ${String(DAY_ZERO)})`;
}

function clock(sql: string): string {
  return `((HOUR(${sql}) * 3600 + MINUTE(${sql}) * 60 + SECOND(${sql})) * 1000000 + MICROSECOND(${sql}))`;
}

const MOMENT: CanonicalPair = {
  source: (column, policies) =>
    dated(column, policies, (date) => {
      // A sentinel has no time of day of its own.
      const time = date === "'0001-01-01'" ? '0' : clock(column.sql);
      return `${days(date)} * 86400000000 + ${time}`;
    }),
  target: epochMicroseconds,
};

function epochMicroseconds(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
}

const TIME_OF_DAY: CanonicalPair = {
  source: ({ sql }) => `IF(LEFT(CAST(${sql} AS CHAR), 1) = '-', -1, 1) * ${clock(sql)}`,
  target: epochMicroseconds,
};

const NUMBER: CanonicalPair = {
  source: ({ sql }) => `${sql} + 0`,
  target: (column) => `${column}::text`,
};

const TRUTH: CanonicalPair = {
  source: ({ sql }) => `${sql} + 0`,
  target: (column) => `${column}::int::text`,
};

function cleanBytes(column: SqlColumn, policies: Policies): string {
  const bytes =
    policies.doubleEncoding === 'repair'
      ? `CASE WHEN ${isDoubleEncoded(column)} THEN CAST(CONVERT(${asUtf8(column)} USING latin1) AS BINARY) ELSE ${utf8Bytes(column)} END`
      : null;
  if (policies.nulCharacter === 'strip')
    return `REPLACE(${bytes ?? utf8Bytes(column)}, x'00', x'')`;
  return bytes ?? asUtf8(column);
}

const PLAIN_TEXT: CanonicalPair = {
  source: (column) => hexOrHash(asUtf8(column)),
  target: targetTextHex,
};

const PAIRS: Readonly<Record<Exclude<MysqlEncoderName, 'cast'>, CanonicalPair>> = {
  whole: NUMBER,
  boolean: TRUTH,
  bitBoolean: TRUTH,
  bit: {
    source: ({ sql, declared }) => `LPAD(BIN(${sql} + 0), ${String(bitWidth(declared))}, '0')`,
    target: (column) => `${column}::text`,
  },
  numeric: {
    source: ({ sql, declared }) => (declared.zerofill ? `${sql} + 0` : sql),
    target: (column) => `trim_scale(${column})::text`,
    step: 'decimal',
  },
  real: {
    source: ({ sql }) => `${sql} * 1e0`,
    target: (column) => `encode(float4send(${column}), 'hex')`,
    step: 'float4',
  },
  double: {
    source: ({ sql }) => `${sql} * 1e0`,
    target: (column) => `encode(float8send(${column}), 'hex')`,
    step: 'float8',
  },
  date: {
    source: (column, policies) => dated(column, policies, days),
    target: (column) => `(${column} - DATE '1970-01-01')::text`,
  },
  timestamp: MOMENT,
  timestamptz: MOMENT,
  time: TIME_OF_DAY,
  interval: TIME_OF_DAY,
  text: {
    source: (column, policies) => hexOrHash(cleanBytes(column, policies)),
    target: targetTextHex,
  },
  enum: {
    source: (column) =>
      `CASE WHEN ${IS_ENUM_ERROR(column.sql)} THEN NULL ELSE ${hexOrHash(asUtf8(column))} END`,
    target: targetTextHex,
  },
  set: {
    source: (column) => hexOrHash(asUtf8(column)),
    target: (column) => targetHexOrHash(`convert_to(array_to_string(${column}, ','), 'UTF8')`),
  },
  json: PLAIN_TEXT,
  jsonb: { source: asUtf8, target: targetTextHex, step: 'jsonb' },
  uuid: {
    source: ({ sql, family }) =>
      family === 'binary' ? `LOWER(HEX(${sql}))` : `LOWER(REPLACE(CAST(${sql} AS CHAR), '-', ''))`,
    target: (column) => `replace(${column}::text, '-', '')`,
  },
  bytea: { source: ({ sql }) => hexOrHash(sql), target: targetHexOrHash },
  geometry: {
    source: ({ sql }) => hexOrHash(sql),
    target: (column) => targetHexOrHash(serverGeometry(column)),
  },
};

/** EWKB back into the server's own form: the SRID first, and no flag for it. */
function serverGeometry(column: string): string {
  const withSrid = `substr(${column}, 6, 4) || substr(${column}, 1, 4) || set_byte(substr(${column}, 5, 1), 0, get_byte(${column}, 4) & 223) || substr(${column}, 10)`;
  return `(CASE WHEN get_byte(${column}, 4) & 32 = 32 THEN ${withSrid} ELSE '\\x00000000'::bytea || ${column} END)`;
}

const WORDS_OF_TRUTH = "('true', 't', 'yes', 'y', 'on', '1')";

/** What a cast makes of the value's text, of the families for which the server can say it too. */
function castPair(targetType: string): CanonicalPair | null {
  const text = ({ sql }: SqlColumn): string => `CAST(${sql} AS CHAR)`;
  switch (castType(targetType)?.family) {
    case 'boolean':
      return {
        source: (column) => `LOWER(${text(column)}) IN ${WORDS_OF_TRUTH}`,
        target: TRUTH.target,
      };
    case 'integer':
      return {
        source: (column) => `CAST(${text(column)} AS DECIMAL(65, 0))`,
        target: NUMBER.target,
      };
    case 'numeric':
      return { source: text, target: PAIRS.numeric.target, step: 'decimal' };
    case 'float':
      return targetType === 'real'
        ? { source: text, target: PAIRS.real.target, step: 'float4' }
        : { source: text, target: PAIRS.double.target, step: 'float8' };
    case 'date':
      return { source: ({ sql }) => days(`DATE(${sql})`), target: PAIRS.date.target };
    case 'timestamp':
      return {
        source: ({ sql }) =>
          `${days(`DATE(${sql})`)} * 86400000000 + ${clock(`TIME(CAST(${sql} AS DATETIME(6)))`)}`,
        target: epochMicroseconds,
      };
    case 'uuid':
      return {
        source: (column) =>
          `LOWER(REPLACE(REPLACE(REPLACE(${text(column)}, '-', ''), '{', ''), '}', ''))`,
        target: PAIRS.uuid.target,
      };
    case 'string':
      return {
        source: (column) => hexOrHash(column.family === 'text' ? asUtf8(column) : text(column)),
        target: targetTextHex,
      };
    case 'bytea':
      return {
        source: (column) => `LOWER(SUBSTRING(${text(column)}, 3))`,
        target: (column) => `encode(${column}, 'hex')`,
      };
    case 'json':
      return PLAIN_TEXT;
    case 'inet':
    case 'interval':
    case 'jsonb':
    case 'time':
    case 'timestamptz':
    case undefined:
      return null;
  }
}

/** True where both servers can say what the cast makes of a value. */
export function canRenderCast(family: Family, targetType: string): boolean {
  return (
    family !== 'binary' &&
    family !== 'geometry' &&
    family !== 'bit' &&
    castPair(targetType) !== null
  );
}

/** SQL of the server for one field of the canonical rendering, and what is left to do to it here. */
export function canonicalSource(
  column: SqlColumn,
  { encoder, targetType }: Pick<PlannedColumn, 'encoder' | 'targetType'>,
  policies: Policies,
): { readonly sql: string; readonly step: CanonicalStep } {
  const pair = pairOf(encoder, targetType);
  return { sql: pair.source(column, policies), step: pair.step ?? 'none' };
}

/** SQL of PostgreSQL for the same field. */
export function canonicalTargetExpression(column: PlannedColumn): string {
  return pairOf(column.encoder, column.targetType).target(
    `"${column.target.replaceAll('"', '""')}"`,
  );
}

function pairOf(encoder: string, targetType: string): CanonicalPair {
  const pair = encoder === 'cast' ? castPair(targetType) : ownPair(encoder);
  if (pair === null) throw new Error(`the MySQL source has no canonical rendering for ${encoder}`);
  return pair;
}

function ownPair(encoder: string): CanonicalPair | null {
  return Object.hasOwn(PAIRS, encoder) ? PAIRS[encoder as Exclude<MysqlEncoderName, 'cast'>] : null;
}
