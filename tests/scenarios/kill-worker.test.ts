import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { HubClient } from '../../scripts/demo/hub-client.ts';
import {
  startEntry,
  startHub,
  type ChildHandle,
  type HubProcess,
} from '../../scripts/demo/hub-process.ts';
import { writeLegacyDatabase } from '../../scripts/demo/legacy-database.ts';
import { startEmbeddedPostgres } from '../../src/config/embedded-postgres.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly phase: string | null;
  readonly error: object | null;
  readonly progress: { readonly rowsTotal: number; readonly rowsCopied: number };
  readonly verification: object | null;
}

describe('a worker that is killed', () => {
  let folder: string;
  let hub: HubProcess;
  let client: HubClient;
  const workers: ChildHandle[] = [];

  function startWorker(): ChildHandle {
    const worker = startEntry('worker.ts', { DATA_DIR: path.join(folder, 'hub') });
    workers.push(worker);
    return worker;
  }

  async function waitFor(jobId: string, isReached: (job: Job) => boolean): Promise<Job> {
    const deadline = Date.now() + 120_000;
    while (Date.now() < deadline) {
      const job = await client.get<Job>(`/migration-jobs/${jobId}`);
      if (isReached(job)) return job;
      await sleep(20);
    }
    throw new Error('the job did not get there in time');
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-kill-'));
    hub = await startHub({ dataDir: path.join(folder, 'hub'), env: { WORKER: 'none' } });
    client = new HubClient(hub.url);
    await client.login(hub.email, hub.password);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('in the middle of copying leaves a job that the next one ends as if nothing had happened', async () => {
    const file = path.join(folder, 'legacy.sqlite');
    const legacy = writeLegacyDatabase(file);
    const upload = await client.upload<{ id: string }>('/source-files', file);
    const source = await client.post<{ id: string }>('/connections', {
      name: 'legacy',
      kind: 'sqlite',
      options: { sourceFileId: upload.id },
    });
    const target = (await client.list<{ id: string; name: string }>('/connections')).find(
      ({ name }) => name === 'embedded',
    );
    const { id } = await client.post<Job>('/migration-jobs', {
      name: 'kill',
      sourceId: source.id,
      targetId: target?.id,
      options: { targetSchema: 'kill_test', chunkRows: 500, verify: 'full' },
    });
    await client.post(`/migration-jobs/${id}/start`);

    const killedAt: number[] = [];
    for (const share of [0.1, 0.4, 0.7]) {
      const worker = startWorker();
      const job = await waitFor(
        id,
        ({ phase, progress }) => phase === 'copy' && progress.rowsCopied > share * legacy.rows,
      );
      await worker.stop('SIGKILL');
      killedAt.push(job.progress.rowsCopied);
      expect(job.progress.rowsCopied).toBeLessThan(legacy.rows);
    }
    startWorker();
    const ended = await waitFor(id, ({ status }) => status === 'succeeded' || status === 'failed');

    expect(ended.error).toBeNull();
    expect(ended.status).toBe('succeeded');
    expect(ended.verification).toMatchObject({ status: 'passed', tablesFailed: 0 });
    expect(killedAt).toHaveLength(3);
    await expectSameRows(file);
  }, 300_000);

  /** Counts and sums by SQL on both sides: nothing of the engine takes part. */
  async function expectSameRows(file: string): Promise<void> {
    const server = await startEmbeddedPostgres({ dataDir: path.join(folder, 'hub') });
    const target = new pg.Client({ connectionString: server.databaseUrl('target') });
    const source = new DatabaseSync(file, { readOnly: true });
    await target.connect();
    try {
      for (const [table, column] of [
        ['OrderLines', 'OrderID'],
        ['OrderLines', 'quantity'],
        ['Orders', 'OrderID'],
        ['payments', 'OrderID'],
        ['Products', 'CategoryID'],
      ] as const) {
        const there = source
          .prepare(`SELECT count(*) AS rows, sum("${column}") AS total FROM "${table}"`)
          .get();
        const { rows } = await target.query<{ rows: string; total: string }>(
          `SELECT count(*) AS rows, sum("${column.toLowerCase()}") AS total FROM kill_test."${table.toLowerCase()}"`,
        );
        expect(rows[0]).toEqual({ rows: String(there?.rows), total: String(there?.total) });
      }
      const { rows } = await target.query<{ rows: string }>(
        'SELECT count(*) AS rows FROM kill_test.event_log',
      );
      expect(rows[0]?.rows).toBe(
        String(source.prepare('SELECT count(*) AS rows FROM event_log').get()?.rows),
      );
    } finally {
      source.close();
      await target.end();
      await server.stop();
    }
  }
});
