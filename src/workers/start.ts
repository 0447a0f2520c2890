import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { findAbandonedJobs } from '../services/job-lease.ts';
import { repeat } from './repeat.ts';
import { recoverJobs, runJob } from './run-job.ts';
import type { WorkerDeps } from './worker-deps.ts';

export interface WorkerOptions extends Omit<WorkerDeps, 'owner'> {
  /** Jobs that this process works on at the same time. */
  readonly concurrency: number;
  /** Adds new rows of the audit trail to its chain; called every second. */
  readonly sealAudit: () => Promise<unknown>;
}

export interface RunningWorker {
  /** Stops at the next boundary, gives jobs back to the queue; what is still running after `seconds` is left to its lease. */
  stop(seconds: number): Promise<void>;
}

const RECOVERY_MS = 2_000;
const SEAL_MS = 1_000;

/** Starts a worker on the hub's queue. May run inside the API process or in one of its own. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { queue, log, concurrency, sealAudit } = options;
  const deps: WorkerDeps = {
    ...options,
    owner: `${hostname()}:${String(process.pid)}:${randomUUID().slice(0, 8)}`,
  };
  const draining = new AbortController();

  await queue.work(
    'run-job',
    async ({ jobId }) => {
      await runJob(jobId, deps, draining.signal);
    },
    concurrency,
  );

  const recovery = repeat(RECOVERY_MS, log, async () =>
    recoverJobs(deps, await findAbandonedJobs()),
  );
  // By the clock and not by a task for each row: writers of one task would wait for each other's transactions.
  const sealing = repeat(SEAL_MS, log, sealAudit);

  return {
    async stop(seconds) {
      draining.abort();
      await Promise.all([recovery.stop(), sealing.stop(), queue.stop(seconds)]);
    },
  };
}
