import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HubOptions {
  /** Folder of the hub's data, embedded PostgreSQL included. */
  readonly dataDir: string;
}

/** A hub in a process of its own, as `npm start` runs it. */
export interface HubProcess {
  readonly url: string;
  readonly email: string;
  readonly password: string;
  /** Stops the hub and its database, and waits until both are gone. */
  stop(): Promise<void>;
}

const START_SECONDS = 120;

/** Starts the hub on a free port and waits until it is ready. Throws with the hub's own words when it is not. */
export async function startHub({ dataDir }: HubOptions): Promise<HubProcess> {
  const port = await findFreePort();
  const email = 'demo@example.com';
  const password = randomBytes(18).toString('base64url');
  const child = spawn(process.execPath, ['server.ts'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is for the demo, which then stops the hub in order.
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: dataDir,
      LOG_LEVEL: 'warn',
      ADMIN_EMAIL: email,
      ADMIN_PASSWORD: password,
    },
  });
  const output: string[] = [];
  child.stdout.on('data', (text: Buffer) => output.push(text.toString()));
  child.stderr.on('data', (text: Buffer) => output.push(text.toString()));

  const url = `http://127.0.0.1:${String(port)}`;
  try {
    await waitUntilReady(url, child);
  } catch (error) {
    await stop(child);
    throw new Error(`the hub did not start:\n${output.join('').slice(-4000)}`, { cause: error });
  }
  return { url, email, password, stop: () => stop(child) };
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`exit code ${String(child.exitCode)}`);
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`not ready after ${String(START_SECONDS)} seconds`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
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
