import type { PlannedColumn, Policies } from '../contract.ts';
import { castType } from './cast-encoder.ts';
import { canonicalTargetExpression as castTarget } from './csv-canonical.ts';
import { quotePostgresText } from './sql-text.ts';
import type { SqliteEncoderName } from './sqlite-encoders.ts';

/**
 * The second opinion on every value: what SQLite itself makes of it in SQL, beside the PostgreSQL expression that has to
 * give the same text. Nothing here is shared with the encoders, so a mistake there cannot hide here.
 *
 * Fields hold no character that COPY would escape: numbers in digits, text and bytes in hex, moments in days or
 * microseconds since 1970. Large values stand as `#` and their SHA-256.
 */
interface CanonicalPair {
  /** `column` is SQL of SQLite; the functions `hub_…` are `CANONICAL_FUNCTIONS` of the thread. */
  readonly source: (column: string, policies: Policies) => string;
  readonly target: (column: string) => string;
}

/** From here on a text or blob is compared by its SHA-256. */
export const CANONICAL_HASH_BYTES = 262_144;

const WHOLE: CanonicalPair = {
  // A real that is a whole number is stored as one.
  source: (column) => `CAST(CAST(${column} AS INTEGER) AS TEXT)`,
  target: (column) => `${column}::text`,
};

const DAY_ZERO = 2_440_587.5;

/** Microseconds since 1970 of ISO text: SQLite's own clock for the seconds, the fraction by its digits. */
function microsecondsOfText(column: string): string {
  const zone = `CASE WHEN ${column} LIKE '%Z' THEN 'Z' WHEN length(${column}) > 16 AND substr(${column}, -6, 1) IN ('+', '-') THEN substr(${column}, -6) ELSE '' END`;
  const point = `instr(${column}, '.')`;
  const whole = `CASE WHEN ${point} = 0 THEN unixepoch(${column}) ELSE unixepoch(substr(${column}, 1, ${point} - 1) || ${zone}) END`;
  const fraction = `CASE WHEN ${point} = 0 THEN 0 ELSE CAST(substr(rtrim(substr(${column}, ${point} + 1, length(${column}) - ${point} - length(${zone})), ' ') || '000000', 1, 6) AS INTEGER) END`;
  return `(${whole}) * 1000000 + (${fraction})`;
}

/** 0001-01-01 and the end of 9999-12-31. */
const FIRST_MICROSECOND = '-62135596800000000';
const LAST_MICROSECOND = '253402300799999999';

/**
 * Text that SQLite's clock can read and that is on the calendar: it takes February 30 for March 2, lets spaces stand
 * almost anywhere, and counts hours up to 24.
 */
function isOnCalendar(column: string): string {
  const isStrict = `length(${column}) <> 11 AND substr(${column}, 11, 1) IN ('', ' ', 'T') AND substr(${column}, 12) NOT GLOB '*[^0-9:.Z+-]*' AND substr(${column}, 12, 2) < '24'`;
  const isDay = `date(substr(${column}, 1, 10)) = substr(${column}, 1, 10)`;
  const isInYears = `unixepoch(${column}) * 1000000 BETWEEN ${FIRST_MICROSECOND} AND ${LAST_MICROSECOND}`;
  return `typeof(${column}) = 'text' AND ${isStrict} AND ${isDay} AND ${isInYears}`;
}

/** The same for any ISO text, with a short cut for the usual form: what SQLite prints again as it is, it has understood. */
function timestampSource(column: string): string {
  const usual = `CASE WHEN length(${column}) = 19 THEN datetime(${column}) = replace(${column}, 'T', ' ') END`;
  return `CASE WHEN ${usual} THEN CAST(unixepoch(${column}) * 1000000 AS TEXT) ELSE ${dated(microsecondsOfText(column), isOnCalendar(column))} END`;
}

/** NULL where a policy has made it so. */
function dated(rendered: string, isMoment: string): string {
  return `CASE WHEN ${isMoment} THEN CAST(${rendered} AS TEXT) END`;
}

function isoPair(
  rendered: (column: string) => string,
  target: CanonicalPair['target'],
): CanonicalPair {
  return { source: (column) => dated(rendered(column), isOnCalendar(column)), target };
}

/** Numbers of one unit; NULL where they name no moment of the years 1 to 9999. */
function numberPair(
  isUnit: (column: string) => string,
  rendered: (column: string) => string,
): CanonicalPair {
  return {
    source: (column) => {
      const moment = rendered(column);
      const isMoment = `CASE WHEN typeof(${column}) IN ('integer', 'real') AND ${isUnit(column)} THEN ${moment} BETWEEN ${FIRST_MICROSECOND} AND ${LAST_MICROSECOND} END`;
      return dated(moment, isMoment);
    },
    target: epochMicroseconds,
  };
}

