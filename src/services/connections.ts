import { Op, Transaction } from 'sequelize';
import { v7 as uuidv7 } from 'uuid';

import { AppError } from '../errors/app-error.ts';
import { Connection } from '../models/connection.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { SourceFile } from '../models/source-file.ts';
import { inTransaction } from '../models/transaction.ts';
import type { JobStatus } from '../models/vocabulary.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import { assertDatabase, getConnection } from './connection-locations.ts';
import {
  typedConnection,
  type FileKind,
  type FileOptions,
  type ServerKind,
  type ServerOptions,
  type TypedConnection,
} from './connection-options.ts';
import { toCsvOptions, type CsvOptionsInput } from './csv-options.ts';
import type { Hub } from './hub.ts';
import { invalidInput } from './invalid-input.ts';
import { resolveHost } from './outbound.ts';
import { encryptSecret } from './secrets.ts';
import { assertInside, resolveSourcePath } from './source-folder.ts';

interface WithPassword {
  readonly password: string;
}

export type ConnectionInput =
  | { readonly name: string; readonly kind: FileKind; readonly options: FileOptions }
  | { readonly name: string; readonly kind: 'csv'; readonly options: CsvOptionsInput }
  | {
      readonly name: string;
      readonly kind: ServerKind;
      readonly options: Omit<ServerOptions, 'ssl'> &
        Partial<Pick<ServerOptions, 'ssl'>> &
        WithPassword;
    };

export interface ConnectionChange {
  readonly name?: string;
  readonly options?: FileOptions | CsvOptionsInput | Partial<ServerOptions & WithPassword>;
}

/** What is stored of a connection. `password` undefined = the one that is there stays. */
interface Stored {
  readonly typed: TypedConnection;
  readonly password: string | undefined;
}

/** What decides where a connection leads. User, password and TLS only decide how to get in. */
const PLACE_OPTIONS = ['path', 'sourceFileId', 'host', 'port', 'database', 'schema'] as const;
/** Nothing of the job is anywhere. A finished job can still be verified and rolled back: it needs the place it wrote to. */
const PLACELESS_STATUSES: readonly JobStatus[] = ['draft', 'rolled_back'];

/** @throws AppError HOST_NOT_ALLOWED, PATH_OUTSIDE_DATA_FOLDER, VALIDATION_FAILED for an unknown file */
export async function createConnection(
  hub: Hub,
  input: ConnectionInput,
  context: AuditContext,
): Promise<Connection> {
  const stored = toStored(input);
  await assertReachable(hub, stored.typed);
  return inTransaction(hub.sequelize, async (transaction) => {
    await lockFiles(stored.typed, transaction);
    const id = uuidv7();
    const connection = await Connection.create(
      {
        id,
        name: input.name,
        kind: input.kind,
        options: stored.typed.options,
        createdBy: context.actor?.id ?? null,
        ...secretColumns(hub, id, stored.password),
      },
      { transaction },
    );
    await recordAudit(transaction, {
      context,
      action: 'connection.create',
      entity: { type: 'connection', id },
      detail: { name: input.name, kind: input.kind },
    });
    return connection;
  });
}

/**
 * Changes what is given and keeps the rest, the password too.
 * @param expectedVersion the version that the client has read; null = whichever it is
 * @throws AppError NOT_FOUND, PRECONDITION_FAILED, IN_USE where it would lead a job elsewhere, and as createConnection
 */
export async function updateConnection(
  hub: Hub,
  { id, expectedVersion }: { readonly id: string; readonly expectedVersion: number | null },
  change: ConnectionChange,
  context: AuditContext,
): Promise<Connection> {
  const before = await getConnection(id);
  if (expectedVersion !== null && before.version !== expectedVersion) {
    throw new AppError('PRECONDITION_FAILED');
  }
  const stored = merge(typedConnection(before), change);
  const moved = findMove(typedConnection(before), stored.typed);
  if (change.options) await assertReachable(hub, stored.typed);

  return inTransaction(hub.sequelize, async (transaction) => {
    await lockFiles(stored.typed, transaction);
    if (moved !== undefined) await assertMovable(id, moved, transaction);
    const [, [connection]] = await Connection.update(
      {
        ...(change.name === undefined ? {} : { name: change.name }),
        options: stored.typed.options,
        version: before.version + 1,
        ...secretColumns(hub, id, stored.password),
      },
      { where: { id, version: before.version }, returning: true, transaction },
    );
    if (!connection) throw new AppError('PRECONDITION_FAILED');
    await recordAudit(transaction, {
      context,
      action: 'connection.update',
      entity: { type: 'connection', id },
      detail: { name: connection.name, changed: describeChange(change) },
    });
    return connection;
  });
}

/** @throws AppError NOT_FOUND; the foreign key's own error while a job uses it, which means IN_USE */
export async function deleteConnection(hub: Hub, id: string, context: AuditContext): Promise<void> {
  await inTransaction(hub.sequelize, async (transaction) => {
    const connection = await Connection.findByPk(id, { lock: true, transaction });
    if (!connection) throw new AppError('NOT_FOUND', { entity: 'Connection' });
    await connection.destroy({ transaction });
    await recordAudit(transaction, {
      context,
      action: 'connection.delete',
      entity: { type: 'connection', id },
      detail: { name: connection.name, kind: connection.kind },
    });
  });
}

function toStored({ kind, options }: ConnectionInput): Stored {
  if (kind === 'csv') {
    const typed = typedConnection({ kind, options: { ...toCsvOptions(options) } });
    return { typed, password: undefined };
  }
  if (!('host' in options)) {
    return { typed: typedConnection({ kind, options }), password: undefined };
  }
  const { password, ssl = 'disable', ...server } = options;
  return { typed: typedConnection({ kind, options: { ...server, ssl } }), password };
}

