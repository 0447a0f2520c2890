import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile, mkdir, readdir } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');

interface Hub {
  readonly child: ChildProcess;
  readonly url: string;
  output(): string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

describe('server.ts', () => {
  let database: TestDatabase;
  let dataDir: string;
  const hubs: Hub[] = [];

  const start = async (variables: Record<string, string> = {}): Promise<Hub> => {
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, ['server.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH,
        HOME,
        NODE_ENV: 'development',
        DATABASE_URL: database.url,
        DATA_DIR: dataDir,
        PORT: String(port),
        HOST: '127.0.0.1',
        ...variables,
      },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const hub = { child, url: `http://127.0.0.1:${String(port)}`, output: () => output, ended };
    hubs.push(hub);
    return hub;
  };
  const untilReady = async (hub: Hub) => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (hub.child.exitCode !== null) throw new Error(hub.output());
      const response = await fetch(`${hub.url}/readyz`).catch(() => null);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`not ready: ${hub.output()}`);
  };
  const logIn = async (hub: Hub, password: string) => {
    const response = await fetch(`${hub.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ credential: 'admin', password }),
    });
    return { status: response.status, body: (await response.json()) as { accessToken: string } };
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'hub-server-'));
  });

  afterEach(async () => {
    for (const { child, ended } of hubs.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('makes an admin once, seals what happens, and stops in order', async () => {
    await mkdir(path.join(dataDir, 'uploads'));
    await writeFile(
      path.join(dataDir, 'uploads', `x.${os.hostname()}-4194305.part`),
      'left behind',
    );
    const first = await start();
    await untilReady(first);
    const [, password = ''] = /First admin: admin .*password: (\S+)/.exec(first.output()) ?? [];
    const { status, body } = await logIn(first, password);
    expect(status).toBe(200);
    expect(await readdir(path.join(dataDir, 'uploads'))).toEqual([]);

    let sealed: { ok?: boolean; rows?: number } = {};
    for (let attempt = 0; attempt < 50 && (sealed.rows ?? 0) < 2; attempt += 1) {
      const response = await fetch(`${first.url}/api/v1/audit-trail/verify`, {
        headers: { Authorization: `Bearer ${body.accessToken}` },
      });
      sealed = (await response.json()) as typeof sealed;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    first.child.kill('SIGTERM');

    expect(sealed).toMatchObject({ ok: true, rows: 2 });
    expect(await first.ended).toBe(0);
    expect(first.output()).toContain('the API has stopped');

    const second = await start();
    await untilReady(second);
    expect(second.output()).not.toContain('First admin');
    expect((await logIn(second, password)).status).toBe(200);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
  }, 60_000);

  it('M7: ends at once at the second signal', async () => {
    const hub = await start({ ADMIN_PASSWORD: 'a long enough password', WORKER: 'none' });
    await untilReady(hub);
    const socket = net.connect(Number(new URL(hub.url).port), '127.0.0.1');
    // A request that never ends holds the first signal up.
    socket.write(
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 300));

    hub.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 500));
    hub.child.kill('SIGTERM');

    expect(await hub.ended).toBe(1);
    socket.destroy();
  }, 60_000);

  it('M9: lists in production everything that is missing, and prints no secret', async () => {
    const hub = await start({
      NODE_ENV: 'production',
      DATABASE_URL: '',
      DATA_DIR: '',
      JWT_SECRETS: 'one:c2hvcnQtc2VjcmV0',
      PORT: 'many',
    });

    expect(await hub.ended).toBe(1);
    for (const name of ['DATABASE_URL', 'DATA_DIR', 'CONNECTION_KEYS', 'JWT_SECRETS', 'PORT']) {
      expect(hub.output()).toContain(name);
    }
    expect(hub.output()).not.toContain('c2hvcnQtc2VjcmV0');
  }, 60_000);

  it('M9: does not start in production before the schema is up to date', async () => {
    const key = () => randomBytes(32).toString('base64');
    const hub = await start({
      NODE_ENV: 'production',
      JWT_SECRETS: `one:${key()}`,
      CONNECTION_KEYS: `one:${key()}`,
    });

    expect(await hub.ended).toBe(1);
    expect(hub.output()).toContain('npm run db:migrate');
  }, 60_000);

  it('says so when its port is taken', async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as net.AddressInfo;

    const hub = await start({ PORT: String(port) });

    expect(await hub.ended).toBe(1);
    expect(hub.output()).toContain('EADDRINUSE');
    taken.close();
  }, 60_000);
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
