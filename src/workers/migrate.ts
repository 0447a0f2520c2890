import { AppError } from '../errors/app-error.ts';
import type { Plan, SourceSnapshot } from '../engine/contract.ts';
import { inLanes } from '../engine/lanes.ts';
import { selectTables } from '../engine/select-tables.ts';
import { fingerprintOf } from '../engine/steps/assess.ts';
import { copy } from '../engine/steps/copy.ts';
import { create } from '../engine/steps/create.ts';
import { finish } from '../engine/steps/finish.ts';
import { JobJournal } from '../services/job-journal.ts';
import type { JobResult } from '../services/job-result.ts';
import {
  enterPhase,
  logJob,
  setTablePhase,
  storeCopied,
  storeCounters,
} from '../services/job-run.ts';
import { followLedger } from './follow-ledger.ts';
import { JobProgress, type LedgerChunks } from './job-progress.ts';
import { optionsOf, type OpenRun } from './job-run.ts';
import { planJob } from './plan-job.ts';
import { verifyJob } from './verify-job.ts';

interface PlannedRun extends OpenRun {
  readonly plan: Plan;
  readonly progress: JobProgress;
}

/** Everything from assess to verify. Each phase does only what is not done yet, so a resume is the same call. */
export async function migrate(run: OpenRun): Promise<void> {
  const plan =
    run.job.plan === null
      ? await planJob(run, run.source)
      : await confirmPlan(run, run.job.plan as Plan);
  const done = (await run.ledger.exists()) ? await run.ledger.chunks() : new Map<string, never>();
  const replays = [...(await run.ledger.replays()).values()].flat();
  const progress = new JobProgress(plan, done, {
    rows: replays.length,
    bytes: replays.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const planned: PlannedRun = { ...run, plan, progress };
  run.onBeat(async () => storeCounters(run.held, progress.counters()));

  await createTables(planned);
  const copied = await copyTables(planned);
  const notes = await finishTables(planned);
  await followLedger(run);
  await verifyJob({ ...planned, copied: { ...copied, notes } });
}

/** A plan that was made earlier is only good while the source's schema is what it was. */
async function confirmPlan({ held, job, source, signal }: OpenRun, plan: Plan): Promise<Plan> {
  const catalog = selectTables(await source.readCatalog(signal), optionsOf(job));
  if (fingerprintOf(catalog) !== plan.source.fingerprint) throw new AppError('SOURCE_CHANGED');
  await logJob(held, [{ level: 'info', message: `Going on with plan ${plan.hash.slice(0, 12)}` }]);
  return plan;
}

async function createTables({ held, target, ledger, plan, signal }: PlannedRun): Promise<void> {
  await enterPhase(held, 'create');
  await create({
    target,
    ledger,
    plan,
    signal,
    onTable: async (table, origin) => {
      await setTablePhase(held, 'create', table.source);
      const message = `Table ${table.schema}.${table.target} ${origin}`;
      await logJob(held, [{ level: 'info', phase: 'create', tableName: table.source, message }]);
    },
  });
}

/** Copies all chunks that are not there yet, and notes how consistently. */
async function copyTables(run: PlannedRun): Promise<JobResult> {
  const { held, job, plan, ledger, progress, signal } = run;
  await enterPhase(held, 'copy');
  await setTablePhase(held, 'copy');
  const journal = await JobJournal.open({
    held,
    onChunk: (table, chunk, result) => {
      progress.addChunk(table, chunk, result);
    },
  });
  const before = await ledger.chunks();
  const known = job.result as JobResult | null;
  if (known !== null && isComplete(plan, before)) return known;

  const { lanes, consistency: requested } = plan.options;
  const snapshot = await run.source.openSnapshot({ lanes, consistency: requested });
  try {
    await logSnapshot(run, snapshot);
    await copy({ snapshot, target: run.target, ledger, plan, journal, signal });
    await storeCounters(held, progress.counters());
    // Chunks of an earlier run have seen another moment.
    const reached = before.size > 0 ? 'none' : snapshot.level;
    const position = reached === 'snapshot' ? (snapshot.position ?? null) : null;
    await assertAllRowsRead(run, snapshot, reached === 'snapshot');
    const result: JobResult = {
      planHash: plan.hash,
      sourceFingerprint: plan.source.fingerprint,
      consistency: { requested, reached, position },
      verification: null,
      notes: [],
    };
    await storeCopied(held, result);
    return result;
  } finally {
    await snapshot.close();
  }
}

/** Where the source's own log stood then: what replication could go on from. */
async function logSnapshot({ held }: PlannedRun, snapshot: SourceSnapshot): Promise<void> {
  const { level, lanes, position } = snapshot;
  const moment = level === 'snapshot' ? 'one moment of the source' : 'the source as it changes';
  const at = position ? `, which stands at ${position}` : '';
  const message = `Reading ${moment} with ${String(lanes)} ${lanes === 1 ? 'lane' : 'lanes'}${at}`;
  await logJob(held, [{ level: 'info', phase: 'copy', message }]);
}

function isComplete(plan: Plan, chunks: LedgerChunks): boolean {
  return plan.tables.every(
    ({ source, chunks: planned }) => chunks.get(source)?.size === planned.length,
  );
}

/** The chunks have to add up to what the source itself counts. With no common moment a difference is told, but proves nothing. */
async function assertAllRowsRead(
  { held, plan, ledger, signal }: PlannedRun,
  snapshot: SourceSnapshot,
  isSameMoment: boolean,
): Promise<void> {
  const chunks = await ledger.chunks();
  const off: string[] = [];
  await inLanes(plan.tables, { lanes: snapshot.lanes, signal }, async (table, lane, laneSignal) => {
    const copied = [...(chunks.get(table.source)?.values() ?? [])];
    const rowsRead = copied.reduce((sum, chunk) => sum + chunk.rowsRead, 0);
    const rowsInSource = await snapshot.countRows({ lane, table, signal: laneSignal });
    if (rowsRead === rowsInSource) return;
    off.push(table.source);
    const message = `Read ${String(rowsRead)} rows of ${table.source}, which has ${String(rowsInSource)}`;
    await logJob(held, [
      { level: isSameMoment ? 'error' : 'warn', phase: 'copy', tableName: table.source, message },
    ]);
  });
  if (off.length > 0 && isSameMoment)
    throw new AppError('ROWS_UNACCOUNTED', { tables: off.sort() });
}

/** Builds keys and indexes; gives what a person should know of them. */
async function finishTables({ held, plan, target, ledger, signal }: PlannedRun): Promise<string[]> {
  await enterPhase(held, 'finish');
  await setTablePhase(held, 'finish');
  const notes: string[] = [];
  await finish({
    target,
    ledger,
    plan,
    lanes: plan.options.lanes,
    signal,
    onEvent: async ({ level, table, message }) => {
      if (level === 'warning') notes.push(message);
      await logJob(held, [
        { level: level === 'info' ? 'info' : 'warn', phase: 'finish', tableName: table, message },
      ]);
    },
  });
  return notes;
}
