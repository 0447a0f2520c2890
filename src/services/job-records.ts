import { literal } from 'sequelize';
import { SOURCE_KINDS, type PartialJobOptions } from '../engine/contract.ts';
import { AppError } from '../errors/app-error.ts';
import { Connection } from '../models/connection.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { inTransaction } from '../models/transaction.ts';
import type { JobPhase, JobStatus } from '../models/vocabulary.ts';
import { recordAudit, type AuditContext } from './audit.ts';

export interface JobInput {
  readonly name: string;
  readonly sourceId: string;
  readonly targetId: string;
  readonly options: PartialJobOptions;
}

/** @throws AppError NOT_FOUND and CONNECTION_KIND_UNSUITABLE, with the field that is to blame. */
export async function createJob(input: JobInput, context: AuditContext): Promise<MigrationJob> {
  await assertSuitable(input.sourceId, 'source');
  await assertSuitable(input.targetId, 'target');
  return await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const { name, sourceId, targetId, options } = input;
    const createdBy = context.actor?.id ?? null;
    const job = await MigrationJob.create(
      { name, sourceId, targetId, options, createdBy },
      { transaction },
    );
    await recordAudit(transaction, {
      action: 'job.create',
      entity: { type: 'migration_job', id: job.id },
      outcome: 'success',
      detail: { name, sourceId, targetId },
      context,
    });
    return job;
  });
}

export interface JobChange {
  readonly name?: string;
  readonly options?: PartialJobOptions;
}

/** Options of the scan: the assessment stays good while these are what they were. */
const SCAN_OPTIONS = [
  'include',
  'exclude',
  'chunkRows',
  'policies',
  'columnPolicies',
  'casts',
] as const;
const PHASES_WITHOUT_TARGET: readonly (JobPhase | null)[] = [null, 'assess', 'plan'];

export interface UpdateJobRequest {
  /** The version that the client has read; null = any. */
  readonly version: number | null;
  readonly change: JobChange;
  readonly context: AuditContext;
}

/**
 * Changes a job that has written nothing yet (or whose writing was rolled back); its plan is dropped with its options.
 * @throws AppError NOT_FOUND, PRECONDITION_FAILED, JOB_STATUS_CONFLICT
 */
export async function updateJob(
  jobId: string,
  { version, change, context }: UpdateJobRequest,
): Promise<MigrationJob> {
  return await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const job = await MigrationJob.findByPk(jobId, { transaction, lock: true });
    if (job === null) throw new AppError('NOT_FOUND', { entity: 'Job' });
    if (version !== null && job.version !== version) throw new AppError('PRECONDITION_FAILED');
    if (change.options !== undefined && !isChangeable(job.status, job.phase)) {
      throw new AppError('JOB_STATUS_CONFLICT', {
        status: job.status,
        action: 'be changed before it is rolled back',
      });
    }
    const options = change.options === undefined ? null : { ...job.options, ...change.options };
    await MigrationJob.update(
      {
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(options === null
          ? {}
          : { options, status: 'draft', phase: null, plan: null, planHash: null, error: null }),
        ...(options !== null && changesScan(change.options ?? {}) ? { assessment: null } : {}),
        version: literal('version + 1'),
      },
      { where: { id: jobId }, transaction },
    );
    await recordAudit(transaction, {
      action: 'job.update',
      entity: { type: 'migration_job', id: jobId },
      outcome: 'success',
      detail: { fields: Object.keys(change) },
      context,
    });
    return await job.reload({ transaction });
  });
}

/** @throws AppError NOT_FOUND, JOB_STATUS_CONFLICT while a worker has it, will have it, or is about to let go of it. */
export async function deleteJob(jobId: string, context: AuditContext): Promise<void> {
  await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const job = await MigrationJob.findByPk(jobId, { transaction, lock: true });
    if (job === null) throw new AppError('NOT_FOUND', { entity: 'Job' });
    if (job.isActive() || job.status === 'paused' || job.isHeld(new Date())) {
      throw new AppError('JOB_STATUS_CONFLICT', { status: job.status, action: 'be deleted' });
    }
    await job.destroy({ transaction });
    await recordAudit(transaction, {
      action: 'job.delete',
      entity: { type: 'migration_job', id: jobId },
      outcome: 'success',
      detail: { name: job.name, status: job.status },
      context,
    });
  });
}

function isChangeable(status: JobStatus, phase: JobPhase | null): boolean {
  if (status === 'draft' || status === 'rolled_back') return true;
  return status === 'failed' && PHASES_WITHOUT_TARGET.includes(phase);
}

function changesScan(options: PartialJobOptions): boolean {
  return SCAN_OPTIONS.some((name) => name in options);
}

async function assertSuitable(connectionId: string, role: 'source' | 'target'): Promise<void> {
  const field = `${role}Id`;
  const connection = await Connection.findByPk(connectionId);
  if (connection === null) throw new AppError('NOT_FOUND', { entity: 'Connection', field });
  const kinds: readonly string[] = role === 'source' ? SOURCE_KINDS : ['postgres'];
  if (kinds.includes(connection.kind)) return;
  throw new AppError('CONNECTION_KIND_UNSUITABLE', { kind: connection.kind, role, field });
}
