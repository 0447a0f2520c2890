import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { findAbandonedJobs } from '../services/job-lease.ts';
import { recoverJobs, runJob } from './run-job.ts';
import type { WorkerDeps } from './worker-deps.ts';

export interface WorkerOptions extends Omit<WorkerDeps, 'owner'> {
  /** Jobs that this process works on at the same time. */
  readonly concurrency: number;
  readonly sealAudit: () => Promise<void>;
}

export interface RunningWorker {
  /** Stops at the next boundary, gives jobs back to the queue; what is still running after `seconds` is left to its lease. */
  stop(seconds: number): Promise<void>;
}

const RECOVERY_MS = 2_000;

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
    async ({ jobId }, { signal }) => {
      await runJob(jobId, deps, AbortSignal.any([draining.signal, signal]));
    },
    concurrency,
  );
  await queue.work('seal-audit', sealAudit, 1);

  const recover = async (): Promise<void> => {
    try {
      await recoverJobs(deps, await findAbandonedJobs());
    } catch (error) {
      log.warn({ err: error }, 'looking for abandoned jobs failed');
    }
  };
  await recover();
  const timer = setInterval(() => void recover(), RECOVERY_MS);
  timer.unref();

  return {
    async stop(seconds) {
      clearInterval(timer);
      draining.abort();
      await queue.stop(seconds);
    },
  };
}
