import { AppError } from '../errors/app-error.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { isConnectionLoss } from '../models/connection-loss.ts';
import { MigrationJob, type JobError } from '../models/migration-job.ts';
import { inTransaction } from '../models/transaction.ts';
import { claimJob, releaseJob, type HeldJob } from '../services/job-lease.ts';
import { endRun, logJob } from '../services/job-run.ts';
import { runAction } from './job-actions.ts';
import { JobStopped, watchLease, type StopReason } from './lease-watch.ts';
import type { WorkerDeps } from './worker-deps.ts';

/**
 * The task `run-job`: takes a job on from where it is until it ends, is stopped, or this worker drains. While another worker
 * holds the job it does nothing: `recoverJobs` asks again when that lease is free. Throws only while the hub's own database
 * does not answer.
 */
export async function runJob(
  jobId: string,
  deps: WorkerDeps,
  draining: AbortSignal,
): Promise<void> {
  const claim = await claimJob(jobId, deps.owner);
  if (claim.outcome !== 'claimed') return;

  const { held } = claim;
  const beats = new Set<() => Promise<void>>();
  const watch = watchLease({
    held,
    draining,
    log: deps.log,
    onBeat: async () => {
      for (const beat of beats) await beat();
    },
  });
  try {
    const job = await MigrationJob.unscoped().findByPk(jobId, { rejectOnEmpty: true });
    await runAction({ held, job, deps, signal: watch.signal, onBeat: (beat) => beats.add(beat) });
  } catch (error) {
    await watch.stop();
    await conclude(held, deps, watch.signal.aborted ? watch.signal.reason : error);
  } finally {
    await watch.stop();
    await releaseJob(held);
    // Somebody asked for the job again while this worker was still stopping: its task has found the lease taken.
    if (isStoppedFor(watch.signal, 'requeued')) await recoverJobs(deps, [jobId]);
  }
}

function isStoppedFor({ reason }: AbortSignal, expected: StopReason): boolean {
  return reason instanceof JobStopped && reason.reason === expected;
}

/** What becomes of a job whose run did not come to its end. */
async function conclude(held: HeldJob, deps: WorkerDeps, error: unknown): Promise<void> {
  if (error instanceof JobStopped) {
    await stop(held, deps, error);
    return;
  }
  // Another worker has it; whatever this one would say is no longer its to say.
  if (error instanceof AppError && error.code === 'JOB_LEASE_LOST') return;
  if (isConnectionLoss(error)) {
    deps.log.warn({ err: error, jobId: held.jobId }, 'the database of the hub did not answer');
    await requeue(
      held,
      deps,
      'The database of the hub did not answer: the job goes on when it does',
    );
    return;
  }

  const jobError = describeError(error);
  if (jobError.code === 'INTERNAL')
    deps.log.error({ err: error, jobId: held.jobId }, 'job failed unexpectedly');
  else deps.log.warn({ jobId: held.jobId, code: jobError.code }, 'job failed');
  await endRun(
    held,
    { status: 'failed', error: jobError, isFinal: true },
    { level: 'error', message: jobError.message },
  );
}

async function stop(held: HeldJob, deps: WorkerDeps, { reason }: JobStopped): Promise<void> {
  if (reason === 'lost') return;
  if (reason !== 'draining') {
    await logJob(held, [
      {
        level: 'info',
        message: `Stopped: ${reason}. What was committed stays; the rest can go on`,
      },
    ]);
    return;
  }
  await requeue(held, deps, 'This worker is shutting down: the job goes to the next one');
}

async function requeue(held: HeldJob, deps: WorkerDeps, message: string): Promise<void> {
  await endRun(
    held,
    { status: 'queued', isFinal: false },
    { level: 'info', message },
    async (transaction) => {
      await deps.queue.enqueue(transaction, 'run-job', { jobId: held.jobId });
    },
  );
}

/** An error as the job shows it: a named one with its field, anything else without its text. */
function describeError(error: unknown): JobError {
  if (!(error instanceof AppError))
    return {
      code: 'INTERNAL',
      message: 'Internal error: see the log of the worker',
      recovery: 'fatal',
    };
  const { field } = error.details;
  return {
    code: error.code,
    message: error.message,
    recovery: error.recovery,
    ...(field === undefined ? {} : { field }),
  };
}

/** Enqueues jobs whose worker or task was lost. Where the task is there after all, nothing happens. */
export async function recoverJobs(deps: WorkerDeps, jobIds: readonly string[]): Promise<void> {
  for (const jobId of jobIds) {
    await inTransaction(sequelizeOf(MigrationJob), (transaction) =>
      deps.queue.enqueue(transaction, 'run-job', { jobId }),
    );
  }
}
