import type { MigrationJob } from '../models/migration-job.ts';
import type { JobResult } from '../services/job-result.ts';

/** A job as clients see it. */
export function presentJob(job: MigrationJob): object {
  return {
    id: job.id,
    name: job.name,
    sourceId: job.sourceId,
    targetId: job.targetId,
    options: job.options,
    status: job.status,
    phase: isAtRest(job) ? null : job.phase,
    progress: presentProgress(job),
    verification: presentVerification(job),
    error: presentError(job),
    createdBy: job.createdBy,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    version: job.version,
  };
}

/** The phase of a job that came to its end tells nothing; that of one that failed or was stopped tells where. */
function isAtRest({ status }: MigrationJob): boolean {
  return status === 'succeeded' || status === 'rolled_back' || status === 'draft';
}

function presentProgress({ counters }: MigrationJob): object {
  return {
    tablesTotal: counters.tablesTotal ?? 0,
    tablesDone: counters.tablesDone ?? 0,
    rowsTotal: counters.rowsTotal ?? 0,
    rowsCopied: counters.rowsCopied ?? 0,
    rowsRejected: counters.rowsRejected ?? 0,
    bytesCopied: counters.bytesCopied ?? 0,
    rowsPerSecond: counters.rowsPerSecond ?? null,
    etaSeconds: counters.etaSeconds ?? null,
  };
}

function presentVerification(job: MigrationJob): object | null {
  const verification = (job.result as JobResult | null)?.verification;
  if (verification === null || verification === undefined) return null;
  const { status, tablesPassed, tablesFailed } = verification;
  return { status, tablesPassed, tablesFailed };
}

/** Like the body of an error answer: what is wrong, which input is to blame, and its code. */
function presentError({ error }: MigrationJob): object | null {
  if (error === null) return null;
  const { code, message, recovery, field } = error;
  return { error: message, code, recovery, ...(field === undefined ? {} : { field }) };
}
