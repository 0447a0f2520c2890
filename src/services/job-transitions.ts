import { literal, Op, type Transaction, type WhereOptions } from 'sequelize';
import { AppError } from '../errors/app-error.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationLog } from '../models/migration-log.ts';
import { inTransaction } from '../models/transaction.ts';
import type { JobAction, JobPhase, JobStatus } from '../models/vocabulary.ts';
import type { Queue } from '../queue/queue.ts';
import { recordAudit, type AuditContext } from './audit.ts';

/** What a client can ask of a job. */
export const JOB_REQUESTS = [
  'assess',
  'plan',
  'start',
  'pause',
  'resume',
  'cancel',
  'retry',
  'verify',
  'rollback',
] as const;
export type JobRequest = (typeof JOB_REQUESTS)[number];

interface Transition {
  readonly from: readonly JobStatus[];
  /** More that has to hold of the job's row. */
  readonly where?: WhereOptions<MigrationJob>;
  readonly to: JobStatus;
  /** What the worker shall do; left out: what it was doing. */
  readonly action?: JobAction;
  /** The phase that the action begins with, so that a failure before it cannot be taken for one of an earlier phase. */
  readonly phase?: JobPhase;
  /** Done with, unless someone asks for more. */
  readonly isFinal?: boolean;
}

/** Nothing has been written to the target, so a job may be looked at and planned anew. */
const NOTHING_WRITTEN = {
  [Op.or]: [{ status: 'draft' }, { phase: null }, { phase: ['assess', 'plan'] }],
};
/** A job that failed before everything was copied has to be continued, not verified. */
const WAS_COPIED = { result: { [Op.ne]: null } };
/** A job whose later verification or rollback went wrong or was stopped can still be brought to its end. */
const CAN_START = {
  [Op.or]: [{ status: ['draft', 'rolled_back'] }, { action: ['verify', 'rollback', 'replay'] }],
};

const TRANSITIONS: Readonly<Record<JobRequest, Transition>> = {
  assess: { from: ['draft', 'failed'], where: NOTHING_WRITTEN, to: 'queued', action: 'assess' },
  plan: { from: ['draft', 'failed'], where: NOTHING_WRITTEN, to: 'queued', action: 'plan' },
  start: {
    from: ['draft', 'rolled_back', 'failed', 'cancelled'],
    where: CAN_START,
    to: 'queued',
    action: 'migrate',
  },
  pause: { from: ['queued', 'running'], to: 'paused' },
  resume: { from: ['paused'], to: 'queued' },
  cancel: { from: ['queued', 'running', 'paused'], to: 'cancelled', isFinal: true },
  retry: { from: ['failed', 'cancelled'], to: 'queued' },
  verify: {
    from: ['succeeded', 'failed', 'cancelled'],
    where: WAS_COPIED,
    to: 'queued',
    action: 'verify',
    phase: 'verify',
  },
  rollback: {
    from: ['succeeded', 'failed', 'cancelled'],
    to: 'queued',
    action: 'rollback',
    phase: 'rollback',
  },
};

export interface TransitionRequest {
  readonly jobId: string;
  readonly request: JobRequest;
  readonly context: AuditContext;
  readonly queue: Pick<Queue, 'enqueue'>;
}

/**
 * Moves a job on, in one conditional update: with two callers at once one moves it, the other gets 409.
 * @throws AppError NOT_FOUND, JOB_ALREADY_RUNNING, JOB_STATUS_CONFLICT
 */
export async function transitionJob({
  jobId,
  request,
  context,
  queue,
}: TransitionRequest): Promise<MigrationJob> {
  const transition = TRANSITIONS[request];
  return await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const [changed] = await MigrationJob.update(
      {
        status: transition.to,
        version: literal('version + 1'),
        ...(transition.action === undefined ? {} : { action: transition.action }),
        ...(transition.phase === undefined ? {} : { phase: transition.phase }),
        ...(transition.to === 'queued' ? { error: null, finishedAt: null } : {}),
        ...(transition.isFinal === true ? { finishedAt: new Date() } : {}),
      },
      {
        where: { [Op.and]: [{ id: jobId, status: transition.from }, transition.where ?? {}] },
        transaction,
      },
    );
    if (changed === 0) throw await explainRefusal(jobId, request, transaction);

    const message = `${context.actor?.username ?? 'Somebody'} asked to ${request}`;
    await MigrationLog.append(jobId, [{ level: 'info', message }], transaction);
    await recordAudit(transaction, {
      action: `job.${request}`,
      entity: { type: 'migration_job', id: jobId },
      outcome: 'success',
      context,
    });
    if (transition.to === 'queued') await queue.enqueue(transaction, 'run-job', { jobId });
    return await MigrationJob.findByPk(jobId, { rejectOnEmpty: true, transaction });
  });
}

async function explainRefusal(
  jobId: string,
  request: JobRequest,
  transaction: Transaction,
): Promise<AppError> {
  const job = await MigrationJob.findByPk(jobId, { transaction });
  if (job === null) return new AppError('NOT_FOUND', { entity: 'Job' });
  if (request === 'start' && job.isActive()) return new AppError('JOB_ALREADY_RUNNING');
  return new AppError('JOB_STATUS_CONFLICT', { status: job.status, action: request });
}
