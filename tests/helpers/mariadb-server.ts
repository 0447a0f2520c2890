import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createConnection } from 'mysql2/promise';

import { findServerAccount } from '../../src/config/embedded-postgres/account.ts';
import { runCommand } from '../../src/config/embedded-postgres/command.ts';

export const ADMIN = { user: 'all_rights', password: "it's 100% \\secret" } as const;

const PID_FILE = 'mariadb.pid';
const START_TIMEOUT_SECONDS = 60;
const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/opt/homebrew/bin'];

export interface MariaDbServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly socketPath: string;
  readonly processId: number;
}

interface Binaries {
  readonly server: string;
  readonly install: string;
}

/** null where MariaDB's server is not installed. */
export function findMariaDb(): Binaries | null {
  const server = findProgram('mariadbd');
  const install = findProgram('mariadb-install-db');
  return server === null || install === null ? null : { server, install };
}

function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...FOLDERS];
  const files = folders.filter((folder) => folder !== '').map((folder) => path.join(folder, name));
  return files.find((file) => existsSync(file)) ?? null;
}

/**
 * Starts a MariaDB on a free port, with its files in `folder` (made here; short, since a socket's path may have 107 bytes).
 * It outlives this process: `killMariaDbServers` of the folder, or of one above it, ends it.
 */
export async function startMariaDbServer(folder: string): Promise<MariaDbServer> {
  const binaries = findMariaDb();
  if (binaries === null) throw new Error('MariaDB is not installed (mariadbd)');

  await mkdir(folder, { recursive: true, mode: 0o711 });
  // MariaDB refuses to run as root as well; what PostgreSQL runs as will do.
  const account = await findServerAccount();
  if (account) await chown(folder, account.uid, account.gid);
  const data = path.join(folder, 'data');
  await runCommand(
    binaries.install,
    [
      ...['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--skip-name-resolve'],
      '--auth-root-authentication-method=normal',
    ],
    { account },
  );
  await writeFile(path.join(folder, 'init.sql'), initSql(), { mode: 0o644 });

  const port = await findFreePort();
  const log = openSync(path.join(folder, 'server.log'), 'a');
  const child = spawn(binaries.server, serverArguments(folder, port), {
    ...account,
    cwd: '/',
    env: { LC_ALL: 'C' },
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const processId = child.pid;
  if (processId === undefined) throw new Error(`${binaries.server} cannot be run`);
  await writeFile(path.join(folder, PID_FILE), String(processId));
  const server = {
    host: '127.0.0.1' as const,
    port,
    socketPath: path.join(folder, 's'),
    processId,
  };
  await waitUntilReady(server, folder);
  return server;
}

function serverArguments(folder: string, port: number): string[] {
  return [
    ...['--no-defaults', `--datadir=${path.join(folder, 'data')}`],
    ...['--bind-address=127.0.0.1', `--port=${String(port)}`, `--socket=${path.join(folder, 's')}`],
    ...[`--init-file=${path.join(folder, 'init.sql')}`, '--skip-name-resolve'],
    ...['--character-set-server=utf8mb4', '--collation-server=utf8mb4_general_ci'],
    // Not UTC: code that forgets to ask for UTC shows.
    '--default-time-zone=-03:30',
    ...['--log-bin=binlog', '--server-id=1', '--sync-binlog=0', '--max-allowed-packet=1G'],
    // What a crash of the machine would take is no loss here.
    ...['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0'],
    ...['--innodb-buffer-pool-size=32M', '--innodb-log-file-size=16M', '--innodb-use-native-aio=0'],
    ...['--key-buffer-size=1M', '--aria-pagecache-buffer-size=8M', '--max-connections=100'],
  ];
}

/** Each statement must stand on one line. */
function initSql(): string {
  const password = ADMIN.password.replaceAll(/['\\]/g, '\\$&');
  return (
    [
      `CREATE OR REPLACE USER '${ADMIN.user}'@'%' IDENTIFIED BY '${password}';`,
      `GRANT ALL ON *.* TO '${ADMIN.user}'@'%' WITH GRANT OPTION;`,
    ].join('\n') + '\n'
  );
}

async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

async function waitUntilReady({ host, port, processId }: MariaDbServer, folder: string) {
  const deadline = Date.now() + START_TIMEOUT_SECONDS * 1000;
  for (;;) {
    try {
      const connection = await createConnection({ host, port, ...ADMIN });
      await connection.end();
      return;
    } catch (error) {
      if (!isRunning(processId, folder) || Date.now() > deadline) {
        const log = await readFile(path.join(folder, 'server.log'), 'utf8').catch(() => '');
        throw new Error(`MariaDB did not start\n${log.slice(-2000)}`, { cause: error });
      }
      await sleep(50);
    }
  }
}

/** Ends all servers whose files are in the folder or below it, at once: there is nothing to save. */
export async function killMariaDbServers(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of files.filter((name) => path.basename(name) === PID_FILE)) {
    const home = path.join(folder, path.dirname(file));
    await killServer(Number(await readFile(path.join(folder, file), 'utf8')), home);
    await rm(home, { recursive: true, force: true });
  }
}

async function killServer(processId: number, folder: string): Promise<void> {
  while (isRunning(processId, folder)) {
    process.kill(processId, 'SIGKILL');
    await sleep(20);
  }
}

/** Whether the process is this folder's server: another may have its number by now. */
export function isRunning(processId: number, folder: string): boolean {
  if (!(processId > 0)) return false;
  return commandLine(processId).includes(`--datadir=${path.join(folder, 'data')}`);
}

function commandLine(processId: number): string {
  try {
    return readFileSync(`/proc/${String(processId)}/cmdline`, 'utf8');
  } catch {
    if (process.platform === 'linux') return '';
    return spawnSync('ps', ['-o', 'command=', '-p', String(processId)], { encoding: 'utf8' })
      .stdout;
  }
}