/** A whole number that does not overflow when it is multiplied. */
function isWholeNumber(column: string): string {
  return `${column} BETWEEN -1000000000000000 AND 1000000000000000 AND ${column} = CAST(${column} AS INTEGER)`;
}

function isSecondNumber(column: string): string {
  return `${isWholeNumber(column)} AND abs(${column}) < 1000000000000`;
}

function isDayNumber(column: string): string {
  return `${column} BETWEEN 0 AND 10000000`;
}

function epochMicroseconds(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
}

function julianMicroseconds(column: string): string {
  return `(CAST(floor(${column} * 86400000.0 + 0.5) AS INTEGER) - 210866760000000) * 1000`;
}

function mixedSource(column: string): string {
  return `CASE
    WHEN ${isOnCalendar(column)} THEN CAST(${microsecondsOfText(column)} AS TEXT)
    WHEN typeof(${column}) = 'integer' AND ${column} >= 100000000 AND ${column} < 10000000000 THEN CAST(${column} * 1000000 AS TEXT)
    WHEN typeof(${column}) = 'integer' AND ${column} >= 100000000000 AND ${column} < 10000000000000 THEN CAST(${column} * 1000 AS TEXT)
    WHEN typeof(${column}) = 'real' AND ${column} >= 1721425.5 AND ${column} < 5373484.5 THEN CAST(${julianMicroseconds(column)} AS TEXT)
  END`;
}

/** The bytes of a value as PostgreSQL has to hold them, in hex or by their hash. */
function bytesInHex(column: string): string {
  return `CASE WHEN ${column} IS NULL THEN NULL WHEN octet_length(${column}) > ${String(CANONICAL_HASH_BYTES)} THEN '#' || hub_sha256(${column}) ELSE lower(hex(${column})) END`;
}

function hexOrHash(bytes: string): string {
  return `CASE WHEN octet_length(${bytes}) > ${String(CANONICAL_HASH_BYTES)} THEN '#' || encode(sha256(${bytes}), 'hex') ELSE encode(${bytes}, 'hex') END`;
}

/**
 * Text whose bytes in the file are those that PostgreSQL has to hold. Only a policy that changes text makes it necessary
 * to look for what it changes: without one, the row of such a text has been rejected.
 */
function plainText(column: string, policies: Policies): string {
  const conditions = [
    'hub_is_utf8()',
    `octet_length(${column}) <= ${String(CANONICAL_HASH_BYTES)}`,
    ...(policies.nulCharacter === 'strip' ? [`instr(${column}, char(0)) = 0`] : []),
    ...(policies.invalidUtf8 === 'cp1252'
      ? [`CAST(${column} AS TEXT) NOT GLOB '*[^\u0001-\u007f]*'`]
      : []),
  ];
  return conditions.join(' AND ');
}

const PAIRS: Readonly<Record<Exclude<SqliteEncoderName, 'cast'>, CanonicalPair>> = {
  bigint: WHOLE,
  integer: WHOLE,
  smallint: WHOLE,
  double: {
    source: (column) =>
      `CASE WHEN ${column} IS NOT NULL THEN hub_float8(CAST(${column} AS REAL)) END`,
    target: (column) => `encode(float8send(${column}), 'hex')`,
  },
  numeric: {
    source: (column) =>
      `CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS TEXT) WHEN 'null' THEN NULL ELSE hub_decimal(${column}) END`,
    target: (column) => `trim_scale(${column})::text`,
  },
  boolean: {
    source: (column) =>
      `CASE WHEN typeof(${column}) = 'text' THEN CAST(lower(${column}) IN ('true', 't') AS TEXT) ELSE CAST(CAST(${column} AS INTEGER) AS TEXT) END`,
    target: (column) => `${column}::int::text`,
  },
  text: {
    source: (column, policies) => {
      const clean = `hub_clean_text(CAST(${column} AS BLOB), typeof(${column}), '${policies.invalidUtf8}', '${policies.nulCharacter}')`;
      const plain = plainText(column, policies);
      return `CASE WHEN ${column} IS NULL THEN NULL WHEN ${plain} THEN lower(hex(CAST(${column} AS TEXT))) ELSE ${clean} END`;
    },
    target: (column) => hexOrHash(`convert_to(${column}, 'UTF8')`),
  },
  bytea: {
    source: (column) =>
      `CASE WHEN typeof(${column}) = 'text' THEN hub_clean_text(CAST(${column} AS BLOB), 'text', 'keep', 'keep') ELSE ${bytesInHex(column)} END`,
    target: hexOrHash,
  },
  date: isoPair(
    (column) => `CAST(julianday(substr(${column}, 1, 10)) - ${String(DAY_ZERO)} AS INTEGER)`,
    (column) => `(${column} - DATE '1970-01-01')::text`,
  ),
  timestamp: { source: timestampSource, target: epochMicroseconds },
  timestamptz: isoPair(microsecondsOfText, epochMicroseconds),
  time: {
    source: (column) =>
      dated(
        // A time alone is a time on 2000-01-01 to SQLite.
        `${microsecondsOfText(`('2000-01-01 ' || ${column})`)} - 946684800000000`,
        `typeof(${column}) = 'text' AND ${column} LIKE '__:__%' AND ${column} < '24' AND ${column} NOT GLOB '*[^0-9:.]*' AND unixepoch(${column}) IS NOT NULL`,
      ),
    target: epochMicroseconds,
  },
  timestamptzFromSeconds: numberPair(
    isSecondNumber,
    (column) => `CAST(${column} AS INTEGER) * 1000000`,
  ),
  timestamptzFromMilliseconds: numberPair(
    isWholeNumber,
    (column) => `CAST(${column} AS INTEGER) * 1000`,
  ),
  timestampFromJulianDay: numberPair(isDayNumber, julianMicroseconds),
  mixedTimestamp: { source: mixedSource, target: epochMicroseconds },
  mixedTimestamptz: { source: mixedSource, target: epochMicroseconds },
};

