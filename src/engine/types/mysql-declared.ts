/** What a MySQL or MariaDB column type says, taken apart. */
export interface DeclaredType {
  /** Lower case, without arguments: `bigint`, `double`, `enum`. */
  readonly name: string;
  /** Numbers in parentheses: `decimal(10,2)` → 10, 2. */
  readonly sizes: readonly number[];
  /** Labels of an ENUM, members of a SET. */
  readonly labels: readonly string[];
  readonly unsigned: boolean;
  readonly zerofill: boolean;
}

/** How the values of a type come over the wire and what can be made of them. */
export const FAMILIES = [
  'integer',
  'year',
  'decimal',
  'float',
  'double',
  'bit',
  'date',
  'datetime',
  'timestamp',
  'time',
  'text',
  'enum',
  'set',
  'json',
  'binary',
  'geometry',
  'uuid',
  'inet',
  'unknown',
] as const;
export type Family = (typeof FAMILIES)[number];

const FAMILY_BY_NAME: Readonly<Record<string, Family>> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  integer: 'integer',
  bigint: 'integer',
  year: 'year',
  decimal: 'decimal',
  numeric: 'decimal',
  float: 'float',
  double: 'double',
  'double precision': 'double',
  real: 'double',
  bit: 'bit',
  date: 'date',
  datetime: 'datetime',
  timestamp: 'timestamp',
  time: 'time',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  enum: 'enum',
  set: 'set',
  json: 'json',
  binary: 'binary',
  varbinary: 'binary',
  tinyblob: 'binary',
  blob: 'binary',
  mediumblob: 'binary',
  longblob: 'binary',
  geometry: 'geometry',
  point: 'geometry',
  linestring: 'geometry',
  polygon: 'geometry',
  multipoint: 'geometry',
  multilinestring: 'geometry',
  multipolygon: 'geometry',
  geometrycollection: 'geometry',
  geomcollection: 'geometry',
  uuid: 'uuid',
  inet4: 'inet',
  inet6: 'inet',
};

/** Reads a type as `information_schema.COLUMNS.COLUMN_TYPE` writes it. */
export function parseDeclaredType(declared: string): DeclaredType {
  const match = /^\s*([A-Za-z][A-Za-z0-9_]*(?: precision)?)\s*(?:\(([\s\S]*)\))?([^()]*)$/.exec(
    declared,
  );
  const name = (match?.[1] ?? declared).toLowerCase();
  const inside = match?.[2] ?? '';
  const words = (match?.[3] ?? '').toLowerCase();
  const hasLabels = name === 'enum' || name === 'set';
  return {
    name,
    sizes: hasLabels ? [] : (inside.match(/\d+/g) ?? []).map(Number),
    labels: hasLabels ? parseLabels(inside) : [],
    unsigned: /\b(?:unsigned|zerofill)\b/.test(words),
    zerofill: /\bzerofill\b/.test(words),
  };
}

export function familyOf(declared: DeclaredType): Family {
  return Object.hasOwn(FAMILY_BY_NAME, declared.name)
    ? (FAMILY_BY_NAME[declared.name] ?? 'unknown')
    : 'unknown';
}

const ESCAPED: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r' };

/** Quotes stand doubled; backslash, NUL and line ends with a backslash before them (`append_unescaped` in the server). */
function parseLabels(text: string): string[] {
  const labels: string[] = [];
  let position = 0;
  while (position < text.length) {
    if (text[position] !== "'") {
      position++;
      continue;
    }
    let label = '';
    position++;
    while (position < text.length) {
      const character = text[position] ?? '';
      const next = text[position + 1] ?? '';
      if (character === '\\') {
        label += ESCAPED[next] ?? next;
        position += 2;
      } else if (character === "'" && next === "'") {
        label += "'";
        position += 2;
      } else if (character === "'") {
        position++;
        break;
      } else {
        label += character;
        position++;
      }
    }
    labels.push(label);
  }
  return labels;
}

/** Bytes that a BIT column of this width takes. */
export function bitWidth(declared: DeclaredType): number {
  return declared.sizes[0] ?? 1;
}

/** Digits of the fraction of a second. */
export function fractionDigits(declared: DeclaredType): number {
  return declared.sizes[0] ?? 0;
}

/** Character set of a collation: `latin1_swedish_ci` → `latin1`. */
export function charsetOf(collation: string | null): string {
  return collation === null ? 'binary' : (collation.split('_')[0] ?? 'binary');
}

/**
 * Text of which the server's conversion to UTF-8 surely loses nothing. ASCII is none: the server takes any byte into it, and
 * makes `?` of those beyond 7F.
 */
export function isSafelyConverted(collation: string | null): boolean {
  return /^(?:utf8|utf8mb3|utf8mb4|latin1|binary|uca1400)$/.test(charsetOf(collation));
}
