import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { HubClient } from '../../../scripts/demo/hub-client.ts';
import { startEntry, startHub, type HubProcess } from '../../../scripts/demo/hub-process.ts';
import { writeLegacyDatabase } from '../../../scripts/demo/legacy-database.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

const DRAIN_SECONDS = 20;

interface Job {
  readonly id: string;
  readonly phase: string | null;
  readonly progress: { readonly rowsCopied: number };
}

describe('worker.ts', () => {
  let folder: string;
  let databases: TestDatabase[];
  let hub: HubProcess;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-worker-'));
    databases = [await createTestDatabase(), await createTestDatabase()];
    hub = await startHub({ dataDir: folder, env: { ...environment(), WORKER: 'none' } });
  }, 60_000);

  afterAll(async () => {
    await hub.stop();
    for (const database of databases) await database.drop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const environment = () => ({
    DATABASE_URL: databases[0]?.url ?? '',
    CONNECTION_HOSTS_ALLOWED: '127.0.0.1',
    LOG_LEVEL: 'info',
  });
  const startJob = async (client: HubClient) => {
    const file = path.join(folder, 'legacy.sqlite');
    writeLegacyDatabase(file);
    const upload = await client.upload<{ id: string }>('/source-files', file);
    const source = await client.post<{ id: string }>('/connections', {
      name: 'legacy',
      kind: 'sqlite',
      options: { sourceFileId: upload.id },
    });
    const { hostname, port, username, password } = new URL(databases[1]?.url ?? '');
    const target = await client.post<{ id: string }>('/connections', {
      name: 'target',
      kind: 'postgres',
      options: {
        host: hostname,
        port: Number(port),
        database: databases[1]?.name,
        user: decodeURIComponent(username),
        password: decodeURIComponent(password),
      },
    });
    const job = await client.post<Job>('/migration-jobs', {
      name: 'stopped',
      sourceId: source.id,
      targetId: target.id,
      options: { targetSchema: 'stopped', chunkRows: 500 },
    });
    await client.post(`/migration-jobs/${job.id}/start`);
    return job;
  };

  it('ends within its drain time when it is stopped in the middle of a job', async () => {
    const client = new HubClient(hub.url);
    await client.login(hub.email, hub.password);
    const { id } = await startJob(client);
    const worker = startEntry('worker.ts', { DATA_DIR: folder, ...environment() });
    const read = () => client.get<Job>(`/migration-jobs/${id}`);
    for (let job = await read(); job.progress.rowsCopied === 0; job = await read()) {
      if (worker.child.exitCode !== null) throw new Error(worker.output());
      await sleep(20);
    }

    const start = performance.now();
    await worker.stop();

    expect(performance.now() - start).toBeLessThan(DRAIN_SECONDS * 1000);
    expect(worker.child.exitCode).toBe(0);
    expect(worker.output()).toContain('worker has stopped');
    expect((await read()).phase).toBe('copy');
  }, 90_000);

  it('stops in order, and prints no statement, after an error that nobody has caught', async () => {
    const preload = path.join(folder, 'fail.mjs');
    await writeFile(preload, FAILURE);
    const worker = startEntry('worker.ts', {
      DATA_DIR: folder,
      ...environment(),
      NODE_OPTIONS: `--import=${preload}`,
    });
    await once(worker.child, 'exit');

    expect(worker.child.exitCode).toBe(1);
    expect(worker.output()).toContain('an error that nobody has caught');
    expect(worker.output()).toContain('worker has stopped');
    expect(worker.output()).not.toContain('canary');
  }, 60_000);
});

/** Fails outside of anything that could catch it, with what Sequelize hangs on its errors. */
const FAILURE = `
  setTimeout(() => {
    throw Object.assign(new Error('broken'), { sql: 'SELECT canary', parameters: ['canary'] });
  }, 2500);
`;
