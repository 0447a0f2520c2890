/** A type of PostgreSQL as `format_type` writes it, taken apart: `timestamp(6) without time zone[]`. */
export interface TypeName {
  /** Without modifier and brackets: `timestamp without time zone`. */
  readonly base: string;
  /** `(6)`, or nothing. */
  readonly modifier: string;
  readonly isArray: boolean;
}

export function parseTypeName(type: string): TypeName {
  const isArray = type.endsWith('[]');
  const element = type.replace(/(?:\[\])+$/, '');
  const modifier = /\([^()]*\)/.exec(element)?.[0] ?? '';
  const base = element.replace(modifier, '').replace(/ {2,}/, ' ').trim();
  // `interval day to second` holds less than `interval`, and is written alike.
  return { base: base.startsWith('interval ') ? 'interval' : base, modifier, isArray };
}

/**
 * Types that every PostgreSQL from 12 on has and prints alike, with the function that gives their binary form; null = there is
 * none that two servers share. What is not here is the source's own, or means something on its own server only.
 */
const SEND_FUNCTIONS: Readonly<Record<string, string | null>> = {
  '"char"': null,
  bigint: null,
  bit: 'bit_send',
  'bit varying': 'varbit_send',
  boolean: 'boolsend',
  box: 'box_send',
  bytea: 'byteasend',
  // As text it would lose the spaces at its end, which are part of what COPY prints.
  character: 'bpcharsend',
  'character varying': null,
  cid: null,
  cidr: 'cidr_send',
  circle: 'circle_send',
  date: 'date_send',
  datemultirange: 'multirange_send',
  daterange: 'range_send',
  'double precision': 'float8send',
  inet: 'inet_send',
  int4multirange: 'multirange_send',
  int4range: 'range_send',
  int8multirange: 'multirange_send',
  int8range: 'range_send',
  integer: null,
  interval: 'interval_send',
  json: null,
  jsonb: null,
  jsonpath: null,
  line: 'line_send',
  lseg: 'lseg_send',
  macaddr: 'macaddr_send',
  macaddr8: 'macaddr8_send',
  name: null,
  numeric: 'numeric_send',
  nummultirange: 'multirange_send',
  numrange: 'range_send',
  oid: null,
  path: 'path_send',
  pg_lsn: 'pg_lsn_send',
  pg_snapshot: null,
  point: 'point_send',
  polygon: 'poly_send',
  real: 'float4send',
  refcursor: null,
  smallint: null,
  text: null,
  tid: null,
  'time with time zone': 'timetz_send',
  'time without time zone': 'time_send',
  'timestamp with time zone': 'timestamptz_send',
  'timestamp without time zone': 'timestamp_send',
  tsmultirange: 'multirange_send',
  tsquery: 'tsquerysend',
  tsrange: 'range_send',
  tstzmultirange: 'multirange_send',
  tstzrange: 'range_send',
  tsvector: 'tsvectorsend',
  txid_snapshot: null,
  uuid: null,
  xid: null,
  xid8: null,
  xml: null,
};

export function isCarriedOver({ base }: TypeName): boolean {
  return Object.hasOwn(SEND_FUNCTIONS, base);
}

/** The oldest PostgreSQL that has the type, where it is not as old as all that are supported. */
const SINCE: Readonly<Record<string, number>> = { pg_snapshot: 13, xid8: 13 };

export function requiredVersion({ base, modifier }: TypeName): number | null {
  if (base.endsWith('multirange')) return 14;
  if (base === 'numeric') {
    const [precision = 0, scale = 0] = (modifier.match(/-?\d+/g) ?? []).map(Number);
    return scale < 0 || (modifier !== '' && scale > precision) ? 15 : null;
  }
  return SINCE[base] ?? null;
}

/** Types whose values are text of any characters, so that a source without an encoding can hold any bytes in them. */
const ASCII_ONLY =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|date|time|interval|uuid|bytea|bit|inet|cidr|macaddr|oid|xid|cid|tid|pg_|txid|box|circle|line|lseg|path|point|polygon|money|(?:int4|int8|num|ts|tstz|date)(?:multi)?range)/;

export function holdsText({ base }: TypeName): boolean {
  return !ASCII_ONLY.test(base);
}

/**
 * SQL that renders a value of `type` for the independent comparison: its binary form in hex where both servers have the same
 * one, whole numbers and uuids as they are, all else as the hex of its text in `encoding`. NULL stays NULL.
 */
export function canonicalSql(
  type: string,
  value: string,
  {
    encoding = 'UTF8',
    asText = false,
  }: { readonly encoding?: string; readonly asText?: boolean } = {},
): string {
  const { base, isArray } = parseTypeName(type);
  const isKnown = Object.hasOwn(SEND_FUNCTIONS, base) && !asText;
  if (isKnown && !isArray && /^(?:smallint|integer|bigint|uuid)$/.test(base))
    return `${value}::text`;
  const send = isKnown ? SEND_FUNCTIONS[base] : null;
  if (send !== null && send !== undefined)
    return `encode(${isArray ? 'array_send' : send}(${value}), 'hex')`;
  // An array's binary form names its element type by a number, which is the same everywhere for these.
  if (isKnown && isArray && /^(?:smallint|integer|bigint|uuid|text|character varying)$/.test(base))
    return `encode(array_send(${value}), 'hex')`;
  // An xml's text has the encoding that was declared when it was written, which COPY leaves out.
  const text = base === 'xml' && !isArray ? `xml_out(${value})` : value;
  return `encode(convert_to(${text}::text, '${encoding}'), 'hex')`;
}
