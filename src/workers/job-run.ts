import {
  completeOptions,
  type JobOptions,
  type PartialJobOptions,
  type Source,
} from '../engine/contract.ts';
import type { Ledger } from '../engine/target/ledger.ts';
import type { Target } from '../engine/target/target.ts';
import type { MigrationJob } from '../models/migration-job.ts';
import type { HeldJob } from '../services/job-lease.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** One run of one job by one worker. */
export interface JobRun {
  readonly held: HeldJob;
  readonly job: MigrationJob;
  readonly deps: WorkerDeps;
  readonly signal: AbortSignal;
  /** Adds something to do about once a second, while the lease is held. */
  readonly onBeat: (beat: () => Promise<void>) => void;
}

/** A run with both ends open. */
export interface OpenRun extends JobRun {
  readonly source: Source;
  readonly target: Target;
  readonly ledger: Ledger;
}

/** The job's options, complete. */
export function optionsOf(job: MigrationJob): JobOptions {
  return completeOptions(job.options as PartialJobOptions);
}
