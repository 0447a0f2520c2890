import { CSV_ENCODINGS } from '../engine/types/csv-format.ts';
import { MAX_LENGTHS } from '../models/vocabulary.ts';
import {
  FILE_KINDS,
  SSL_MODES,
  type FileOptions,
  type TypedConnection,
} from '../services/connection-options.ts';
import type { CsvOptionsInput } from '../services/csv-options.ts';
import type { FieldError } from '../services/invalid-input.ts';
import { integer, isUuid, json, label, object, oneOf, optional, text, uuid } from './fields.ts';
import {
  chooseInput,
  defineInput,
  isPlainObject,
  type Field,
  type Input,
  type InputOf,
} from './schema.ts';

/** Tables of one job. */
const MAX_FILES = 500;
const MAX_PATH = 1024;

const fileOptions = { sourceFileId: optional(uuid()), path: optional(text({ max: MAX_PATH })) };
const csvOptions = {
  ...fileOptions,
  sourceFileIds: optional(listOf((id) => isUuid(id), 'UUIDs')),
  paths: optional(listOf((path) => path.length > 0 && path.length <= MAX_PATH, 'paths')),
  delimiter: optional(text({ max: 8 })),
  quote: optional(text({ min: 0, max: 1 })),
  escape: optional(text({ min: 0, max: 1 })),
  header: optional(
    json<boolean>((value) => (typeof value === 'boolean' ? null : 'Must be true or false')),
  ),
  encoding: optional(oneOf(CSV_ENCODINGS)),
  nullText: optional(text({ min: 0, max: 100 })),
};
const serverOptions = {
  host: text({ max: 255, pattern: /^[^\s/@]+$/, hint: 'Must be a host name or an address' }),
  port: integer({ min: 1, max: 65_535 }),
  // The servers' own limits: 63 bytes in PostgreSQL, 64 and 128 characters in MySQL and MariaDB.
  database: text({ max: 64 }),
  user: text({ max: 128 }),
  password: text({ max: 1024 }),
};
const ssl = optional(oneOf(SSL_MODES));
const schema = optional(text({ max: 63 }));

export const createConnectionInput = chooseInput('kind', {
  sqlite: defineInput({
    body: { name: label(MAX_LENGTHS.name), kind: oneOf(FILE_KINDS), options: object(fileOptions) },
    refine: ({ options }) => assertOneFile(options),
  }),
  csv: defineInput({
    body: { name: label(MAX_LENGTHS.name), kind: oneOf(['csv']), options: object(csvOptions) },
    refine: ({ options }) => assertOneWay(options),
  }),
  mysql: defineInput({
    body: {
      name: label(MAX_LENGTHS.name),
      kind: oneOf(['mysql']),
      options: object({ ...serverOptions, ssl }),
    },
  }),
  postgres: defineInput({
    body: {
      name: label(MAX_LENGTHS.name),
      kind: oneOf(['postgres']),
      options: object({ ...serverOptions, ssl, schema }),
    },
  }),
});
export type CreateConnectionInput = InputOf<typeof createConnectionInput>;

/** What the options may hold depends on the connection: `changedOptionsInput` looks at them when it is known. */
export const updateConnectionInput = defineInput({
  params: { id: uuid() },
  body: {
    name: optional(label(MAX_LENGTHS.name)),
    options: optional(
      json<Record<string, unknown>>((value) => (isPlainObject(value) ? null : 'Must be an object')),
    ),
  },
});
export type UpdateConnectionInput = InputOf<typeof updateConnectionInput>;

const changedServerOptions = {
  host: optional(serverOptions.host),
  port: optional(serverOptions.port),
  database: optional(serverOptions.database),
  user: optional(serverOptions.user),
  password: optional(serverOptions.password),
  ssl,
};

/** Server options may be changed one by one; the file of a source is changed as a whole. */
const changedOptions = {
  sqlite: defineInput({
    body: { options: object(fileOptions) },
    refine: ({ options }) => assertOneFile(options),
  }),
  csv: defineInput({
    body: { options: object(csvOptions) },
    refine: ({ options }) => assertOneWay(options),
  }),
  mysql: defineInput({ body: { options: object(changedServerOptions) } }),
  postgres: defineInput({ body: { options: object({ ...changedServerOptions, schema }) } }),
};

export async function readChangedOptions(
  kind: TypedConnection['kind'],
  options: Record<string, unknown>,
) {
  const input: Input<InputOf<(typeof changedOptions)[keyof typeof changedOptions]>> =
    changedOptions[kind];
  const read = await input.read({ params: {}, query: {}, body: { options } });
  return read.options;
}

function assertOneFile({ sourceFileId, path }: FileOptions): FieldError | null {
  if ((sourceFileId === undefined) !== (path === undefined)) return null;
  return { error: 'Give either sourceFileId or path', field: 'options' };
}

function assertOneWay(options: CsvOptionsInput): FieldError | null {
  const ways = ['sourceFileId', 'sourceFileIds', 'path', 'paths'] as const;
  if (ways.filter((way) => options[way] !== undefined).length === 1) return null;
  return { error: `Give one of ${ways.join(', ')}`, field: 'options' };
}

/** Each of them once. */
function listOf(isItem: (item: string) => boolean, what: string): Field<readonly string[]> {
  return json((value) => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    const isList =
      items.length > 0 &&
      items.length <= MAX_FILES &&
      items.every((item) => typeof item === 'string' && isItem(item)) &&
      new Set(items).size === items.length;
    return isList ? null : `Must be a list of 1 to ${String(MAX_FILES)} different ${what}`;
  });
}
