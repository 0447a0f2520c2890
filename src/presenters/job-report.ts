import type { Plan } from '../engine/contract.ts';
import type { AdjustmentSummary } from '../models/adjustment.ts';
import type { MigrationJob } from '../models/migration-job.ts';
import type { MigrationTable } from '../models/migration-table.ts';
import type { RejectCount } from '../models/rejected-row.ts';
import type { JobResult } from '../services/job-result.ts';
import { presentAdjustment, presentTable } from './job-details.ts';
import { presentJob } from './migration-jobs.ts';

export interface ReportParts {
  readonly job: MigrationJob;
  readonly tables: readonly MigrationTable[];
  readonly rejects: readonly RejectCount[];
  /** Rejects that have landed since; they are among the copied rows. */
  readonly rowsReplayed: number;
  readonly adjustments: readonly AdjustmentSummary[];
}

/** The whole account of a finished job: what was there, what arrived, what did not and why. */
export function presentReport({
  job,
  tables,
  rejects,
  rowsReplayed,
  adjustments,
}: ReportParts): object {
  const result = job.result as JobResult;
  const plan = job.plan as Plan | null;
  const sum = (
    counter: 'rowsRead' | 'rowsCopied' | 'rowsRejected' | 'rowsAdjusted' | 'bytes',
  ): number => tables.reduce((total, table) => total + table[counter], 0);
  const rows = {
    read: sum('rowsRead'),
    copied: sum('rowsCopied'),
    rejected: sum('rowsRejected'),
    adjusted: sum('rowsAdjusted'),
    replayed: rowsReplayed,
  };
  return {
    job: presentJob(job),
    planHash: result.planHash,
    sourceFingerprint: result.sourceFingerprint,
    consistency: result.consistency,
    verification: result.verification,
    rows: { ...rows, isBalanced: rows.read === rows.copied + rows.rejected },
    bytes: sum('bytes'),
    tables: tables.map(presentTable),
    rejects: rejects.map(({ table, reasonCode, rows: count }) => ({
      table,
      reasonCode,
      rows: count,
    })),
    adjustments: adjustments.map(presentAdjustment),
    notes: result.notes,
    findings: plan?.findings ?? [],
    unmoved: plan?.unmoved ?? [],
  };
}
