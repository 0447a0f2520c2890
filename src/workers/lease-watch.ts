import { setTimeout as sleep } from 'node:timers/promises';
import { LEASE_SECONDS, renewJob, type HeldJob } from '../services/job-lease.ts';

/** Why a worker stops in the middle of a job. */
export const STOP_REASONS = ['paused', 'cancelled', 'lost', 'draining'] as const;
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

/**
 * Keeps a job's lease and sees within a second when somebody pauses or cancels it. A lease that could not be renewed for as
 * long as it lasts is given up: another worker may have the job by then. `onBeat` runs after each renewal.
 */
export function watchLease(
  held: HeldJob,
  draining: AbortSignal,
  onBeat: () => Promise<void>,
): LeaseWatch {
  const abort = new AbortController();
  const ended = new AbortController();
  const drain = (): void => {
    abort.abort(new JobStopped('draining'));
  };
  if (draining.aborted) drain();
  draining.addEventListener('abort', drain, { once: true });

  async function beat(): Promise<void> {
    let renewedAt = Date.now();
    while (await waitForNextBeat(ended.signal)) {
      try {
        const reason = stopReason(await renewJob(held));
        if (reason !== null) {
          abort.abort(new JobStopped(reason));
          return;
        }
        renewedAt = Date.now();
        await onBeat();
      } catch {
        // The hub's database does not answer: the lease holds until it runs out, so does the work.
        if (Date.now() - renewedAt < LEASE_SECONDS * 1000) continue;
        abort.abort(new JobStopped('lost'));
        return;
      }
    }
  }

  const beating = beat();
  return {
    signal: abort.signal,
    async stop() {
      ended.abort();
      draining.removeEventListener('abort', drain);
      await beating;
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
  return status === 'paused' ? 'paused' : 'cancelled';
}
