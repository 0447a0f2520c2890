import {
  body,
  checkExact,
  matchedData,
  param,
  query,
  validationResult,
  type FieldValidationError,
  type ValidationChain,
  type ValidationError,
} from 'express-validator';

import { AppError } from '../errors/app-error.ts';
import { invalidInput, type FieldError } from '../services/invalid-input.ts';

/** The parts of a request that come from the client. */
export interface RawInput {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly body: unknown;
}

/** How one value is checked. Made by the functions in fields.ts. */
export interface Field<Value> {
  /** Adds the checks to a chain. The first is of the type: express-validator lets arrays pass scalar checks. */
  readonly check: (chain: ValidationChain) => ValidationChain;
  readonly optional: boolean;
  /** Members of an object; the checks of the object itself are then theirs. */
  readonly members?: Fields;
  /** Only there to carry the type. */
  readonly value?: Value;
}
export type OptionalField<Value> = Field<Value> & { readonly optional: true };
export type Fields = Readonly<Record<string, Field<unknown>>>;

type OptionalKeys<F extends Fields> = {
  [Key in keyof F]: F[Key] extends { readonly optional: true } ? Key : never;
}[keyof F];
type ValueOf<F> = F extends Field<infer Value> ? Value : never;
/** What a set of fields gives: absent optional members are absent, not undefined. */
export type Shape<F extends Fields> = {
  readonly [Key in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[Key]>;
} & { readonly [Key in OptionalKeys<F>]?: ValueOf<F[Key]> };

/** Everything that a route takes from a client. */
export interface Input<Value> {
  /** @throws AppError INVALID_ID, VALIDATION_FAILED with every failing field */
  readonly read: (raw: RawInput) => Promise<Value>;
}
export type InputOf<I> = I extends Input<infer Value> ? Value : never;

interface InputParts<Params extends Fields, Query extends Fields, Body extends Fields> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
}

export interface InputDefinition<
  Params extends Fields,
  Query extends Fields,
  Body extends Fields,
> extends InputParts<Params, Query, Body> {
  /** A rule over several fields, asked when each of them is right. */
  readonly refine?: (input: Shape<Params> & Shape<Query> & Shape<Body>) => FieldError | null;
}

const UNKNOWN_FIELD = 'Unknown field(s)';
const LONGEST_FIELD = 100;

/**
 * Says what a route takes; whatever else a client sends is refused. Handlers get the checked values only: on Express 5 the
 * sanitizers of express-validator do not change `request.query`.
 */
export function defineInput<
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a part that is left out has no fields
  Params extends Fields = {},
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  Query extends Fields = {},
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  Body extends Fields = {},
>(
  definition: InputDefinition<Params, Query, Body>,
): Input<Shape<Params> & Shape<Query> & Shape<Body>> {
  const { refine } = definition;
  return {
    async read(raw) {
      const input = await runChecks(definition, raw);
      const value = input as Shape<Params> & Shape<Query> & Shape<Body>;
      const problem = refine?.(value) ?? null;
      if (problem) throw invalidInput(problem);
      return value;
    },
  };
}

/** A body whose fields depend on one of them. */
export function chooseInput<Variants extends Readonly<Record<string, Input<unknown>>>>(
  discriminator: string,
  variants: Variants,
): Input<InputOf<Variants[keyof Variants]>> {
  return {
    async read(raw) {
      const given = isPlainObject(raw.body) ? raw.body[discriminator] : undefined;
      const variant =
        typeof given === 'string' && Object.hasOwn(variants, given) ? variants[given] : undefined;
      if (!variant) {
        const error = `Must be one of ${Object.keys(variants).join(', ')}`;
        throw invalidInput({ error, field: discriminator });
      }
      return (await variant.read(raw)) as InputOf<Variants[keyof Variants]>;
    },
  };
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function runChecks(
  definition: InputParts<Fields, Fields, Fields>,
  raw: RawInput,
): Promise<unknown> {
  const { params = {}, query: queryFields = {}, body: bodyFields = {} } = definition;
  const target = { params: raw.params, query: raw.query, body: raw.body ?? {} };
  const shapeErrors = checkObjects(target.body, bodyFields);
  if (shapeErrors.length > 0) throw invalidInput(...shapeErrors);

  const chains = [
    ...toChains(params, param),
    ...toChains(queryFields, query),
    ...toChains(bodyFields, body),
  ];
  await checkExact(chains, {
    locations: ['params', 'query', 'body'],
    message: UNKNOWN_FIELD,
  }).run(target);
  const errors = validationResult(target).array({ onlyFirstError: true });
  if (errors.some((error) => error.type === 'field' && error.location === 'params')) {
    throw new AppError('INVALID_ID', { field: fieldOf(errors.find(isFieldError)) });
  }
  if (errors.length > 0) throw invalidInput(...errors.flatMap(describe));
  const found = matchedData(target, { locations: ['params', 'query', 'body'] });
  return { ...emptyObjects(target.body, bodyFields), ...found };
}

/** An object without members is left out by express-validator, though the client has sent it. */
function emptyObjects(given: object, fields: Fields): Record<string, object> {
  const names = Object.keys(fields).filter((name) => fields[name]?.members && name in given);
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/**
 * Asks what has to be an object to be one, at any depth, before express-validator looks inside: it takes what is none for one
 * without members, does not know names such as `toString` from unknown ones, and a name with a dot would pass there for a path
 * (`{"options.host": …}` for `{"options": {"host": …}}`).
 */
function checkObjects(value: unknown, fields: Fields, prefix = ''): FieldError[] {
  if (!isPlainObject(value)) {
    if (prefix !== '') return [{ error: 'Must be an object', field: prefix.slice(0, -1) }];
    throw new AppError('VALIDATION_FAILED', { reason: 'Send a JSON object' });
  }

  const misshapen = Object.entries(fields).flatMap(([name, field]) => {
    if (!field.members) return [];
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) return checkObjects(given, field.members, `${prefix}${name}.`);
    return field.optional ? [] : [{ error: 'Required', field: prefix + name }];
  });
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
  return [
    ...misshapen,
    ...unknown.map((name) => ({
      error: UNKNOWN_FIELD,
      field: (prefix + name).slice(0, LONGEST_FIELD),
    })),
  ];
}

function toChains(
  fields: Fields,
  chainFor: (path: string) => ValidationChain,
  { prefix = '', isOptional = false } = {},
): ValidationChain[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = prefix + name;
    if (field.members) {
      return toChains(field.members, chainFor, { prefix: `${path}.`, isOptional: field.optional });
    }
    const chain = chainFor(path);
    if (field.optional || isOptional) return [field.check(chain.optional())];
    return [field.check(chain.exists().withMessage('Required').bail())];
  });
}

function isFieldError(error: ValidationError): error is FieldValidationError {
  return error.type === 'field';
}

function fieldOf(error: FieldValidationError | undefined): string {
  return error?.path ?? 'id';
}

function describe(error: ValidationError): FieldError[] {
  const { msg } = error as { msg: string };
  if (error.type === 'unknown_fields') {
    return error.fields.map(({ path }) => ({ error: msg, field: path.slice(0, LONGEST_FIELD) }));
  }
  return [{ error: msg, field: error.type === 'field' ? error.path : '' }];
}
