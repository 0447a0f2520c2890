import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

import type { PlannedColumn, Policies } from '../contract.ts';
import { castType, type CastFamily } from './cast-encoder.ts';
import { canonicalJsonb } from './jsonb-canonical.ts';
import { quotePostgresName } from './sql-text.ts';

/**
 * The second opinion on every value: the text read anew, beside the PostgreSQL expression that has to give the same. Shares no code
 * with the encoders, only the names of types and styles. Never sees a value whose row was rejected.
 *
 * Null where a policy has made the value NULL.
 */
export type CanonicalField = (text: string) => string | null;

/** From here on a text is compared by its SHA-256. */
const HASH_BYTES = 262_144;

/** `encoder`: how the text is written; one that is none of the CSV source's = as PostgreSQL itself writes. */
type TextColumn = Pick<PlannedColumn, 'targetType' | 'encoder'>;

interface Pair {
  readonly source: (column: TextColumn, policies: Policies) => CanonicalField;
  readonly target: (column: string) => string;
}

const PAIRS: Readonly<Record<CastFamily, Pair>> = {
  string: {
    source:
      ({ targetType }, { nulCharacter }) =>
      (text) => {
        const clean = nulCharacter === 'strip' ? text.split('\0').join('') : text;
        return hexOfText(targetType.startsWith('char') ? clean.replace(/ +$/, '') : clean);
      },
    // Of a char(n) this leaves out the spaces at its end, which mean nothing.
    target: (column) => hexOrHash(`convert_to(${column}::text, 'UTF8')`),
  },
  json: {
    source: () => hexOfText,
    target: (column) => hexOrHash(`convert_to(${column}::text, 'UTF8')`),
  },
  jsonb: {
    source: () => (text) => hexOfText(canonicalJsonb(text) ?? '!'),
    target: (column) => hexOrHash(`convert_to(${column}::text, 'UTF8')`),
  },
  bytea: {
    source: () => (text) => hexOrDigest(Buffer.from(text.slice(2), 'hex')),
    target: hexOrHash,
  },
  boolean: {
    source: () => (text) => (/^(t|true|y|yes|on|1)$/i.test(text) ? '1' : '0'),
    target: (column) => `${column}::int::text`,
  },
  integer: {
    source:
      ({ encoder }) =>
      (text) =>
        trimmedDecimal(text, encoder),
    target: (column) => `${column}::text`,
  },
  numeric: {
    source:
      ({ encoder }) =>
      (text) =>
        trimmedDecimal(text, encoder),
    target: (column) => `trim_scale(${column})::text`,
  },
  float: {
    source:
      ({ encoder, targetType }) =>
      (text) => {
        const value = Number(floatText(text, encoder));
        const bytes = Buffer.alloc(targetType === 'real' ? 4 : 8);
        if (targetType === 'real') bytes.writeFloatBE(value);
        else bytes.writeDoubleBE(value);
        return Number.isNaN(value) ? 'NaN' : bytes.toString('hex');
      },
    target: (column) =>
      `CASE WHEN ${column} = 'NaN' THEN 'NaN' ELSE encode(CASE WHEN pg_typeof(${column}) = 'real'::regtype THEN float4send(${column}::real) ELSE float8send(${column}::float8) END, 'hex') END`,
  },
  date: {
    source: (column, policies) => (text) => {
      const moment = readMoment(text, column, policies);
      return moment === null ? null : String(moment / MICROSECONDS_A_DAY);
    },
    target: (column) => `(${column} - DATE '1970-01-01')::text`,
  },
  timestamp: { source: momentField, target: epochMicroseconds },
  timestamptz: { source: momentField, target: epochMicroseconds },
  time: { source: () => (text) => String(clockMicroseconds(text)), target: epochMicroseconds },
  interval: {
    source: () => intervalParts,
    target: (column) =>
      `(extract(year FROM ${column}) * 12 + extract(month FROM ${column}))::bigint || ',' || extract(day FROM ${column})::bigint || ',' || (extract(hour FROM ${column}) * 3600000000 + extract(minute FROM ${column}) * 60000000 + extract(microseconds FROM ${column}))::bigint`,
  },
  uuid: {
    source: () => (text) => text.replaceAll(/[^0-9a-f]/gi, '').toLowerCase(),
    target: (column) => `replace(${column}::text, '-', '')`,
  },
  inet: { source: () => inetBytes, target: (column) => `encode(inet_send(${column}), 'hex')` },
};

