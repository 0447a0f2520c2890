import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, chown, constants, mkdir, realpath, rename, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import type { Logger } from 'pino';

import { findOwner, findServerAccount, shareWithOwner } from './embedded-postgres/account.ts';
import { findBinaries, makeSharedFolder, SHARED_FOLDER } from './embedded-postgres/binaries.ts';
import {
  initialise,
  isInitialised,
  startServer,
  stopServer,
  SUPERUSER,
  type Cluster,
} from './embedded-postgres/cluster.ts';
import { runCommand, type ServerAccount } from './embedded-postgres/command.ts';
import { withExclusiveLock } from './embedded-postgres/lock.ts';
import { findPostmaster } from './embedded-postgres/postmaster.ts';
import {
  createPassword,
  readState,
  writeState,
  type ClusterState,
} from './embedded-postgres/state.ts';
import { findErrorCode } from './error-code.ts';

const STOP_PROGRAM = path.join(import.meta.dirname, 'embedded-postgres', 'stop-if-unused.ts');
const HOST = '127.0.0.1';
const DATABASES = ['hub', 'target'];
const APPLICATION_NAME = 'legacy-migration-hub';
const LOCK_TIMEOUT_SECONDS = 180;
const CONNECT_TIMEOUT_SECONDS = 60;

export interface EmbeddedPostgresOptions {
  /** The hub's data folder; the cluster lies in it, or root keeps it elsewhere (see the decision record). */
  readonly dataDir: string;
  readonly log?: Pick<Logger, 'info' | 'warn'> | undefined;
  /** Server settings beyond the usual ones, for tests that may do without fsync. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  readonly host: typeof HOST;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The hub's own database. */
  readonly url: string;
  readonly clusterDir: string;
  /** False when this process attached to a server that was running already. */
  readonly startedHere: boolean;
  databaseUrl(name: string): string;
  /**
   * Lets go of the server, and stops it unless another process of the hub is still connected.
   * Close your own pools first: they would count as another process. May be called twice.
   */
  stop(): Promise<void>;
  /** The same for an `exit` handler, where nothing asynchronous is done any more. */
  stopSync(): void;
}

interface Running {
  readonly cluster: Cluster;
  readonly state: ClusterState;
  readonly port: number;
  readonly startedHere: boolean;
}

/**
 * Starts the PostgreSQL that comes with the development dependencies, or attaches to it where it
 * already runs for this data folder, and makes the databases `hub` and `target` where missing.
 * Any number of processes may do so at once. See docs/decisions/0001-embedded-postgres.md.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dataDir = await prepareDataDir(options.dataDir);
  return withLock(dataDir, async () => {
    const running = await ensureRunning({ ...options, dataDir });
    const urls = createUrls(running);
    const keeper = await connect(urls('postgres'), `${APPLICATION_NAME} keeper`);
    await createDatabases(keeper);
    // Held until stop(), so that this process is seen by others also between two of its queries.
    socketOf(keeper).unref();

    let stopping: Promise<void> | undefined;
    return {
      host: HOST,
      port: running.port,
      user: SUPERUSER,
      password: running.state.password,
      url: urls('hub'),
      clusterDir: running.cluster.clusterDir,
      startedHere: running.startedHere,
      databaseUrl: urls,
      stop: () => (stopping ??= letGo({ ...options, dataDir }, running, keeper)),
      stopSync: () => {
        // The server must see this connection end, or it would count as another process.
        socketOf(keeper).destroy();
        spawnSync(process.execPath, [STOP_PROGRAM, dataDir], { stdio: 'ignore' });
      },
    };
  });
}

/** Stops the server of a data folder whoever is connected, and deletes its cluster for good. */
export async function removeEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<void> {
  const dataDir = await prepareDataDir(options.dataDir);
  await withLock(dataDir, async () => {
    const state = await readState(dataDir);
    if (!state) return;
    if (await isInitialised(state.clusterDir)) {
      await stopServer(await findCluster(state.clusterDir));
    }
    await rm(state.clusterDir, { recursive: true, force: true });
    await rm(path.join(dataDir, 'postgres.json'), { force: true });
  });
}

/** Stops the server of a data folder unless a process of the hub is connected to it. */
export async function stopIfUnused(options: EmbeddedPostgresOptions): Promise<void> {
  const dataDir = await prepareDataDir(options.dataDir);
  await withLock(dataDir, async () => {
    const state = await readState(dataDir);
    const postmaster = state && (await findPostmaster(state.clusterDir));
    if (!postmaster) return;
    const cluster = await findCluster(state.clusterDir);
    const running = { cluster, state, port: postmaster.port, startedHere: false };
    await stopUnlessInUse(options, running);
  });
}

async function prepareDataDir(dataDir: string): Promise<string> {
  if (process.platform !== 'win32' && /["$`\\\n]/.test(dataDir)) {
    // pg_ctl hands the path to a shell between double quotes.
    throw new Error(`DATA_DIR must not contain quotes, $, backticks or backslashes: ${dataDir}`);
  }
  // Others may pass through but not look: the cluster in it may belong to another account.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Error(
      `${dataDir} belongs to another user: run the hub as that user, or set DATA_DIR`,
    );
  }
  return realpath(dataDir);
}

