import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LEASE_SECONDS, renewJob, type HeldJob } from '../services/job-lease.ts';

/** Why a worker stops in the middle of a job. */
export const STOP_REASONS = ['paused', 'requeued', 'cancelled', 'lost', 'draining'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** The reason of the abort signal that a watch gives. */
export class JobStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the job was stopped: ${reason}`);
    this.name = 'JobStopped';
    this.reason = reason;
  }
}

export interface LeaseWatch {
  /** Aborted with a JobStopped. */
  readonly signal: AbortSignal;
  /** Ends the watch; the lease stays as it is. */
  stop(): Promise<void>;
}

const RENEW_MS = 1000;

export interface LeaseWatchOptions {
  readonly held: HeldJob;
  /** Aborted when this worker shuts down. */
  readonly draining: AbortSignal;
  /** Runs after each renewal. It may fail without consequence for the lease. */
  readonly onBeat: () => Promise<void>;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Keeps a job's lease and sees within a second when somebody pauses or cancels it. A lease that could not be renewed for as
 * long as it lasts is given up, also while a renewal is still waiting for its answer: another worker may have the job by then.
 */
export function watchLease({ held, draining, onBeat, log }: LeaseWatchOptions): LeaseWatch {
  const abort = new AbortController();
  const ended = new AbortController();
  const stop = (reason: StopReason): void => {
    abort.abort(new JobStopped(reason));
  };
  const drain = (): void => {
    stop('draining');
  };
  if (draining.aborted) drain();
  draining.addEventListener('abort', drain, { once: true });

  let expiry = setTimeout(stop, LEASE_SECONDS * 1000, 'lost');
  async function beat(): Promise<void> {
    while (await waitForNextBeat(ended.signal)) {
      // The lease runs from when the database got the request, which is not before this.
      const askedAt = Date.now();
      try {
        const reason = stopReason(await renewJob(held));
        if (reason !== null) {
          stop(reason);
          return;
        }
        clearTimeout(expiry);
        expiry = setTimeout(stop, LEASE_SECONDS * 1000 - (Date.now() - askedAt), 'lost');
        await onBeat();
      } catch (error) {
        log.warn({ err: error, jobId: held.jobId }, 'a beat of the job has failed');
      }
    }
  }

  const beating = beat();
  return {
    signal: abort.signal,
    async stop() {
      ended.abort();
      clearTimeout(expiry);
      draining.removeEventListener('abort', drain);
      await beating;
      clearTimeout(expiry);
    },
  };
}

/** False: the watch has ended. */
async function waitForNextBeat(ended: AbortSignal): Promise<boolean> {
  await sleep(RENEW_MS, undefined, { signal: ended, ref: false }).catch(() => undefined);
  return !ended.aborted;
}

function stopReason(status: Awaited<ReturnType<typeof renewJob>>): StopReason | null {
  if (status === null) return 'lost';
  if (status === 'running') return null;
  if (status === 'queued') return 'requeued';
  return status === 'paused' ? 'paused' : 'cancelled';
}