/** How the texts of a column are rendered. `policies`: with the column's own. */
export function canonicalField(column: TextColumn, policies: Policies): CanonicalField {
  return pairOf(column).source(column, policies);
}

/** SQL of PostgreSQL for the same field. */
export function canonicalTargetExpression(column: PlannedColumn): string {
  return pairOf(column).target(quotePostgresName(column.target));
}

function pairOf({ targetType }: TextColumn): Pair {
  const type = castType(targetType);
  if (type === null) throw new Error(`the CSV source has no canonical rendering of ${targetType}`);
  return PAIRS[type.family];
}

function hexOfText(text: string): string {
  return hexOrDigest(Buffer.from(text, 'utf8'));
}

function hexOrDigest(bytes: Buffer): string {
  return bytes.length > HASH_BYTES
    ? `#${createHash('sha256').update(bytes).digest('hex')}`
    : bytes.toString('hex');
}

function hexOrHash(bytes: string): string {
  return `CASE WHEN octet_length(${bytes}) > ${String(HASH_BYTES)} THEN '#' || encode(sha256(${bytes}), 'hex') ELSE encode(${bytes}, 'hex') END`;
}

/** Without the signs that group digits, with a point before the fraction. */
function withPoint(text: string, encoder: string): string {
  return encoder === 'decimalComma'
    ? text.split('.').join('').replace(',', '.')
    : text.split(',').join('');
}

function floatText(text: string, encoder: string): string {
  const special = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (special !== null) return `${special[1] ?? ''}Infinity`;
  return /^nan$/i.test(text) ? 'NaN' : withPoint(text, encoder);
}

/** Digits without exponent and without needless zeros, as `trim_scale` leaves them. */
function trimmedDecimal(text: string, encoder: string): string {
  const [mantissa = '', exponent = '0'] = withPoint(text, encoder).toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  let places = fraction.length - Number(exponent);
  let digits = BigInt(`${whole}${fraction}`);
  if (places < 0) {
    digits *= 10n ** BigInt(-places);
    places = 0;
  }
  const padded = digits.toString().padStart(places + 1, '0');
  const [before, after] = [
    padded.slice(0, padded.length - places),
    padded.slice(padded.length - places),
  ];
  const rest = after.replace(/0+$/, '');
  const minus = mantissa.startsWith('-') && digits !== 0n ? '-' : '';
  return `${minus}${before}${rest === '' ? '' : `.${rest}`}`;
}

const MICROSECONDS_A_DAY = 86_400_000_000n;
const DATE_AND_TIME = /^(\d+)[./-](\d+)[./-](\d+)(?:[ T](.*))?$/;
const ZONE = /(Z|[+-]\d\d(?::?\d\d)?)$/;

function momentField(column: TextColumn, policies: Policies): CanonicalField {
  return (text) => {
    const moment = readMoment(text, column, policies);
    return moment === null ? null : String(moment);
  };
}

/** Microseconds since 1970 in UTC; null where a policy has made it NULL. */
function readMoment(
  text: string,
  { encoder }: TextColumn,
  { zeroDate, partialDate }: Policies,
): bigint | null {
  const [, first = '', second = '', third = '', rest = ''] = DATE_AND_TIME.exec(text) ?? [];
  if (first === '') return null;
  const [year, month, day] =
    first.length === 4
      ? [first, second, third]
      : encoder === 'monthFirst'
        ? [third, first, second]
        : [third, second, first];
  const isZero = [year, month, day].every((part) => Number(part) === 0);
  if (isZero) return zeroDate === 'sentinel' ? utcDay(1, 1, 1) : null;
  const isPartial = Number(month) === 0 || Number(day) === 0;
  if (isPartial && partialDate !== 'first') return null;
  const midnight = utcDay(Number(year), Number(month) || 1, isPartial ? 1 : Number(day));
  if (midnight === null) return null;
  const zone = rest.includes(':') ? (ZONE.exec(rest)?.[1] ?? '') : '';
  const clock = rest.slice(0, rest.length - zone.length);
  return midnight + (clock === '' ? 0n : clockMicroseconds(clock)) - zoneMicroseconds(zone);
}