function withLock<Result>(dataDir: string, work: () => Promise<Result>): Promise<Result> {
  const file = path.join(dataDir, 'postgres.lock');
  return withExclusiveLock({ file, timeoutSeconds: LOCK_TIMEOUT_SECONDS }, async () => {
    await shareWithOwner(dataDir, file);
    return work();
  });
}

async function ensureRunning(options: EmbeddedPostgresOptions): Promise<Running> {
  const { dataDir, log, settings = {} } = options;
  const state = (await readState(dataDir)) ?? (await createState(options));
  const { clusterDir, password } = state;
  if (!(await isInitialised(clusterDir))) {
    log?.info({ clusterDir }, 'making the embedded PostgreSQL');
    const account = await findServerAccount();
    await initialise({ binaries: await findBinaries(account), account, clusterDir }, password);
  }

  const cluster = await findCluster(clusterDir);
  const postmaster = await findPostmaster(clusterDir);
  if (postmaster) return { cluster, state, port: postmaster.port, startedHere: false };

  const port = await startServer(cluster, { preferredPort: state.port, settings });
  if (port !== state.port) await writeState(dataDir, { ...state, port });
  log?.info({ port }, 'started the embedded PostgreSQL');
  return { cluster, state, port, startedHere: true };
}

async function findCluster(clusterDir: string): Promise<Cluster> {
  const account = await findOwner(clusterDir);
  return { binaries: await findBinaries(account), account, clusterDir };
}

async function createState({ dataDir, log }: EmbeddedPostgresOptions): Promise<ClusterState> {
  const clusterDir = await chooseClusterDir(dataDir);
  if (await isInitialised(clusterDir)) {
    // Without postgres.json nobody knows its password any more. It may hold data, so it is kept.
    const aside = `${clusterDir}.aside-${Date.now()}`;
    await stopServer(await findCluster(clusterDir));
    await rename(clusterDir, aside);
    log?.warn({ aside }, 'postgres.json was gone, so the former embedded PostgreSQL was set aside');
  }
  const state = { password: createPassword(), clusterDir, port: null };
  await writeState(dataDir, state);
  return state;
}

/** In the data folder; where the server's account cannot get there, in a folder of its own. */
async function chooseClusterDir(dataDir: string): Promise<string> {
  const account = await findServerAccount();
  if (!account || (await canUseFolder(dataDir, account))) return path.join(dataDir, 'postgres');

  await makeSharedFolder();
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  return path.join(SHARED_FOLDER, `cluster-${name}`);
}

async function canUseFolder(folder: string, account: ServerAccount): Promise<boolean> {
  const probe = path.join(folder, `probe-${randomUUID()}`);
  await mkdir(probe, { mode: 0o700 });
  try {
    await chown(probe, account.uid, account.gid);
    await runCommand('/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', probe], { account });
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

function createUrls({ state, port }: Running): (name: string) => string {
  return (name) =>
    `postgres://${SUPERUSER}:${state.password}@${HOST}:${port}/${encodeURIComponent(name)}`;
}

async function connect(connectionString: string, applicationName: string): Promise<pg.Client> {
  const deadline = Date.now() + CONNECT_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const client = new pg.Client({ connectionString, application_name: applicationName });
    // A server that is stopped says so on every connection; unheard, that would end this process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (!isPassing(error) || Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

/** A server that another process has just started, or that recovers after a crash. */
function isPassing(error: unknown): boolean {
  return ['ECONNREFUSED', '57P03'].includes(findErrorCode(error) ?? '');
}

async function createDatabases(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
  const present = new Set(rows.map((row) => row.datname));
  for (const name of DATABASES.filter((database) => !present.has(database))) {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  }
}

/** The declarations of pg leave it out. Unreferenced, it does not keep the process from ending. */
function socketOf(client: pg.Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

async function letGo(
  options: EmbeddedPostgresOptions,
  running: Running,
  keeper: pg.Client,
): Promise<void> {
  await withLock(options.dataDir, async () => {
    socketOf(keeper).ref();
    await keeper.end().catch(() => undefined);
    await stopUnlessInUse(options, running);
  });
}

async function stopUnlessInUse({ log }: EmbeddedPostgresOptions, running: Running): Promise<void> {
  if (!(await findPostmaster(running.cluster.clusterDir))) return;
  if (await isInUse(running)) {
    log?.info({ port: running.port }, 'left the embedded PostgreSQL to the processes that use it');
    return;
  }
  await stopServer(running.cluster);
  log?.info({ port: running.port }, 'stopped the embedded PostgreSQL');
}

/** A connection just closed is listed for a moment more, so only what stays counts. */
async function isInUse(running: Running): Promise<boolean> {
  const client = await connect(createUrls(running)('postgres'), 'is anyone there');
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { rowCount } = await client.query(
        'SELECT FROM pg_stat_activity WHERE starts_with(application_name, $1) LIMIT 1',
        [APPLICATION_NAME],
      );
      if (rowCount === 0) return false;
      await sleep(100);
    }
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
