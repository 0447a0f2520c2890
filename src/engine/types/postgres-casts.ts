import { canMatch, type PostgresEncoder } from './postgres-encoders.ts';
import { isCarriedOver, parseTypeName } from './postgres-types.ts';

export type CastChoice =
  | { readonly targetType: string; readonly encoder: PostgresEncoder }
  | { readonly wish: string; readonly reason: string };

/** Short names of types, as people write them. Source: PostgreSQL manual, "Data Types". */
const ALIASES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  char: 'character',
  decimal: 'numeric',
  float: 'double precision',
  float4: 'real',
  float8: 'double precision',
  int: 'integer',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  time: 'time without time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  timetz: 'time with time zone',
  varbit: 'bit varying',
  varchar: 'character varying',
};

/** Casts that take every value and lose none of it. */
const TOTAL: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint', 'numeric', 'real', 'double precision'],
  integer: ['bigint', 'numeric', 'double precision'],
  bigint: ['numeric'],
  real: ['double precision'],
  date: ['timestamp without time zone', 'timestamp with time zone'],
  'timestamp without time zone': ['timestamp with time zone'],
  'timestamp with time zone': ['timestamp without time zone'],
  jsonb: ['json'],
};

/** How a column becomes the type that the user wishes. */
export function castType(
  declaredType: string,
  wish: string,
  detail: { readonly validates?: string },
): CastChoice {
  const target = canonicalType(wish);
  if (target === null)
    return { wish, reason: 'it is no type that every PostgreSQL has, or an array' };
  if (target === declaredType) return { targetType: target, encoder: 'same' };
  const from = parseTypeName(declaredType);
  const isTotal =
    target === 'text' || (!from.isArray && (TOTAL[from.base]?.includes(target) ?? false));
  if (isTotal) return { targetType: target, encoder: 'recast' };
  if (detail.validates === 'true') return { targetType: target, encoder: 'validate' };
  if (canMatch(target)) return { targetType: target, encoder: 'match' };
  return {
    wish,
    reason: 'a source older than PostgreSQL 16 cannot tell which values are none of that type',
  };
}

/** As `format_type` writes it; null = none that can be cast to. */
function canonicalType(wish: string): string | null {
  const written = wish
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/ ?\( ?/, '(')
    .replace(/ ?\)/, ')');
  const { base, modifier, isArray } = parseTypeName(written);
  if (isArray || !/^(?:\(\s*-?\d+(?:\s*,\s*-?\d+)?\s*\))?$/.test(modifier)) return null;
  const full = Object.hasOwn(ALIASES, base) ? (ALIASES[base] ?? base) : base;
  if (!isCarriedOver({ base: full, modifier, isArray })) return null;
  const precision = completeModifier(full, modifier.replaceAll(' ', ''));
  const zone = / with(?:out)? time zone$/.exec(full)?.[0] ?? '';
  return `${full.slice(0, full.length - zone.length)}${precision}${zone}`;
}

function completeModifier(base: string, modifier: string): string {
  if (base === 'numeric' && /^\(\d+\)$/.test(modifier)) return modifier.replace(')', ',0)');
  return modifier === '' && (base === 'character' || base === 'bit') ? '(1)' : modifier;
}
