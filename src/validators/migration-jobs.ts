import {
  CONSISTENCY_LEVELS,
  IDENTIFIER_STYLES,
  ON_BAD_ROW,
  ON_EXISTING,
  POLICY_VALUES,
  VERIFY_MODES,
  type JobOptions,
} from '../engine/contract.ts';
import { JOB_STATUSES, LOG_LEVELS, MAX_LENGTHS } from '../models/vocabulary.ts';
import { castsProblem, columnPoliciesProblem } from './column-options.ts';
import { integer, json, label, object, oneOf, optional, text, uuid } from './fields.ts';
import { pageFields } from './page.ts';
import { defineInput, isPlainObject, type InputOf } from './schema.ts';

/** PostgreSQL cuts longer names silently. */
const MAX_IDENTIFIER_BYTES = 63;
const MAX_GLOBS = 1000;
const MAX_GLOB_CHARACTERS = 256;
const MAX_RENAMES = 10_000;
/** Beyond this the lanes only wait for each other. */
const MAX_LANES = 16;
const RESERVED_SCHEMAS = ['information_schema', 'migration_hub'];

const policies = {
  nulCharacter: optional(oneOf(POLICY_VALUES.nulCharacter)),
  invalidUtf8: optional(oneOf(POLICY_VALUES.invalidUtf8)),
  emptyDate: optional(oneOf(POLICY_VALUES.emptyDate)),
  zeroDate: optional(oneOf(POLICY_VALUES.zeroDate)),
  partialDate: optional(oneOf(POLICY_VALUES.partialDate)),
  invalidDate: optional(oneOf(POLICY_VALUES.invalidDate)),
  mixedDates: optional(oneOf(POLICY_VALUES.mixedDates)),
  typeMismatch: optional(oneOf(POLICY_VALUES.typeMismatch)),
  nullInPrimaryKey: optional(oneOf(POLICY_VALUES.nullInPrimaryKey)),
  enumError: optional(oneOf(POLICY_VALUES.enumError)),
  jsonNul: optional(oneOf(POLICY_VALUES.jsonNul)),
  doubleEncoding: optional(oneOf(POLICY_VALUES.doubleEncoding)),
  keyCollation: optional(oneOf(POLICY_VALUES.keyCollation)),
  ambiguousDates: optional(oneOf(POLICY_VALUES.ambiguousDates)),
  ambiguousNumbers: optional(oneOf(POLICY_VALUES.ambiguousNumbers)),
};

const options = {
  include: optional(json<readonly string[]>(globsProblem)),
  exclude: optional(json<readonly string[]>(globsProblem)),
  targetSchema: optional(json<string>(schemaProblem)),
  identifiers: optional(oneOf(IDENTIFIER_STYLES)),
  rename: optional(json<Readonly<Record<string, string>>>(renameProblem)),
  casts: optional(json<JobOptions['casts']>(castsProblem)),
  onExisting: optional(oneOf(ON_EXISTING)),
  onBadRow: optional(oneOf(ON_BAD_ROW)),
  maxRejectedRows: optional(integer({ min: 0, max: 1_000_000_000 })),
  policies: optional(object(policies)),
  columnPolicies: optional(json<JobOptions['columnPolicies']>(columnPoliciesProblem)),
  consistency: optional(oneOf(CONSISTENCY_LEVELS)),
  verify: optional(oneOf(VERIFY_MODES)),
  chunkRows: optional(integer({ min: 100, max: 10_000_000 })),
  lanes: optional(integer({ min: 1, max: MAX_LANES })),
};

export const createJobInput = defineInput({
  body: {
    name: label(MAX_LENGTHS.name),
    sourceId: uuid(),
    targetId: uuid(),
    options: optional(object(options)),
  },
});
export type CreateJobInput = InputOf<typeof createJobInput>;

export const updateJobInput = defineInput({
  params: { id: uuid() },
  body: { name: optional(label(MAX_LENGTHS.name)), options: optional(object(options)) },
  refine: ({ name, options: changed }) =>
    name === undefined && changed === undefined
      ? { error: 'Send name, options or both', field: 'name' }
      : null,
});
export type UpdateJobInput = InputOf<typeof updateJobInput>;

export const listJobsInput = defineInput({
  query: { ...pageFields, status: optional(oneOf(JOB_STATUSES)) },
});
export type ListJobsInput = InputOf<typeof listJobsInput>;

export const jobPageInput = defineInput({ params: { id: uuid() }, query: pageFields });
export type JobPageInput = InputOf<typeof jobPageInput>;

const tableName = optional(text({ max: 512 }));

export const listLogsInput = defineInput({
  params: { id: uuid() },
  query: { ...pageFields, level: optional(oneOf(LOG_LEVELS)), table: tableName },
});
export type ListLogsInput = InputOf<typeof listLogsInput>;

function globsProblem(value: unknown): string | null {
  if (!Array.isArray(value) || value.length > MAX_GLOBS)
    return `Must be a list of at most ${String(MAX_GLOBS)} globs`;
  const isGlob = (glob: unknown): boolean =>
    typeof glob === 'string' && glob.length > 0 && glob.length <= MAX_GLOB_CHARACTERS;
  return value.every(isGlob)
    ? null
    : `Each glob must be text of 1 to ${String(MAX_GLOB_CHARACTERS)} characters`;
}

function schemaProblem(value: unknown): string | null {
  if (!isIdentifier(value))
    return `Must be a schema name of 1 to ${String(MAX_IDENTIFIER_BYTES)} bytes`;
  const isReserved = value.startsWith('pg_') || RESERVED_SCHEMAS.includes(value);
  return isReserved ? 'This schema is reserved' : null;
}

function renameProblem(value: unknown): string | null {
  if (!isPlainObject(value)) return 'Must be an object: source name → target name';
  const names = Object.values(value);
  if (names.length > MAX_RENAMES) return `Must have at most ${String(MAX_RENAMES)} entries`;
  return names.every(isIdentifier)
    ? null
    : `Each new name must have 1 to ${String(MAX_IDENTIFIER_BYTES)} bytes`;
}

function isIdentifier(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_IDENTIFIER_BYTES
  );
}