function merge(before: TypedConnection, { options }: ConnectionChange): Stored {
  if (!options) return { typed: before, password: undefined };
  if (before.form === 'file') {
    return { typed: { ...before, options: options as FileOptions }, password: undefined };
  }
  if (before.form === 'files') {
    return {
      typed: { ...before, options: toCsvOptions(options as CsvOptionsInput) },
      password: undefined,
    };
  }
  const { password, ...change } = options as Partial<ServerOptions & WithPassword>;
  const merged = { ...before.options, ...change };
  if (password === undefined) assertSameServer(before.options, merged);
  return { typed: { ...before, options: merged }, password };
}

/** The option that makes a connection lead elsewhere; undefined = it leads where it did. */
function findMove(before: TypedConnection, after: TypedConnection): string | undefined {
  if (after.form === 'files') return findFilesMove(before, after);
  const [from, to] = [before, after].map(({ options }) => new Map(Object.entries(options)));
  return PLACE_OPTIONS.find((name) => to?.has(name) && to.get(name) !== from?.get(name));
}

/** Read in another way, the same files are other rows. */
function findFilesMove(before: TypedConnection, after: TypedConnection): string | undefined {
  const [from, to] = [before, after].map(({ options }) => new Map(Object.entries(options)));
  const names = [...(from?.keys() ?? []), ...(to?.keys() ?? [])];
  return names.find((name) => JSON.stringify(from?.get(name)) !== JSON.stringify(to?.get(name)));
}

/**
 * Under a job that lives, another place would make it go on, verify or drop in a database that it has never written to. The
 * connection's row keeps jobs from being made, theirs keep them from being started, until the change is committed.
 */
async function assertMovable(id: string, option: string, transaction: Transaction): Promise<void> {
  await Connection.findByPk(id, { lock: true, transaction });
  // Drafts too: one that is not locked could be started in between.
  const jobs = await MigrationJob.findAll({
    attributes: ['id', 'status'],
    where: { [Op.or]: [{ sourceId: id }, { targetId: id }] },
    // In one order, so that two changes at once wait for each other instead of ending in a deadlock.
    order: [['id', 'ASC']],
    lock: Transaction.LOCK.SHARE,
    transaction,
  });
  const placed = jobs.filter(({ status }) => !PLACELESS_STATUSES.includes(status));
  if (await haveWrittenNothing(placed, transaction)) return;
  throw new AppError('IN_USE', {
    entity: 'Connection',
    user: 'a migration job',
    field: `options.${option}`,
  });
}

/** A job that failed before it made its first table, because the place was wrong for example, leaves nothing behind there. */
async function haveWrittenNothing(
  jobs: readonly MigrationJob[],
  transaction: Transaction,
): Promise<boolean> {
  if (jobs.some(({ status }) => status !== 'failed')) return false;
  const where = { jobId: jobs.map(({ id }) => id), phase: { [Op.ne]: 'pending' } };
  return (await MigrationTable.count({ where, transaction })) === 0;
}

/** Whoever may change a connection may not know its password: it must not be sent to a server of their choice. */
function assertSameServer(before: ServerOptions, after: ServerOptions): void {
  const isSame = (['host', 'port', 'user', 'ssl'] as const).every(
    (key) => before[key] === after[key],
  );
  if (isSame) return;
  throw invalidInput({
    error: 'Send the password again when host, port, user or ssl change',
    field: 'options.password',
  });
}

/** Tells early what would only fail later. A name that does not resolve yet, or a file that is not there yet, may come. */
async function assertReachable(hub: Hub, typed: TypedConnection): Promise<void> {
  if (typed.form === 'server') {
    assertDatabase(hub, typed.options);
    await resolveHost(typed.options, hub.settings).catch(rethrowRefusal);
    return;
  }
  for (const path of pathsOf(typed)) {
    assertInside(path);
    await resolveSourcePath(hub.settings.dataDir, path).catch(rethrowRefusal);
  }
}

type FileConnection = Exclude<TypedConnection, { readonly form: 'server' }>;

function pathsOf({ form, options }: FileConnection): readonly string[] {
  if (form === 'files') return options.paths ?? [];
  return options.path === undefined ? [] : [options.path];
}

function sourceFileIdsOf({ form, options }: FileConnection): readonly string[] {
  if (form === 'files') return options.sourceFileIds ?? [];
  return options.sourceFileId === undefined ? [] : [options.sourceFileId];
}

function rethrowRefusal(error: unknown): void {
  if (error instanceof AppError && error.code !== 'SOURCE_FILE_MISSING') throw error;
}

/** Holds the files until the connection that names them is there: nobody can delete one in between. */
async function lockFiles(typed: TypedConnection, transaction: Transaction): Promise<void> {
  if (typed.form === 'server') return;
  const lock = Transaction.LOCK.KEY_SHARE;
  for (const id of [...sourceFileIdsOf(typed)].sort()) {
    if (await SourceFile.findByPk(id, { lock, transaction })) continue;
    const field = typed.form === 'file' ? 'options.sourceFileId' : 'options.sourceFileIds';
    throw invalidInput({ error: 'Source file not found', field });
  }
}

function secretColumns({ settings }: Hub, id: string, password: string | undefined) {
  if (password === undefined) return {};
  const { ciphertext, keyId } = encryptSecret(password, id, settings.connectionKeys);
  return { secretCiphertext: ciphertext, secretKeyId: keyId };
}

function describeChange({ name, options = {} }: ConnectionChange): string[] {
  const changed = Object.keys(options).map((option) => `options.${option}`);
  return name === undefined ? changed : ['name', ...changed];
}
