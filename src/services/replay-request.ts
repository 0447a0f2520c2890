import { literal, type Transaction } from 'sequelize';
import type { Plan, Policies, SourceRow } from '../engine/contract.ts';
import { AppError } from '../errors/app-error.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationJob, type JobError } from '../models/migration-job.ts';
import { MigrationLog } from '../models/migration-log.ts';
import type { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import type { JobAction, JobPhase, JobStatus } from '../models/vocabulary.ts';
import type { Queue } from '../queue/queue.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import { invalidInput, type FieldError } from './invalid-input.ts';
import { columnsOf, mendRow, type MendedValues } from './mended-row.ts';

/** Which rejects, and how. */
export interface ReplayInput {
  /** null = all that are not replayed yet and pass the filters. */
  readonly rejects: readonly { readonly id: string; readonly set: MendedValues }[] | null;
  readonly policies: Partial<Policies>;
  readonly reasonCode?: string;
  readonly table?: string;
}

/** `request` of a job whose action is `replay`. */
export interface ReplayJobRequest extends ReplayInput {
  /** What the job was before, and is again when all is done. */
  readonly before: {
    readonly status: JobStatus;
    readonly phase: JobPhase | null;
    readonly action: JobAction | null;
    readonly error: JobError | null;
  };
}

const ENDED: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled'];
const MAX_AUDITED_IDS = 100;

/**
 * Hands rejects of a job to a worker. Only once everything has been copied: before, the rows of a chunk that is copied again
 * would come twice. What is wrong with a row that is named is said at once, by its place in the request.
 *
 * @throws AppError NOT_FOUND, JOB_STATUS_CONFLICT, VALIDATION_FAILED
 */
export async function requestReplay({
  jobId,
  input,
  context,
  queue,
}: {
  readonly jobId: string;
  readonly input: ReplayInput;
  readonly context: AuditContext;
  readonly queue: Pick<Queue, 'enqueue'>;
}): Promise<MigrationJob> {
  return await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const job = await MigrationJob.unscoped().findByPk(jobId, {
      attributes: { exclude: ['assessment'] },
      lock: true,
      transaction,
    });
    if (job === null) throw new AppError('NOT_FOUND', { entity: 'Job' });
    if (!ENDED.includes(job.status) || job.result === null) {
      const action = 'replay rejects before it has ended and everything is copied';
      throw new AppError('JOB_STATUS_CONFLICT', { status: job.status, action });
    }
    const plan = job.plan as Plan;
    const { rejects } = input;
    if (rejects !== null) await assertMendable({ jobId, plan, rejects }, transaction);

    const request: ReplayJobRequest = { ...input, before: stateBefore(job) };
    await MigrationJob.update(
      {
        status: 'queued',
        action: 'replay',
        phase: 'replay',
        request,
        error: null,
        finishedAt: null,
        version: literal('version + 1'),
      },
      { where: { id: jobId }, transaction },
    );
    const what = rejects === null ? 'all rejects' : `${String(rejects.length)} rejects`;
    const message = `${context.actor?.username ?? 'Somebody'} asked to replay ${what}`;
    await MigrationLog.append(jobId, [{ level: 'info', message }], transaction);
    await recordAudit(transaction, {
      action: 'job.rejects.replay',
      entity: { type: 'migration_job', id: jobId },
      detail: describe(input),
      context,
    });
    await queue.enqueue(transaction, 'run-job', { jobId });
    return await MigrationJob.findByPk(jobId, { rejectOnEmpty: true, transaction });
  });
}

/** A replay that failed or was stopped has changed the job's status, but is not what the job was. */
function stateBefore(job: MigrationJob): ReplayJobRequest['before'] {
  const request = job.request as ReplayJobRequest | null;
  if (job.action === 'replay' && request !== null) return request.before;
  const { status, phase, action, error } = job;
  return { status, phase, action, error };
}

/** Ids and names of columns, but no values: those are with the rejects. */
function describe({ rejects, policies, reasonCode, table }: ReplayInput): object {
  if (rejects === null)
    return { all: true, policies, ...(reasonCode && { reasonCode }), ...(table && { table }) };
  return {
    rows: rejects.length,
    rejects: rejects
      .slice(0, MAX_AUDITED_IDS)
      .map(({ id, set }) => ({ id, columns: Object.keys(set) })),
    policies,
  };
}

interface MendRequest {
  readonly jobId: string;
  readonly plan: Plan;
  readonly rejects: NonNullable<ReplayInput['rejects']>;
}

async function assertMendable(
  { jobId, plan, rejects }: MendRequest,
  transaction: Transaction,
): Promise<void> {
  const rows = await RejectedRow.findAll({
    where: { jobId, id: rejects.map(({ id }) => id) },
    include: ['table'],
    transaction,
  });
  const byId = new Map(rows.map((row) => [row.id, row as RejectedRow & { table: MigrationTable }]));
  const errors = rejects.flatMap(({ id, set }, index): FieldError[] => {
    const field = `rejects[${String(index)}]`;
    const row = byId.get(id);
    if (row === undefined) return [{ error: 'This job has no such reject', field: `${field}.id` }];
    const table = plan.tables.find(({ source }) => source === row.table.sourceTable);
    if (table === undefined) throw new Error(`table ${row.table.sourceTable} is not in the plan`);
    const names = columnsOf(table);
    const mended = mendRow(table, row.row as SourceRow, set);
    const problems = [
      ...Object.keys(set)
        .filter((name) => !names.includes(name))
        .map((name) => [name, 'There is no such column'] as const),
      ...('missing' in mended ? mended.missing : []).map((name) => [name, NOT_KEPT] as const),
    ];
    return problems.map(([name, error]) => ({ error, field: `${field}.set.${name}` }));
  });
  if (errors.length > 0) throw invalidInput(...errors);
}

const NOT_KEPT = 'The reject does not hold this value whole: give it';
