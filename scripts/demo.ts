import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { removeEmbeddedPostgres } from '../src/config/embedded-postgres.ts';
import { HubClient } from './demo/hub-client.ts';
import { startHub, type HubProcess } from './demo/hub-process.ts';
import { writeLegacyDatabase } from './demo/legacy-database.ts';
import { formatNumber, print, printTable, ProgressLine } from './demo/terminal.ts';

const TARGET_SCHEMA = 'shop';
/** As a shell says of what SIGINT has ended. */
const INTERRUPTED = 130;

/**
 * The main job, as a user of the API does it: a legacy SQLite file is uploaded, assessed, planned, copied, finished and verified
 * into PostgreSQL. Exit code 0 only if every row is accounted for and every digest matches. `--keep` leaves the hub running.
 * Each run has a folder of its own, which goes with it: two demos at once do not meet.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  const interrupted = listenForSignals();
  mkdirSync('.data', { recursive: true });
  const folder = mkdtempSync(path.resolve('.data/demo-'));
  const dataDir = path.join(folder, 'hub');
  let hub: HubProcess | undefined;
  try {
    print('Legacy Migration Hub: the main job\n');
    const legacyFile = path.join(folder, 'legacy-shop.sqlite');
    const legacy = writeLegacyDatabase(legacyFile);
    print(
      `1. Made a legacy database: ${formatNumber(legacy.rows)} rows, ${path.relative('.', legacyFile)}`,
    );

    hub = await startHub({ dataDir, signal: interrupted });
    print(`2. Started the hub with its own PostgreSQL: ${hub.url}`);
    const isComplete = await orInterrupt(interrupted, tryOut(hub, legacyFile));
    printNextSteps(hub, values.keep);
    if (values.keep && !interrupted.aborted) await once(interrupted, 'abort');
    return isComplete ? 0 : 1;
  } catch (error) {
    // What fails because the hub is being taken away says nothing that the user does not know.
    if (!interrupted.aborted) throw error;
    print('\nInterrupted: stopping the hub and removing its folder');
    return INTERRUPTED;
  } finally {
    await hub?.stop();
    await removeEmbeddedPostgres({ dataDir });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryOut(hub: HubProcess, legacyFile: string): Promise<boolean> {
  const client = new HubClient(hub.url);
  await client.login(hub.email, hub.password);
  print(`3. Logged in as ${hub.email}`);
  return await migrate(client, legacyFile);
}

async function migrate(client: HubClient, legacyFile: string): Promise<boolean> {
  const upload = await client.upload<{ id: string; sha256: string }>('/source-files', legacyFile);
  print(`4. Uploaded the file (SHA-256 ${upload.sha256.slice(0, 16)}…)`);

  const source = await client.post<{ id: string }>('/connections', {
    name: 'legacy shop',
    kind: 'sqlite',
    options: { sourceFileId: upload.id },
  });
  const target = await findTarget(client);
  const { version } = await client.post<{ version: string }>(`/connections/${target.id}/test`);
  print(`5. Connected both ends: the file and ${version}`);

  const job = await client.post<Job>('/migration-jobs', {
    name: 'Demo',
    sourceId: source.id,
    targetId: target.id,
    // `checksum` compares with what was sent; only `full` reads the source again.
    options: { targetSchema: TARGET_SCHEMA, verify: 'full' },
  });
  await client.post(`/migration-jobs/${job.id}/start`);
  print('6. Started the job; following its events\n');
  const finished = await follow(client, job.id);
  return await report(client, finished);
}

/** The connection that a hub with an embedded PostgreSQL brings along. */
async function findTarget(client: HubClient): Promise<{ id: string }> {
  const connections = await client.list<{ id: string; name: string }>('/connections');
  const target = connections.find(({ name }) => name === 'embedded');
  if (target === undefined) throw new Error('the hub has no connection named "embedded"');
  return target;
}

async function follow(client: HubClient, jobId: string): Promise<Job> {
  const line = new ProgressLine();
  for await (const { event, data } of client.events(`/migration-jobs/${jobId}/events`)) {
    if (event !== 'job') continue;
    const { phase, status, progress } = data as Job;
    const done = progress.rowsCopied + progress.rowsRejected;
    const share = progress.rowsTotal === 0 ? 0 : Math.min(1, done / progress.rowsTotal);
    const speed =
      progress.rowsPerSecond === null ? '' : `, ${formatNumber(progress.rowsPerSecond)} rows/s`;
    line.show(
      phase ?? status,
      share,
      `${formatNumber(done)} of ${formatNumber(progress.rowsTotal)} rows${speed}`,
    );
  }
  line.end();
  return await client.get<Job>(`/migration-jobs/${jobId}`);
}

