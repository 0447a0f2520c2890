import type { Connection } from '../models/connection.ts';
import type { CsvOptions } from './csv-options.ts';

export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Exactly one of the two. */
export interface FileOptions {
  readonly sourceFileId?: string;
  /** Relative to the sources folder. */
  readonly path?: string;
}

/** Without the password, which is kept encrypted beside the options. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly ssl: SslMode;
  /** PostgreSQL: the schema that a source is read from; left out = public. */
  readonly schema?: string;
}

/** The kinds that a client can register now. */
export const FILE_KINDS = ['sqlite'] as const;
export const SERVER_KINDS = ['mysql', 'postgres'] as const;
export type FileKind = (typeof FILE_KINDS)[number];
export type ServerKind = (typeof SERVER_KINDS)[number];

/** A connection with the type of its options, which the kind decides. */
export type TypedConnection =
  | { readonly form: 'file'; readonly kind: FileKind; readonly options: FileOptions }
  | { readonly form: 'files'; readonly kind: 'csv'; readonly options: CsvOptions }
  | { readonly form: 'server'; readonly kind: ServerKind; readonly options: ServerOptions };

export function typedConnection({
  kind,
  options,
}: Pick<Connection, 'kind' | 'options'>): TypedConnection {
  const fileKind = FILE_KINDS.find((known) => known === kind);
  if (fileKind) return { form: 'file', kind: fileKind, options: options };
  if (kind === 'csv') return { form: 'files', kind, options: options };
  const serverKind = SERVER_KINDS.find((known) => known === kind);
  if (serverKind) return { form: 'server', kind: serverKind, options: options as ServerOptions };
  throw new Error(`Connections of kind ${kind} are not supported`);
}
