import { literal, Op, type InferAttributes, type Transaction } from 'sequelize';
import type { Assessment, Plan } from '../engine/contract.ts';
import type { TableVerdict } from '../engine/steps/verify.ts';
import { Adjustment } from '../models/adjustment.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationChunk } from '../models/migration-chunk.ts';
import { MigrationJob, type JobCounters, type JobError } from '../models/migration-job.ts';
import { MigrationLog, type LogEntry } from '../models/migration-log.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import type { JobPhase, JobStatus, TablePhase } from '../models/vocabulary.ts';
import { withdrawCertificate } from './certificate.ts';
import type { JobResult } from './job-result.ts';
import { assertHeld, assertStillHeld, heldWhere, type HeldJob } from './job-lease.ts';

/**
 * What a worker writes about the job that it holds. A change of the job, its plan or its verdicts throws JOB_LEASE_LOST when
 * another worker has the job; log lines and the phases of tables are only told.
 */

type JobChange = Partial<Omit<InferAttributes<MigrationJob>, 'version'>>;

export async function enterPhase(held: HeldJob, phase: JobPhase): Promise<void> {
  await changeJob(held, { phase }, [{ level: 'info', phase, message: `Phase ${phase}` }]);
}

export async function storeAssessment(held: HeldJob, assessment: Assessment): Promise<void> {
  const { findings, scans } = assessment;
  const rows = scans.reduce((sum, scan) => sum + scan.rows, 0);
  await changeJob(held, { assessment, plan: null, planHash: null }, [
    {
      level: 'info',
      phase: 'assess',
      message: `Assessed ${String(scans.length)} tables with ${String(rows)} rows: ${String(findings.length)} findings`,
    },
  ]);
}

/** Stores the plan and makes the rows that the job's tables and chunks are followed by. */
export async function storePlan(held: HeldJob, plan: Plan): Promise<void> {
  const rows = plan.tables.reduce((sum, table) => sum + table.estimatedRows, 0);
  const counters = {
    tablesTotal: plan.tables.length,
    tablesDone: 0,
    rowsTotal: rows,
    rowsCopied: 0,
    rowsRejected: 0,
    bytesCopied: 0,
  };
  const log: LogEntry = {
    level: 'info',
    phase: 'plan',
    message: `Planned ${String(plan.tables.length)} tables, plan ${plan.hash.slice(0, 12)}`,
  };
  await changeJob(held, { plan, planHash: plan.hash, counters }, [log], async (transaction) => {
    await MigrationTable.destroy({ where: { jobId: held.jobId }, transaction });
    const tables = await MigrationTable.bulkCreate(
      plan.tables.map((table, position) => ({
        jobId: held.jobId,
        position,
        sourceTable: table.source,
        targetSchema: table.schema,
        targetTable: table.target,
        rowsEstimated: table.estimatedRows,
      })),
      { transaction },
    );
    const chunks = plan.tables.flatMap((table, position) =>
      table.chunks.map(({ number, lower, upper }) => ({
        jobId: held.jobId,
        tableId: tables[position]?.id ?? '',
        number,
        lowerBound: lower,
        upperBound: upper,
      })),
    );
    for (let start = 0; start < chunks.length; start += 1000) {
      await MigrationChunk.bulkCreate(chunks.slice(start, start + 1000), {
        transaction,
        returning: false,
      });
    }
  });
}

export async function storeCounters(held: HeldJob, counters: JobCounters): Promise<void> {
  const [changed] = await MigrationJob.update(
    { counters },
    { where: heldWhere(held), silent: true },
  );
  assertHeld(changed);
}

export async function logJob(held: HeldJob, entries: readonly LogEntry[]): Promise<void> {
  await MigrationLog.append(held.jobId, entries);
}

export async function setTablePhase(
  held: HeldJob,
  phase: TablePhase,
  sourceTable?: string,
): Promise<void> {
  const where = { jobId: held.jobId, ...(sourceTable === undefined ? {} : { sourceTable }) };
  await MigrationTable.update({ phase }, { where });
}

/** Notes that everything has been copied, and how consistently: from now on the job can be verified. */
export async function storeCopied(held: HeldJob, result: JobResult): Promise<void> {
  await changeJob(held, { result }, []);
}

