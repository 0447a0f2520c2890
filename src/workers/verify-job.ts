import type { Transaction } from 'sequelize';

import type { Chunk, Plan, PlannedTable } from '../engine/contract.ts';
import { assertComplete } from '../engine/steps/finish/inventory.ts';
import { verify, type TableVerdict } from '../engine/steps/verify.ts';
import { AppError } from '../errors/app-error.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { issueCertificate } from '../services/certificate.ts';
import type { JobResult } from '../services/job-result.ts';
import {
  endRun,
  enterPhase,
  logJob,
  resetVerdicts,
  storeCounters,
  storeVerdict,
} from '../services/job-run.ts';
import type { JobProgress } from './job-progress.ts';
import type { OpenRun } from './job-run.ts';

export interface VerifyRun extends OpenRun {
  readonly plan: Plan;
  /** What copying and finishing came to. */
  readonly copied: JobResult;
  /** Left out where only verification was asked for. */
  readonly progress?: JobProgress;
}

/** The last phase: every table gets its verdict, and the job succeeds only if all of them passed. */
export async function verifyJob(run: VerifyRun): Promise<void> {
  const { held, copied, progress } = run;
  await enterPhase(held, 'verify');
  const verdicts = await verifyTables(run);
  if (progress !== undefined) {
    await storeCounters(held, progress.counters());
    // Comparing may take hours, in which somebody can drop what finishing has built.
    await assertComplete(run);
  }

  const failed = verdicts.filter(({ verdict }) => verdict === 'failed');
  const result: JobResult = {
    ...copied,
    verification: {
      mode: modeOf(run),
      status: verdicts.length === 0 ? 'skipped' : failed.length === 0 ? 'passed' : 'failed',
      tablesPassed: verdicts.length - failed.length,
      tablesFailed: failed.length,
    },
  };
  const certify = (transaction: Transaction): Promise<void> =>
    issueCertificate(
      { job: run.job, plan: run.plan, result, keys: run.deps.connectionKeys },
      transaction,
    );
  if (failed.length === 0) {
    const message =
      verdicts.length === 0
        ? 'Done, not verified: verification was switched off'
        : `Verified ${String(verdicts.length)} tables`;
    await endRun(
      held,
      { status: 'succeeded', result, isFinal: true },
      { level: 'info', phase: 'verify', message },
      certify,
    );
    return;
  }
  const error = new AppError('VERIFICATION_FAILED', { tables: failed.map(({ table }) => table) });
  await endRun(
    held,
    {
      status: 'failed',
      result,
      error: { code: error.code, message: error.message, recovery: error.recovery },
      isFinal: true,
    },
    { level: 'error', phase: 'verify', message: error.message },
    certify,
  );
}

/** A verification that is asked for by itself always compares something. */
function modeOf({ job, plan }: VerifyRun): Plan['options']['verify'] {
  const { verify: mode } = plan.options;
  return mode === 'none' && job.action === 'verify' ? 'checksum' : mode;
}

async function verifyTables(run: VerifyRun): Promise<TableVerdict[]> {
  const { held, plan, source, target, ledger, progress, signal } = run;
  const mode = modeOf(run);
  if (mode === 'none') {
    await MigrationTable.update(
      { phase: 'done', verdict: 'skipped' },
      { where: { jobId: held.jobId } },
    );
    plan.tables.forEach(() => progress?.addTable());
    return [];
  }
  await resetVerdicts(held);
  const { lanes, consistency } = plan.options;
  return await verify({
    target,
    ledger,
    plan,
    mode,
    lanes,
    signal,
    openSnapshot: () => source.openSnapshot({ lanes, consistency }),
    rejectedLocators: (table, chunk) => readLocators(held.jobId, table, chunk),
    onTable: async (verdict) => {
      progress?.addTable();
      await storeVerdict(held, verdict);
      await logJob(held, [describeVerdict(verdict)]);
    },
  });
}

async function readLocators(
  jobId: string,
  table: PlannedTable,
  chunk: Chunk,
): Promise<ReadonlySet<string>> {
  const rows = await RejectedRow.findAll({
    attributes: ['locator'],
    where: { jobId, chunkNumber: chunk.number },
    include: [
      {
        association: 'table',
        attributes: [],
        where: { sourceTable: table.source },
        required: true,
      },
    ],
  });
  return new Set(rows.flatMap(({ locator }) => locator ?? []));
}

function describeVerdict({
  table,
  verdict,
  mode,
  rowsFound,
  failures,
}: TableVerdict): Parameters<typeof logJob>[1][number] {
  if (verdict === 'passed') {
    return {
      level: 'info',
      phase: 'verify',
      tableName: table,
      message: `${table}: ${String(rowsFound)} rows verified (${mode})`,
    };
  }
  const [first] = failures;
  const where =
    first === undefined || first.chunk === null ? '' : ` in chunk ${String(first.chunk)}`;
  return {
    level: 'error',
    phase: 'verify',
    tableName: table,
    message: `${table}: what is in the target is not what was copied${where}`,
  };
}
