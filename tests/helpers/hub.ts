import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { parseDatabaseUrl } from '../../src/config/database-url.ts';
import { Queue } from '../../src/queue/queue.ts';
import {
  getConnection,
  locateSource,
  locateTarget,
} from '../../src/services/connection-locations.ts';
import { startWorker } from '../../src/workers/start.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from './api.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** The API with a real queue, a worker in this process, and a target database of its own. */
export interface TestHub {
  readonly api: TestApi;
  readonly admin: TestUser;
  readonly target: TestDatabase;
  /** A client on the target database. */
  readonly targetClient: pg.Client;
  /** The target as a registered connection. */
  readonly targetId: string;
  /** Registers a SQLite file of the test as a source. */
  addSource(file: string): Promise<string>;
  /** Registers any connection. */
  addConnection(kind: string, options: object): Promise<string>;
  call(method: 'get' | 'post' | 'patch' | 'delete', resource: string, body?: object): Answer;
  createJob(sourceId: string, options?: object): Promise<JobBody>;
  /** Waits until the job has the status, at most 60 seconds. */
  waitFor(jobId: string, ...statuses: readonly string[]): Promise<JobBody>;
  close(): Promise<void>;
}

export type Answer = ReturnType<TestApi['client']['get']>;

export interface JobBody {
  readonly id: string;
  readonly status: string;
  readonly phase: string | null;
  readonly version: number;
  readonly error: { readonly error: string; readonly code: string; readonly field?: string } | null;
  readonly verification: { readonly status: string; readonly tablesFailed: number } | null;
  readonly progress: {
    readonly rowsCopied: number;
    readonly rowsTotal: number;
    readonly bytesCopied: number;
  };
}

export interface TableBody {
  readonly sourceTable: string;
  readonly rowsRead: number;
  readonly rowsCopied: number;
  readonly rowsRejected: number;
  readonly verdict: string;
  readonly failures: readonly {
    readonly lower: object | null;
    readonly upper: object | null;
    readonly differences: {
      readonly missing: { readonly rows: number; readonly keys: readonly object[] };
      readonly unexpected: { readonly rows: number; readonly keys: readonly object[] };
    } | null;
  }[];
}

/** `runsWorker: false` leaves jobs in the queue. */
export async function startTestHub({ runsWorker = true } = {}): Promise<TestHub> {
  const api = await startTestApi({ settings: { connectionHostsAllowed: ['127.0.0.0/8'] } });
  const queue = new Queue({
    connection: parseDatabaseUrl(api.database.url),
    schema: 'hub_queue',
    onError: (error) => {
      api.hub.log.error({ err: error }, 'queue');
    },
  });
  await queue.start();
  Object.assign(api.hub, { queue });
  const worker = runsWorker
    ? await startWorker({
        queue,
        log: api.hub.log,
        connectionKeys: api.hub.settings.connectionKeys,
        concurrency: 2,
        locateSource: async (id) => locateSource(api.hub, await getConnection(id)),
        locateTarget: async (id) => locateTarget(api.hub, await getConnection(id)),
        sealAudit: () => Promise.resolve(),
      })
    : null;

  const admin = await buildUser(api);
  const target = await createTestDatabase();
  const targetClient = new pg.Client({ connectionString: target.url });
  targetClient.on('error', () => undefined);
  await targetClient.connect();

  const call: TestHub['call'] = (method, resource, body) => {
    const request = api.client[method](`/api/v1${resource}`).set(admin.headers);
    return body === undefined ? request : request.send(body);
  };
  const created = async (resource: string, body: object): Promise<{ id: string }> =>
    (await call('post', resource, body).expect(201)).body as { id: string };

  const { host, port, user, password, database } = parseDatabaseUrl(target.url);
  const options = { host, port, user, password, database };
  const { id: targetId } = await created('/connections', {
    name: 'target',
    kind: 'postgres',
    options,
  });
  let files = 0;
  let connections = 0;
  return {
    api,
    admin,
    target,
    targetClient,
    targetId,
    call,
    async addSource(file) {
      files += 1;
      const name = `source-${String(files)}.sqlite`;
      const folder = path.join(api.dataDir, 'sources');
      await mkdir(folder, { recursive: true });
      await copyFile(file, path.join(folder, name));
      return (await created('/connections', { name, kind: 'sqlite', options: { path: name } })).id;
    },
    async addConnection(kind, connectionOptions) {
      connections += 1;
      const name = `${kind}-${String(connections)}`;
      const body = { name, kind, options: connectionOptions };
      return (await created('/connections', body)).id;
    },
    async createJob(sourceId, jobOptions = {}) {
      const body = { name: 'a job', sourceId, targetId, options: jobOptions };
      return (await created('/migration-jobs', body)) as JobBody;
    },
    async waitFor(jobId, ...statuses) {
      const deadline = Date.now() + 60_000;
      let job = (await call('get', `/migration-jobs/${jobId}`)).body as JobBody;
      while (!statuses.includes(job.status)) {
        if (Date.now() > deadline) throw new Error(`the job is ${JSON.stringify(job)}`);
        await sleep(25);
        job = (await call('get', `/migration-jobs/${jobId}`)).body as JobBody;
      }
      return job;
    },
    async close() {
      await (worker === null ? queue.stop(5) : worker.stop(5));
      await targetClient.end();
      await target.drop();
      await api.close();
    },
  };
}
