import { literal, Op, QueryTypes, Transaction, type WhereOptions } from 'sequelize';
import { AppError } from '../errors/app-error.ts';
import { quotedTable, sequelizeOf } from '../models/hub-schema.ts';
import { MigrationJob } from '../models/migration-job.ts';
import type { JobStatus } from '../models/vocabulary.ts';

/** A job that this worker holds. Every write of the worker names the token: one that was given up cannot write any more. */
export interface HeldJob {
  readonly jobId: string;
  readonly owner: string;
  readonly token: number;
}

/** A worker renews every second; after this long without, the job is anybody's. Time is the database's. */
export const LEASE_SECONDS = 10;

const LEASE_END = literal(`now() + interval '${String(LEASE_SECONDS)} seconds'`);

export type ClaimResult =
  | { readonly outcome: 'claimed'; readonly held: HeldJob }
  /** Another worker holds it still: try again soon. */
  | { readonly outcome: 'busy' }
  /** Nothing to do: finished, paused, cancelled or gone. */
  | { readonly outcome: 'idle' };

/** Takes a job that is queued, or running under a lease that has run out, in one conditional update. */
export async function claimJob(jobId: string, owner: string): Promise<ClaimResult> {
  const [claimed] = await sequelizeOf(MigrationJob).query<{ lease_token: number }>(
    `UPDATE ${quotedTable(MigrationJob)}
        SET status = 'running', lease_owner = $owner, lease_token = lease_token + 1,
            lease_expires_at = now() + $seconds * interval '1 second', started_at = coalesce(started_at, now()),
            finished_at = NULL, error = NULL, version = version + 1, updated_at = now()
      WHERE id = $jobId AND status IN ('queued', 'running') AND (lease_expires_at IS NULL OR lease_expires_at <= now())
  RETURNING lease_token`,
    { bind: { jobId, owner, seconds: LEASE_SECONDS }, type: QueryTypes.SELECT },
  );
  if (claimed !== undefined) {
    return { outcome: 'claimed', held: { jobId, owner, token: claimed.lease_token } };
  }
  const waiting = await MigrationJob.count({ where: { id: jobId, status: ['queued', 'running'] } });
  return { outcome: waiting > 0 ? 'busy' : 'idle' };
}

/** Keeps the lease. Gives the job's status, which may no longer be `running`; null = another worker has the job. */
export async function renewJob(held: HeldJob): Promise<JobStatus | null> {
  const [, jobs] = await MigrationJob.update(
    { leaseExpiresAt: LEASE_END },
    { where: heldWhere(held), returning: ['status'], silent: true },
  );
  return jobs[0]?.status ?? null;
}

/** Gives the lease back. Harmless when it is lost already. */
export async function releaseJob(held: HeldJob): Promise<void> {
  await MigrationJob.update(
    { leaseExpiresAt: null, leaseOwner: null },
    { where: heldWhere(held), silent: true },
  );
}

/** The condition of every update that a worker makes on its job. */
export function heldWhere(held: HeldJob): WhereOptions<MigrationJob> {
  return { id: held.jobId, leaseToken: held.token, leaseOwner: held.owner };
}

/** @throws AppError JOB_LEASE_LOST where an update of a held job changed no row. */
export function assertHeld(changedRows: number): void {
  if (changedRows === 0) throw new AppError('JOB_LEASE_LOST');
}

/**
 * Locks a held job against being taken over until the transaction ends: what is written in it is written by its holder.
 * @throws AppError JOB_LEASE_LOST
 */
export async function assertStillHeld(held: HeldJob, transaction: Transaction): Promise<void> {
  const job = await MigrationJob.findOne({
    attributes: ['id'],
    where: heldWhere(held),
    lock: Transaction.LOCK.SHARE,
    transaction,
  });
  assertHeld(job === null ? 0 : 1);
}

/**
 * Ids of jobs that should be worked on and are not: their worker died, or their task was lost with the queue, or taken in the
 * moment in which it was asked for again. A job that merely waits for a free worker may be among them: its task is there.
 */
export async function findAbandonedJobs(): Promise<string[]> {
  const isFree = {
    [Op.or]: [{ leaseExpiresAt: null }, { leaseExpiresAt: { [Op.lte]: literal('now()') } }],
  };
  const isRunning = { status: 'running' };
  const waitsLong = {
    status: 'queued',
    updatedAt: { [Op.lte]: literal(`now() - interval '1 second'`) },
  };
  const jobs = await MigrationJob.findAll({
    attributes: ['id'],
    where: { [Op.and]: [isFree, { [Op.or]: [isRunning, waitsLong] }] },
    // Abandoned ones first: however many wait for a free worker, they must not hide one.
    order: [['status', 'DESC']],
    limit: 100,
  });
  return jobs.map(({ id }) => id);
}
