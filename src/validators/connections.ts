import { MAX_LENGTHS } from '../models/vocabulary.ts';
import {
  FILE_KINDS,
  SSL_MODES,
  type FileOptions,
  type TypedConnection,
} from '../services/connection-options.ts';
import type { FieldError } from '../services/invalid-input.ts';
import { integer, json, label, object, oneOf, optional, text, uuid } from './fields.ts';
import { chooseInput, defineInput, isPlainObject, type Input, type InputOf } from './schema.ts';

const fileOptions = { sourceFileId: optional(uuid()), path: optional(text({ max: 1024 })) };
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
