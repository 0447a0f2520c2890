import {
  POLICY_VALUES,
  REASON_CODES,
  type Policies,
  type SourceValue,
} from '../engine/contract.ts';
import { json, object, oneOf, optional, text, uuid } from './fields.ts';
import { pageFields } from './page.ts';
import { defineInput, isPlainObject, type InputOf, type OptionalField } from './schema.ts';

const MAX_LISTED = 1_000;
const MAX_COLUMNS = 1_600;

const filters = {
  reasonCode: optional(oneOf(REASON_CODES)),
  table: optional(text({ max: 512 })),
};
const rejectFilters = {
  ...filters,
  column: optional(text({ max: 512 })),
  replayed: optional(oneOf(['true', 'false'])),
};

export const listRejectsInput = defineInput({
  params: { id: uuid() },
  query: { ...pageFields, ...rejectFilters },
});
export type ListRejectsInput = InputOf<typeof listRejectsInput>;

export const exportRejectsInput = defineInput({ params: { id: uuid() }, query: rejectFilters });
export type ExportRejectsInput = InputOf<typeof exportRejectsInput>;

/** A value as somebody types it. */
export type GivenValue = string | number | boolean | SourceValue;

interface GivenReject {
  readonly id: string;
  readonly set?: Readonly<Record<string, GivenValue>>;
}

const policies = Object.fromEntries(
  Object.entries(POLICY_VALUES).map(([name, values]) => [name, optional(oneOf(values))]),
) as { readonly [Name in keyof Policies]: OptionalField<Policies[Name]> };

export const replayRejectsInput = defineInput({
  params: { id: uuid() },
  body: {
    rejects: optional(json<readonly GivenReject[]>(rejectsProblem)),
    all: optional(json<true>((value) => (value === true ? null : 'Must be true, or left out'))),
    policies: optional(object(policies)),
    ...filters,
  },
  refine: ({ rejects, all, reasonCode, table }) => {
    if ((rejects === undefined) === (all === undefined))
      return { error: 'Send either rejects or all', field: 'rejects' };
    if (rejects !== undefined && (reasonCode ?? table) !== undefined)
      return { error: 'Only goes with all', field: table === undefined ? 'reasonCode' : 'table' };
    return null;
  },
});
export type ReplayRejectsInput = InputOf<typeof replayRejectsInput>;

function rejectsProblem(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LISTED)
    return `Must be a list of 1 to ${String(MAX_LISTED)} rejects`;
  const ids = new Set<unknown>();
  for (const [index, reject] of (value as unknown[]).entries()) {
    const isDouble = isPlainObject(reject) && ids.has(reject.id);
    const problem = rejectProblem(reject) ?? (isDouble ? 'is there twice' : null);
    if (problem !== null) return `Entry ${String(index)} ${problem}`;
    ids.add((reject as GivenReject).id);
  }
  return null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function rejectProblem(reject: unknown): string | null {
  if (!isPlainObject(reject)) return 'must be an object';
  const { id, set = {}, ...others } = reject;
  if (typeof id !== 'string' || !UUID.test(id)) return 'must have an id, a UUID in lower case';
  if (Object.keys(others).length > 0) return 'may have id and set, and nothing else';
  if (!isPlainObject(set) || Object.keys(set).length > MAX_COLUMNS)
    return 'has a set that is no object of column → value';
  const bad = Object.entries(set).find(([, value]) => !isGivenValue(value));
  return bad === undefined
    ? null
    : `sets ${bad[0].slice(0, 100)} to what is no value: text, a number that JSON holds exactly, true, false, null, or { type, value } or { type, base64 }`;
}

const NUMBERS = {
  integer: /^-?\d{1,400}$/,
  real: /^(-?(\d{1,400}(\.\d{1,400})?(e[+-]?\d{1,4})?|Infinity)|NaN)$/i,
} as const;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isGivenValue(value: unknown): value is GivenValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  // A whole number beyond 2^53 was another one before JSON was read.
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (!isPlainObject(value) || Object.keys(value).length !== 2) return false;
  const { type, value: given, base64 } = value;
  if (type === 'text' || type === 'blob') {
    if (typeof base64 === 'string') return BASE64.test(base64);
    return type === 'text' && typeof given === 'string';
  }
  if (type !== 'integer' && type !== 'real') return false;
  return typeof given === 'string' && NUMBERS[type].test(given);
}
