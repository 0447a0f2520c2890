import path from 'node:path';

import { mapTargetError } from '../engine/target/errors.ts';
import type { SourceAddress, SourceLocations } from '../engine/sources/registry.ts';
import type { TargetLocation } from '../engine/target/target.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { Connection } from '../models/connection.ts';
import { SourceFile } from '../models/source-file.ts';
import { typedConnection, type FileOptions, type ServerOptions } from './connection-options.ts';
import { formatOf, tableNameOf, type CsvOptions } from './csv-options.ts';
import type { Hub } from './hub.ts';
import { isAddress } from './outbound-addresses.ts';
import { isEmbedded, resolveHost } from './outbound.ts';
import { decryptSecret } from './secrets.ts';
import { resolveSourcePath } from './source-folder.ts';

type Settings = Pick<Hub, 'settings'>;

/** @throws AppError NOT_FOUND */
export async function getConnection(id: string): Promise<Connection> {
  const connection = await Connection.findByPk(id);
  if (!connection) throw new AppError('NOT_FOUND', { entity: 'Connection' });
  return connection;
}

/**
 * Where a source is to be read. The address of a server is checked and pinned, so dial it as it stands.
 * @throws AppError PATH_OUTSIDE_DATA_FOLDER, SOURCE_FILE_MISSING; HOST_NOT_ALLOWED, SECRET_UNREADABLE, SOURCE_UNREACHABLE for an
 * unknown name
 */
export async function locateSource(hub: Settings, connection: Connection): Promise<SourceAddress> {
  const typed = typedConnection(connection);
  switch (typed.kind) {
    case 'sqlite':
      return { kind: 'sqlite', location: { path: await locateFile(hub, typed.options) } };
    case 'csv':
      return { kind: 'csv', location: await locateCsv(hub, typed.options) };
    case 'mysql':
      return { kind: 'mysql', location: await locateSourceServer(hub, connection, typed.options) };
    case 'postgres': {
      const { schema } = typed.options;
      const server = await locateSourceServer(hub, connection, typed.options);
      return { kind: 'postgres', location: schema === undefined ? server : { ...server, schema } };
    }
  }
}

async function locateSourceServer(
  hub: Settings,
  connection: Connection,
  options: ServerOptions,
): Promise<TargetLocation> {
  return await locateServer(hub, connection, options).catch((error: unknown) => {
    if (isAppError(error)) throw error;
    throw new AppError(
      'SOURCE_UNREACHABLE',
      { reason: 'unknown host', field: 'options.host' },
      { cause: error },
    );
  });
}

/**
 * How to reach a target: the address is checked and pinned, so dial it as it stands.
 * @throws AppError CONNECTION_KIND_UNSUITABLE, HOST_NOT_ALLOWED, SECRET_UNREADABLE, TARGET_UNREACHABLE for an unknown name
 */
export async function locateTarget(hub: Settings, connection: Connection): Promise<TargetLocation> {
  const typed = typedConnection(connection);
  if (typed.kind !== 'postgres') {
    throw new AppError('CONNECTION_KIND_UNSUITABLE', { kind: connection.kind, role: 'target' });
  }
  const { database } = typed.options;
  return await locateServer(hub, connection, typed.options).catch((error: unknown) => {
    throw mapTargetError(error, { what: 'resolving the host name', database });
  });
}

/** @throws AppError HOST_NOT_ALLOWED, SECRET_UNREADABLE, or the resolver's own error for an unknown name */
async function locateServer(
  hub: Settings,
  connection: Connection,
  options: ServerOptions,
): Promise<TargetLocation> {
  const { host, port, database, user, ssl } = options;
  assertDatabase(hub, options);
  const pinned = await resolveHost({ host, port }, hub.settings);
  // A name can lead there too.
  assertDatabase(hub, { host: pinned, port, database });
  const password = readSecret(hub, connection);
  // TLS knows no names that are addresses.
  const named = isAddress(host) ? {} : { serverName: host };
  return { host: pinned, port, database, user, password, ssl, ...named };
}

/** Beside the target database, the embedded server holds the hub's own, and its password opens both. */
export function assertDatabase(
  { settings }: Settings,
  options: { readonly host: string; readonly port: number; readonly database: string },
): void {
  const { embeddedServer } = settings;
  if (!isEmbedded(options, embeddedServer)) return;
  if (options.database === embeddedServer.targetDatabase) return;
  throw new AppError('HOST_NOT_ALLOWED', { field: 'options.database' });
}

async function locateFile({ settings }: Settings, options: FileOptions): Promise<string> {
  const { sourceFileId, path: relative } = options;
  if (relative !== undefined) return resolveSourcePath(settings.dataDir, relative);

  const file = sourceFileId === undefined ? null : await SourceFile.findByPk(sourceFileId);
  if (!file) throw new AppError('SOURCE_FILE_MISSING', { field: 'options.sourceFileId' });
  return path.join(settings.dataDir, file.path);
}

/** Each file as the table of its name. */
async function locateCsv(
  { settings }: Settings,
  options: CsvOptions,
): Promise<SourceLocations['csv']> {
  const files: SourceLocations['csv']['files'][number][] = [];
  for (const relative of options.paths ?? []) {
    const absolute = await resolveSourcePath(settings.dataDir, relative);
    files.push({ path: absolute, table: tableNameOf(relative) });
  }
  for (const id of options.sourceFileIds ?? []) {
    const file = await SourceFile.findByPk(id);
    if (!file) throw new AppError('SOURCE_FILE_MISSING', { field: 'options.sourceFileIds' });
    const absolute = path.join(settings.dataDir, file.path);
    files.push({ path: absolute, table: tableNameOf(file.name) });
  }
  return { files, format: formatOf(options) };
}

function readSecret({ settings }: Settings, connection: Connection): string {
  const { id, secretCiphertext: ciphertext, secretKeyId: keyId } = connection;
  if (ciphertext === null || keyId === null) return '';
  return decryptSecret({ ciphertext, keyId }, id, settings.connectionKeys);
}
