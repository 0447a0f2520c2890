import { Op, type WhereOptions } from 'sequelize';
import type { Plan, SourceRow } from '../engine/contract.ts';
import { replay, type ReplayRow } from '../engine/steps/replay.ts';
import type { Ledger } from '../engine/target/ledger.ts';
import { findReplays } from '../engine/target/replays.ts';
import type { Target } from '../engine/target/target.ts';
import { MigrationJob } from '../models/migration-job.ts';
import type { LogEntry } from '../models/migration-log.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { endRun, enterPhase, logJob } from '../services/job-run.ts';
import { mendRow, type MendedValues } from '../services/mended-row.ts';
import { recordProblems, recordReplays, type ReplayProblem } from '../services/replay-records.ts';
import type { ReplayJobRequest } from '../services/replay-request.ts';
import { followLedger, mendedOf, type RejectOfTable } from './follow-ledger.ts';
import type { JobRun } from './job-run.ts';

export interface ReplayRun extends JobRun {
  readonly target: Target;
  readonly ledger: Ledger;
}

/** Rows of one transaction in the target; with their values, a few megabytes at most. */
const PAGE_ROWS = 200;
const MAX_LOGGED_PROBLEMS = 100;

interface Tally {
  replayed: number;
  rejected: number;
}

/**
 * Sends the rejects that were asked for to the target, mended, and leaves the job as it was before. A row that is still bad
 * stays a reject with its new reason. Whatever died before is made up for first, from the ledger; what has landed is never
 * sent again, so any number of runs come to the same.
 */
export async function replayJob(run: ReplayRun): Promise<void> {
  const { held, job, signal } = run;
  const request = job.request as ReplayJobRequest | null;
  if (job.plan === null || request === null) throw new Error(`job ${job.id} has nothing to replay`);
  await enterPhase(held, 'replay');
  await followLedger(run);

  const mended = mendedOf(request);
  const tally: Tally = { replayed: 0, rejected: 0 };
  for await (const page of pagesOf(job.id, request)) {
    signal.throwIfAborted();
    for (const rows of Map.groupBy(page, ({ table }) => table.sourceTable).values())
      await replayRows(run, { request, rows, mended, tally });
  }
  const { before } = request;
  const message = `Replayed ${String(tally.replayed)} rows; ${String(tally.rejected)} are still rejected`;
  await endRun(
    held,
    {
      status: before.status,
      isFinal: true,
      ...(before.error === null ? {} : { error: before.error }),
    },
    { level: 'info', phase: 'replay', message },
    async (transaction) => {
      const { phase, action } = before;
      const where = { id: job.id };
      await MigrationJob.update({ phase, action, request: null }, { where, transaction });
    },
  );
}

interface RowsRequest {
  readonly request: ReplayJobRequest;
  /** Of one table. */
  readonly rows: readonly RejectOfTable[];
  readonly mended: ReadonlyMap<string, MendedValues>;
  readonly tally: Tally;
}

async function replayRows(
  run: ReplayRun,
  { request, rows, mended, tally }: RowsRequest,
): Promise<void> {
  const { held, job, target, ledger, signal } = run;
  const plan = job.plan as Plan;
  const tableName = rows[0]?.table.sourceTable;
  const table = plan.tables.find(({ source }) => source === tableName);
  if (table === undefined) throw new Error(`table ${String(tableName)} is not in the plan`);

  const problems = new Map<string, ReplayProblem>();
  const whole: ReplayRow[] = [];
  for (const { id, row } of rows) {
    const mendedRow = mendRow(table, row as SourceRow, mended.get(id) ?? {});
    if ('row' in mendedRow) whole.push({ rejectId: id, row: mendedRow.row });
    else
      problems.set(id, { column: mendedRow.missing[0] ?? '', reasonCode: null, message: NOT_KEPT });
  }
  const { policies } = request;
  for (const [id, problem] of await replay({
    target,
    ledger,
    plan,
    table,
    rows: whole,
    policies,
    signal,
  }))
    problems.set(id, problem);

  const ids = whole.map(({ rejectId }) => rejectId).filter((id) => !problems.has(id));
  const landed = await recordReplays(held, await findReplays(target, job.id, ids), mended);
  await recordProblems(held, problems);
  await logJob(held, describePage(table.source, landed, problems, tally));
  tally.replayed += landed;
  tally.rejected += problems.size;
}

const NOT_KEPT = 'The reject does not hold this value whole: give it in `set`';

function describePage(
  tableName: string,
  landed: number,
  problems: ReadonlyMap<string, ReplayProblem>,
  { rejected }: Tally,
): LogEntry[] {
  const about = { phase: 'replay', tableName } as const;
  const message = `Replayed ${String(landed)} of ${String(landed + problems.size)} rows of ${tableName}`;
  const listed = [...problems].slice(0, Math.max(0, MAX_LOGGED_PROBLEMS - rejected));
  return [
    { level: 'info', message, ...about },
    ...listed.map(([id, problem]): LogEntry => ({
      level: 'warn',
      message: `Still rejected: ${problem.message}`,
      detail: { rejectId: id, column: problem.column },
      ...about,
    })),
  ];
}

/** The rejects that are meant and not replayed yet, page by page. Each is given once, also when it stays a reject. */
async function* pagesOf(
  jobId: string,
  { rejects, reasonCode, table }: ReplayJobRequest,
): AsyncGenerator<RejectOfTable[]> {
  // A reject that is still bad gets another reason code, so which ones are meant is settled by the time they are read.
  const filter: WhereOptions<RejectedRow> = {
    jobId,
    replayedAt: null,
    ...(reasonCode === undefined ? {} : { reasonCode }),
    ...(rejects === null ? {} : { id: rejects.map(({ id }) => id) }),
  };
  let last = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = (await RejectedRow.findAll({
      where: { [Op.and]: [filter, { id: { [Op.gt]: last } }] },
      include: [
        {
          association: 'table',
          required: true,
          ...(table === undefined ? {} : { where: { sourceTable: table } }),
        },
      ],
      order: ['id'],
      limit: PAGE_ROWS,
    })) as RejectOfTable[];
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)?.id ?? last;
  }
}