/** Null where the calendar has no such day. */
function utcDay(year: number, month: number, day: number): bigint | null {
  const iso = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  const time = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(iso)) return null;
  return BigInt(time) * 1000n;
}

function clockMicroseconds(clock: string): bigint {
  const [hours = '0', minutes = '0', seconds = '0'] = clock.split(':');
  const [whole = '0', fraction = ''] = seconds.split('.');
  const total = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(whole);
  return total * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

function zoneMicroseconds(zone: string): bigint {
  if (zone === '' || zone === 'Z') return 0n;
  const digits = zone.replace(/\D/g, '').padEnd(4, '0');
  const minutes = BigInt(digits.slice(0, 2)) * 60n + BigInt(digits.slice(2));
  return minutes * 60_000_000n * (zone.startsWith('-') ? -1n : 1n);
}

/** Months, days and microseconds. */
function intervalParts(text: string): string {
  const isIso = text.startsWith('P');
  const [date = '', time = ''] = isIso ? text.split('T') : [text, ''];
  const sumOf = (part: string, unit: RegExp): bigint => BigInt(unit.exec(part)?.[1] ?? 0);
  const months = isIso
    ? sumOf(date, /(-?\d+)Y/) * 12n + sumOf(date, /(-?\d+)M/)
    : sumOf(date, /([+-]?\d+) year/) * 12n + sumOf(date, /([+-]?\d+) mon/);
  const days = isIso
    ? sumOf(date, /(-?\d+)W/) * 7n + sumOf(date, /(-?\d+)D/)
    : sumOf(date, /([+-]?\d+) day/);
  const clock = isIso ? isoClock(time) : postgresClock(text);
  return [months, days, clock].map(String).join(',');
}

function isoClock(time: string): bigint {
  const [, sign = '', seconds = '0', fraction = ''] = /(-?)(\d+)(?:\.(\d+))?S/.exec(time) ?? [];
  const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  const hours = BigInt(/(-?\d+)H/.exec(time)?.[1] ?? 0);
  const minutes = BigInt(/(-?\d+)M/.exec(time)?.[1] ?? 0);
  return (hours * 3600n + minutes * 60n) * 1_000_000n + (sign === '-' ? -micros : micros);
}

function postgresClock(text: string): bigint {
  const [, sign = '', clock = ''] = /(?:^| )([+-]?)(\d+:[\d:.]+)$/.exec(text) ?? [];
  if (clock === '') return 0n;
  return clockMicroseconds(clock) * (sign === '-' ? -1n : 1n);
}

function epochMicroseconds(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
}

/** As `inet_send` has it: family, length of the network, no cidr, length of the address, address. */
function inetBytes(text: string): string {
  const [address = '', bits] = text.split('/');
  const isSix = isIPv6(address);
  const bytes = isSix ? sixteenBytes(address) : address.split('.').map(Number);
  const length = bits === undefined ? bytes.length * 8 : Number(bits);
  return Buffer.from([isSix ? 3 : 2, length, 0, bytes.length, ...bytes]).toString('hex');
}

/** The runtime's URL parser spells an address in one way only. */
function sixteenBytes(address: string): number[] {
  const spelled = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [before = '', after] = spelled.split('::');
  const head = before.split(':').filter((word) => word !== '');
  const tail = (after ?? '').split(':').filter((word) => word !== '');
  const zeros = Array<string>(after === undefined ? 0 : 8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].flatMap((word) => {
    const value = parseInt(word, 16);
    return [value >> 8, value & 255];
  });
}
