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
    phase: job.phase,
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
  const result = job.result as JobResult | null;
  if (result === null) return null;
  const { status, tablesPassed, tablesFailed } = result.verification;
  return { status, tablesPassed, tablesFailed };
}

/** Like the body of an error answer: what is wrong, which input is to blame, and its code. */
function presentError({ error }: MigrationJob): object | null {
  if (error === null) return null;
  const { code, message, field } = error;
  return { error: message, code, ...(field === undefined ? {} : { field }) };
}