/** Nothing is verified any more: the old verdicts must not stand while (or when) a new verification does not end. */
export async function resetVerdicts(held: HeldJob): Promise<void> {
  await MigrationTable.update(
    { verdict: 'pending', rowsVerified: 0, detail: null, phase: 'verify' },
    { where: { jobId: held.jobId } },
  );
}

/** Forgets what was in the target: for a job that has been rolled back, in the transaction that says so. */
export async function forgetCopied(held: HeldJob, transaction: Transaction): Promise<void> {
  const where = { jobId: held.jobId };
  const nothing = { rowsRead: 0, rowsCopied: 0, rowsRejected: 0, bytes: 0 };
  await MigrationTable.update(
    {
      ...nothing,
      rowsAdjusted: 0,
      rowsVerified: 0,
      phase: 'pending',
      verdict: 'pending',
      detail: null,
    },
    { where, transaction },
  );
  await MigrationChunk.update(
    { ...nothing, state: 'pending', digest: null, worker: null },
    { where, transaction },
  );
  await RejectedRow.destroy({ where, transaction });
  await Adjustment.destroy({ where, transaction });
  await withdrawCertificate(held.jobId, transaction);
  await MigrationJob.update(
    { result: null, counters: {} },
    { where: { id: held.jobId }, transaction },
  );
}

/** Writes what verification says of a table, and of its chunks where it says something of them. */
export async function storeVerdict(held: HeldJob, verdict: TableVerdict): Promise<void> {
  const { jobId } = held;
  const detail: object | null =
    verdict.failures.length === 0
      ? null
      : { failures: verdict.failures, failuresOmitted: verdict.failuresOmitted };
  await inTransaction(sequelizeOf(MigrationTable), async (transaction) => {
    await assertStillHeld(held, transaction);
    const [, tables] = await MigrationTable.update(
      {
        phase: 'done',
        verdict: verdict.verdict,
        rowsVerified: verdict.verdict === 'passed' ? verdict.rowsFound : 0,
        detail,
      },
      { where: { jobId, sourceTable: verdict.table }, returning: ['id'], transaction },
    );
    const tableId = tables[0]?.id;
    if (tableId === undefined || verdict.mode === 'count') return;
    const mismatched = verdict.failures.flatMap(({ chunk }) => chunk ?? []);
    const isWhole = verdict.failures.some(
      ({ chunk, replayed }) => chunk === null && replayed !== true,
    );
    const state = isWhole ? 'mismatched' : 'verified';
    await MigrationChunk.update({ state }, { where: { tableId }, transaction });
    await MigrationChunk.update(
      { state: 'mismatched' },
      { where: { tableId, number: mismatched }, transaction },
    );
  });
}

/** What a run has come to. */
export interface RunEnd {
  readonly status: JobStatus;
  /** Left out: the phase in which it ended. */
  readonly phase?: null;
  readonly result?: object;
  readonly error?: JobError;
  /** Done with, unless someone asks for more. */
  readonly isFinal: boolean;
}

/** Ends the worker's part: the new status, and no lease any more. Refused when somebody has moved the job meanwhile. */
export async function endRun(
  held: HeldJob,
  { status, phase, result, error, isFinal }: RunEnd,
  log: LogEntry,
  also?: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const change: JobChange = {
    status,
    leaseOwner: null,
    leaseExpiresAt: null,
    ...(phase === undefined ? {} : { phase }),
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
    ...(isFinal ? { finishedAt: new Date() } : {}),
  };
  await changeJob({ ...held, status: 'running' }, change, [log], also);
}

/** One change of a held job with its log lines, in one transaction; only in the given status, where one is given. */
async function changeJob(
  held: HeldJob & { readonly status?: JobStatus },
  change: JobChange,
  log: readonly LogEntry[],
  also?: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const where =
    held.status === undefined ? heldWhere(held) : [heldWhere(held), { status: held.status }];
  await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const [changed] = await MigrationJob.update(
      { ...change, version: literal('version + 1') },
      { where: { [Op.and]: where }, transaction },
    );
    assertHeld(changed);
    await MigrationLog.append(held.jobId, log, transaction);
    await also?.(transaction);
  });
}
