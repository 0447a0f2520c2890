import type { Plan, Source } from '../engine/contract.ts';
import { openSource } from '../engine/sources/registry.ts';
import { rollback } from '../engine/steps/rollback.ts';
import { Ledger } from '../engine/target/ledger.ts';
import { Target } from '../engine/target/target.ts';
import type { JobResult } from '../services/job-result.ts';
import { endRun, enterPhase, forgetCopied } from '../services/job-run.ts';
import { followLedger } from './follow-ledger.ts';
import { optionsOf, type JobRun, type OpenRun } from './job-run.ts';
import { migrate } from './migrate.ts';
import { assessJob, planJob } from './plan-job.ts';
import { replayJob } from './replay-job.ts';
import { verifyJob } from './verify-job.ts';

/** Does what the job was last asked to do, to its end. Throws what went wrong. */
export async function runAction(run: JobRun): Promise<void> {
  switch (run.job.action) {
    case 'assess':
      await withSource(run, (source) => assessJob(run, source));
      await backToDraft(run, 'Assessment is ready');
      break;
    case 'plan':
      await withSource(run, (source) => planJob(run, source));
      await backToDraft(run, 'Plan is ready');
      break;
    case 'verify':
      await withBoth(run, async (open) => {
        await followLedger(open);
        await verifyJob({ ...open, ...whatWasCopied(run) });
      });
      break;
    case 'rollback':
      await withTarget(run, (target, ledger) => rollbackJob(run, target, ledger));
      break;
    case 'replay':
      await withTarget(run, (target, ledger) => replayJob({ ...run, target, ledger }));
      break;
    case 'migrate':
    case null:
      await withBoth(run, migrate);
  }
}

function whatWasCopied({ job }: JobRun): { readonly plan: Plan; readonly copied: JobResult } {
  if (job.plan === null || job.result === null) throw new Error(`job ${job.id} was never copied`);
  return { plan: job.plan as Plan, copied: job.result as JobResult };
}

async function backToDraft({ held }: JobRun, message: string): Promise<void> {
  await endRun(held, { status: 'draft', phase: null, isFinal: false }, { level: 'info', message });
}

async function rollbackJob(
  { held, signal }: JobRun,
  target: Target,
  ledger: Ledger,
): Promise<void> {
  await enterPhase(held, 'rollback');
  const { dropped } = await rollback({ target, ledger, signal });
  const what = dropped.length === 0 ? 'nothing had been made' : `dropped ${dropped.join(', ')}`;
  await endRun(
    held,
    { status: 'rolled_back', phase: null, isFinal: true },
    { level: 'info', phase: 'rollback', message: `Rolled back: ${what}` },
    (transaction) => forgetCopied(held, transaction),
  );
}

async function withBoth(run: JobRun, work: (open: OpenRun) => Promise<void>): Promise<void> {
  await withSource(run, (source) =>
    withTarget(run, (target, ledger) => work({ ...run, source, target, ledger })),
  );
}

async function withSource<Result>(
  run: JobRun,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  const { kind, location } = await run.deps.locateSource(run.job.sourceId);
  const source = openSource(kind, location);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

async function withTarget<Result>(
  run: JobRun,
  work: (target: Target, ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  const location = await run.deps.locateTarget(run.job.targetId);
  // One session a lane, and one beside them for what is asked in between.
  const target = new Target(location, { sessions: optionsOf(run.job).lanes + 1 });
  try {
    return await work(target, new Ledger(target, run.job.id));
  } finally {
    await target.close();
  }
}
