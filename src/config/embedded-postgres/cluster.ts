import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Binaries } from './binaries.ts';
import { CommandError, runCommand, type ServerAccount } from './command.ts';
import { findPostmaster } from './postmaster.ts';

export const SUPERUSER = 'hub';

const START_ATTEMPTS = 10;
const START_TIMEOUT_SECONDS = 120;
const STOP_TIMEOUT_SECONDS = 60;
const LOG_KEPT_BYTES = 16 * 1024 * 1024;

/** Passed at each start, so that a change here also reaches a cluster made by an earlier version. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // A socket file in the data folder would exceed the 107 bytes that a socket's path may have.
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '192MB',
  // Bulk loading with the default of 1GB spends its time on checkpoints.
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  maintenance_work_mem: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export interface Cluster {
  readonly binaries: Binaries;
  readonly account: ServerAccount | undefined;
  readonly clusterDir: string;
}

/** True when a whole cluster lies in the folder: initdb works aside, so a half-made one never does. */
export async function isInitialised(clusterDir: string): Promise<boolean> {
  return stat(path.join(clusterDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/** Makes the cluster, with one superuser that must give its password on every connection. */
export async function initialise(
  { binaries, account, clusterDir }: Cluster,
  password: string,
): Promise<void> {
  await removeUnfinished(clusterDir);
  const unfinished = `${clusterDir}.new-${randomUUID()}`;
  const passwordFile = `${unfinished}.password`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account) {
      await chown(unfinished, account.uid, account.gid);
      await chown(passwordFile, account.uid, account.gid);
    }
    await runCommand(
      binaries.initdb,
      [
        ...['--pgdata', unfinished, '--username', SUPERUSER, '--pwfile', passwordFile],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8'],
        // The built-in provider sorts by code point alike on every machine; the system's locales do not.
        ...['--no-locale', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
        '--no-instructions',
      ],
      { account },
    );
    await rename(unfinished, clusterDir);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What an initdb left that was killed half-way. */
async function removeUnfinished(clusterDir: string): Promise<void> {
  const folder = path.dirname(clusterDir);
  const prefix = `${path.basename(clusterDir)}.new-`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Starts the server and answers its port: the preferred one where it is free.
 * A server that is being torn down still holds its shared memory for a moment, so it tries again.
 *
 * @throws {CommandError} with the end of the server's log
 */
export async function startServer(
  cluster: Cluster,
  options: { preferredPort: number | null; settings?: Readonly<Record<string, string>> },
): Promise<number> {
  const log = path.join(cluster.clusterDir, 'server.log');
  await shorten(log);
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(options.preferredPort);
    try {
      await runPgCtl(cluster, [
        ...['start', '--wait', '--timeout', String(START_TIMEOUT_SECONDS), '--log', log],
        ...['--options', serverOptions({ ...SETTINGS, ...options.settings, port: String(port) })],
      ]);
      return port;
    } catch (error) {
      const lastWords = await readEnd(log);
      const canPass = /pre-existing shared memory|could not bind|still in use/.test(lastWords);
      if (!canPass || attempt === START_ATTEMPTS) {
        throw new CommandError(`PostgreSQL did not start. ${String(error)}\n${lastWords}`);
      }
      await sleep(500);
    }
  }
}

/** Stops the server; whoever is connected is cut off. Returns when nothing of it runs any more. */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!(await findPostmaster(cluster.clusterDir))) return;
  await runPgCtl(cluster, [
    ...['stop', '--wait', '--timeout', String(STOP_TIMEOUT_SECONDS), '--mode', 'fast'],
  ]);
}

async function runPgCtl({ binaries, account, clusterDir }: Cluster, pgCtlArguments: string[]) {
  await runCommand(binaries.pgCtl, [...pgCtlArguments, '--pgdata', clusterDir], { account });
}

function serverOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

async function findFreePort(preferred: number | null): Promise<number> {
  if (preferred === null) return getFreePort(0);
  return getFreePort(preferred).catch(() => getFreePort(0));
}

async function getFreePort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => {
        resolve(free);
      });
    });
  });
}

async function shorten(log: string): Promise<void> {
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  if (size > LOG_KEPT_BYTES) await rm(log);
}

async function readEnd(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return text.slice(-1500);
}
