import type { Assessment, Plan, Source } from '../engine/contract.ts';
import { assess } from '../engine/steps/assess.ts';
import { plan } from '../engine/steps/plan.ts';
import { enterPhase, logJob, storeAssessment, storePlan } from '../services/job-run.ts';
import { optionsOf, type JobRun } from './job-run.ts';

/** Introspects and scans the source, and keeps what was found. */
export async function assessJob({ held, job, signal }: JobRun, source: Source): Promise<Assessment> {
  await enterPhase(held, 'assess');
  const assessment = await assess({
    source,
    options: optionsOf(job),
    signal,
    onTable: async (scan, done, total) => {
      const message = `Scanned ${scan.table}: ${String(scan.rows)} rows (${String(done)} of ${String(total)})`;
      await logJob(held, [{ level: 'debug', phase: 'assess', tableName: scan.table, message }]);
    },
  });
  await storeAssessment(held, assessment);
  return assessment;
}

/** Plans from the stored assessment, or assesses first. */
export async function planJob(run: JobRun, source: Source): Promise<Plan> {
  const assessment = (run.job.assessment as Assessment | null) ?? (await assessJob(run, source));
  await enterPhase(run.held, 'plan');
  const planned = plan(assessment, optionsOf(run.job));
  await storePlan(run.held, planned);
  return planned;
}