async function report(client: HubClient, job: Job): Promise<boolean> {
  const tables = await client.list<TableRow>(`/migration-jobs/${job.id}/tables`);
  print();
  printTable(
    ['table', 'read', 'copied', 'rejected', 'adjusted', 'verdict'],
    tables.map((table) => [
      table.sourceTable,
      table.rowsRead,
      table.rowsCopied,
      table.rowsRejected,
      table.rowsAdjusted,
      table.verdict,
    ]),
  );
  await printExceptions(client, job.id);

  const balances = tables.every(
    ({ rowsRead, rowsCopied, rowsRejected }) => rowsRead === rowsCopied + rowsRejected,
  );
  const isVerified = tables.length > 0 && tables.every(({ verdict }) => verdict === 'passed');
  print(`\n  Job ${job.status}${job.error === null ? '' : `: ${job.error.error}`}`);
  print(`  Every row accounted for (read = copied + rejected): ${balances ? 'yes' : 'NO'}`);
  print(`  Every digest of the target equals that of the source: ${isVerified ? 'yes' : 'NO'}`);
  print(`  The data is in schema ${TARGET_SCHEMA} of the target database`);
  return job.status === 'succeeded' && balances && isVerified;
}

async function printExceptions(client: HubClient, jobId: string): Promise<void> {
  const adjustments = await client.list<Adjustment>(`/migration-jobs/${jobId}/adjustments`);
  const rejects = await client.list<RejectedRow>(`/migration-jobs/${jobId}/rejects`);
  if (adjustments.length + rejects.length > 0) print();
  for (const { table, column, rule, count } of adjustments) {
    print(`  adjusted: ${formatNumber(count)} values of ${table}.${column} by rule ${rule}`);
  }
  for (const { table, column, reasonCode, key } of rejects.slice(0, 3)) {
    print(`  rejected: ${table} ${JSON.stringify(key)}: ${column} has ${reasonCode}`);
  }
  if (rejects.length > 3)
    print(`  … and ${String(rejects.length - 3)} more, kept with their original bytes`);
}

function printNextSteps(hub: HubProcess, isKept: boolean): void {
  print('\nWhere to look next');
  if (!isKept) {
    print('  npm run demo -- --keep    the same, and the hub stays up to be explored with curl');
    print('  npm start                 a hub of your own');
    print('  README.md                 the same migration step by step with curl');
    return;
  }
  print(`  The hub runs at ${hub.url} until Ctrl-C. Log in:`);
  print(`  curl -s ${hub.url}/api/v1/auth/login -H 'Content-Type: application/json' \\`);
  print(`    -d '{"credential":"${hub.email}","password":"${hub.password}"}'`);
}

/** Aborted at Ctrl-C. Listens for as long as the process lives: a second one must not cut the cleaning up short. */
function listenForSignals(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      interrupted.abort();
    });
  }
  return interrupted.signal;
}

/** Waits for `work`, or throws as soon as the user wants to end; what `work` throws after that is nobody's business. */
async function orInterrupt<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    reject(signal.reason as Error);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return await Promise.race([work, promise]);
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly phase: string | null;
  readonly error: { readonly error: string } | null;
  readonly progress: {
    readonly rowsTotal: number;
    readonly rowsCopied: number;
    readonly rowsRejected: number;
    readonly rowsPerSecond: number | null;
  };
}

interface TableRow {
  readonly sourceTable: string;
  readonly rowsRead: number;
  readonly rowsCopied: number;
  readonly rowsRejected: number;
  readonly rowsAdjusted: number;
  readonly verdict: string;
}

interface Adjustment {
  readonly table: string;
  readonly column: string;
  readonly rule: string;
  readonly count: number;
}

interface RejectedRow {
  readonly table: string;
  readonly column: string;
  readonly reasonCode: string;
  readonly key: object;
}

// An interrupted job leaves requests behind that would keep the process waiting.
process.exit(await main());
