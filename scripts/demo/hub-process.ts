import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HubOptions {
  /** Folder of the hub's data, embedded PostgreSQL included. */
  readonly dataDir: string;
  /** More of the environment, e.g. `WORKER: 'none'`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gives up waiting for the hub, and stops it. */
  readonly signal?: AbortSignal;
}

/** A hub in a process of its own, as `npm start` runs it. */
export interface HubProcess {
  readonly url: string;
  readonly email: string;
  readonly password: string;
  /** Stops the hub and its database, and waits until both are gone. */
  stop(): Promise<void>;
}

/** A process of the hub's own. */
export interface ChildHandle {
  readonly child: ChildProcess;
  /** What it has written so far, the last 4,000 characters. */
  output(): string;
  /** Sends a signal and waits for the end; harmless when it has ended already. Default: SIGTERM. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const START_SECONDS = 120;

/** Starts the hub on a free port and waits until it is ready. Throws with the hub's own words when it is not. */
export async function startHub({ dataDir, env = {}, signal }: HubOptions): Promise<HubProcess> {
  const port = await findFreePort();
  const email = 'demo@example.com';
  const password = randomBytes(18).toString('base64url');
  const hub = startEntry('server.ts', {
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    ADMIN_EMAIL: email,
    ADMIN_PASSWORD: password,
    ...env,
  });
  const url = `http://127.0.0.1:${String(port)}`;
  try {
    await waitUntilReady(url, hub.child, signal);
  } catch (error) {
    await hub.stop();
    throw new Error(`the hub did not start:\n${hub.output()}`, { cause: error });
  }
  return { url, email, password, stop: () => hub.stop() };
}

/** Runs an entry file of the project, in development mode unless `env` says otherwise. */
export function startEntry(entry: string, env: Readonly<Record<string, string>>): ChildHandle {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is for the parent, which then stops the child in order.
    detached: true,
    env: { PATH, HOME, NODE_ENV: 'development', LOG_LEVEL: 'warn', ...env },
  });
  let output = '';
  const keep = (text: Buffer): void => {
    output = (output + text.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => output, stop: (signal = 'SIGTERM') => stop(child, signal) };
}

async function waitUntilReady(
  url: string,
  child: ChildProcess,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1000;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`exit code ${String(child.exitCode)}`);
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`not ready after ${String(START_SECONDS)} seconds`);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