/** Encoders whose fields are moments; `date` counts days, the others microseconds. */
const MOMENT_ENCODERS: ReadonlySet<string> = new Set<SqliteEncoderName>([
  'date',
  'timestamp',
  'timestamptz',
  'timestamptzFromSeconds',
  'timestamptzFromMilliseconds',
  'timestampFromJulianDay',
  'mixedTimestamp',
  'mixedTimestamptz',
]);

/** What a policy puts in the place of a date with zeros in it; all else as `rendered`. */
function withReplacedDates(
  encoder: string,
  column: string,
  { policies, rendered }: { readonly policies: Policies; readonly rendered: string },
): string {
  if (!MOMENT_ENCODERS.has(encoder)) return rendered;
  const hasZeros = `typeof(${column}) = 'text' AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND '00' IN (substr(${column}, 6, 2), substr(${column}, 9, 2)) AND ${isOnCalendar(`('2000-01-01' || substr(${column}, 11))`)}`;
  const isZero = `substr(${column}, 1, 4) = '0000'`;
  const month = `CASE substr(${column}, 6, 2) WHEN '00' THEN '01' ELSE substr(${column}, 6, 2) END`;
  const first = `(substr(${column}, 1, 5) || ${month} || '-01' || substr(${column}, 11))`;
  const moment = (text: string): string =>
    encoder === 'date'
      ? PAIRS.date.source(text, policies)
      : PAIRS.timestamptz.source(text, policies);
  return [
    'CASE',
    ...(policies.zeroDate === 'sentinel'
      ? [`WHEN ${hasZeros} AND ${isZero} THEN ${moment(`'0001-01-01'`)}`]
      : []),
    ...(policies.partialDate === 'first'
      ? [`WHEN ${hasZeros} AND NOT ${isZero} THEN ${moment(first)}`]
      : []),
    `ELSE ${rendered} END`,
  ].join(' ');
}

/** What the thread's JavaScript makes of the value's text, as for a CSV file; reals that become text as SQLite writes them. */
function castSource(targetType: string, column: string, policies: Policies): string {
  const isText = castType(targetType)?.family === 'string';
  const real = isText ? '' : `WHEN 'real' THEN ${column} `;
  const value = `CASE typeof(${column}) ${real}WHEN 'null' THEN NULL ELSE CAST(${column} AS BLOB) END`;
  const cast = `hub_cast(${value}, ${quotePostgresText(targetType)}, '${policies.invalidUtf8}', '${policies.nulCharacter}')`;
  // The row of a blob has been rejected, and is left out after it was rendered.
  return `CASE typeof(${column}) WHEN 'null' THEN NULL WHEN 'blob' THEN '!' ELSE ${cast} END`;
}

/** SQL of SQLite for one field of the canonical rendering. `column` is SQL too. */
export function canonicalSourceExpression(
  { encoder, targetType }: Pick<PlannedColumn, 'encoder' | 'targetType'>,
  column: string,
  policies: Policies,
): string {
  if (encoder === 'cast') return castSource(targetType, column, policies);
  const rendered = pairOf(encoder).source(column, policies);
  const replaces = policies.zeroDate === 'sentinel' || policies.partialDate === 'first';
  return replaces ? withReplacedDates(encoder, column, { policies, rendered }) : rendered;
}

/** SQL of PostgreSQL for the same field. */
export function canonicalTargetExpression(column: PlannedColumn): string {
  if (column.encoder === 'cast') return castTarget(column);
  return pairOf(column.encoder).target(`"${column.target.replaceAll('"', '""')}"`);
}

function pairOf(encoder: string): CanonicalPair {
  if (!Object.hasOwn(PAIRS, encoder))
    throw new Error(`the SQLite source has no canonical rendering for ${encoder}`);
  return PAIRS[encoder as keyof typeof PAIRS];
}
