import { POLICY_VALUES, type Policies } from '../engine/contract.ts';
import { castType } from '../engine/types/cast-encoder.ts';
import { isPlainObject } from './schema.ts';

const MAX_COLUMNS = 10_000;
const MAX_NAME_CHARACTERS = 1024;
const MAX_PRECISION = 1000;
const MAX_LENGTH = 10_485_760;

/** PostgreSQL types that a column may be cast to. The text goes into DDL: nothing but these words and digits gets there. */
const PLAIN_TYPES = new Set([
  'bigint',
  'boolean',
  'bytea',
  'cidr',
  'citext',
  'date',
  'double precision',
  'inet',
  'integer',
  'json',
  'jsonb',
  'macaddr',
  'money',
  'oid',
  'real',
  'smallint',
  'text',
  'uuid',
  'xml',
]);

/** Type with numbers behind it → greatest value of each of them; they may be left out. */
const SIZED_TYPES: Readonly<Record<string, readonly number[]>> = {
  bit: [MAX_LENGTH],
  'bit varying': [MAX_LENGTH],
  char: [MAX_LENGTH],
  character: [MAX_LENGTH],
  'character varying': [MAX_LENGTH],
  interval: [6],
  numeric: [MAX_PRECISION, MAX_PRECISION],
  time: [6],
  timestamp: [6],
  timestamptz: [6],
  timetz: [6],
  varbit: [MAX_LENGTH],
  varchar: [MAX_LENGTH],
};

const TYPE =
  /^(?<name>[a-z]+(?: [a-z]+)?)(?:\((?<first>\d{1,8})(?:,\s?(?<second>\d{1,4}))?\))?(?:\[\])?$/;

/** True for the name of a type as it may stand in DDL: `numeric(10,2)`, `timestamp(3)`, `text[]`. */
export function isCastType(text: string): boolean {
  // `int`, `decimal(10,2)`, `timestamp with time zone`: the plan has PostgreSQL's own spelling of these.
  if (/^[a-z0-9 (),]+$/.test(text) && text.trim() === text && castType(text) !== null) return true;
  const groups = TYPE.exec(text)?.groups;
  const name = groups?.name;
  if (name === undefined) return false;
  const sizes = [groups?.first, groups?.second].filter((size) => size !== undefined).map(Number);
  const limits = Object.hasOwn(SIZED_TYPES, name) ? SIZED_TYPES[name] : undefined;
  if (limits === undefined) return PLAIN_TYPES.has(name) && sizes.length === 0;
  const [first = 1, second = 0] = sizes;
  const isAtLeastOne = name.startsWith('time') || name === 'interval' || first >= 1;
  return (
    sizes.length <= limits.length &&
    sizes.every((size, index) => size <= (limits[index] ?? 0)) &&
    isAtLeastOne &&
    second <= first
  );
}

/** What is wrong with `casts`; null = nothing. */
export function castsProblem(value: unknown): string | null {
  const problem = columnsProblem(value, 'PostgreSQL type');
  if (problem !== null || !isPlainObject(value)) return problem;
  for (const [column, type] of Object.entries(value)) {
    if (typeof type === 'string' && isCastType(type)) continue;
    return `${label(column)}: ${label(type)} is no type to cast to: use one such as bigint, numeric(10,2), varchar(20), timestamptz or text[]`;
  }
  return null;
}

/** What is wrong with `columnPolicies`; null = nothing. */
export function columnPoliciesProblem(value: unknown): string | null {
  const problem = columnsProblem(value, 'policies');
  if (problem !== null || !isPlainObject(value)) return problem;
  for (const [column, policies] of Object.entries(value)) {
    if (!isPlainObject(policies)) return `${label(column)}: must be an object: policy → value`;
    for (const [name, chosen] of Object.entries(policies)) {
      const found = policyProblem(name, chosen);
      if (found !== null) return `${label(column)}: ${found}`;
    }
  }
  return null;
}

function policyProblem(name: string, chosen: unknown): string | null {
  if (!Object.hasOwn(POLICY_VALUES, name)) {
    return `there is no policy ${label(name)}: use ${Object.keys(POLICY_VALUES).join(', ')}`;
  }
  const allowed: readonly string[] = POLICY_VALUES[name as keyof Policies];
  if (typeof chosen === 'string' && allowed.includes(chosen)) return null;
  return `${name} must be one of ${allowed.join(', ')}`;
}

function columnsProblem(value: unknown, what: string): string | null {
  if (!isPlainObject(value)) return `Must be an object: source column (table.column) → ${what}`;
  const columns = Object.keys(value);
  if (columns.length > MAX_COLUMNS) return `Must have at most ${String(MAX_COLUMNS)} entries`;
  const misnamed = columns.find(
    (column) => !/.\../su.test(column) || column.length > MAX_NAME_CHARACTERS,
  );
  return misnamed === undefined
    ? null
    : `${label(misnamed)}: must name a source column as table.column`;
}

/** Short enough for a message, and on one line. */
function label(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
