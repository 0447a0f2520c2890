import type { Assessment, Plan, Source } from '../engine/contract.ts';
import { selectTables } from '../engine/select-tables.ts';
import { assess, fingerprintOf } from '../engine/steps/assess.ts';
import { plan } from '../engine/steps/plan.ts';
import { enterPhase, logJob, storeAssessment, storePlan } from '../services/job-run.ts';
import { optionsOf, type JobRun } from './job-run.ts';

/** Introspects and scans the source, and keeps what was found. */
export async function assessJob(
  { held, job, signal }: JobRun,
  source: Source,
): Promise<Assessment> {
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

/** Plans from the stored assessment while the source's schema is what it was then, or assesses anew. */
export async function planJob(run: JobRun, source: Source): Promise<Plan> {
  const assessment = (await currentAssessment(run, source)) ?? (await assessJob(run, source));
  await enterPhase(run.held, 'plan');
  const planned = plan(assessment, optionsOf(run.job));
  await storePlan(run.held, planned);
  return planned;
}

async function currentAssessment(
  { job, signal }: JobRun,
  source: Source,
): Promise<Assessment | null> {
  const assessment = job.assessment as Assessment | null;
  if (assessment === null) return null;
  const catalog = selectTables(await source.readCatalog(signal), optionsOf(job));
  return fingerprintOf(catalog) === assessment.fingerprint ? assessment : null;
}
