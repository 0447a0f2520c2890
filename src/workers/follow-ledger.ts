import type { Plan, SourceRow } from '../engine/contract.ts';
import { digestRow } from '../engine/steps/replay.ts';
import type { Ledger } from '../engine/target/ledger.ts';
import type { Replay } from '../engine/target/replays.ts';
import type { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { mendRow, type MendedValues } from '../services/mended-row.ts';
import { recordReplays } from '../services/replay-records.ts';
import type { ReplayJobRequest } from '../services/replay-request.ts';
import type { JobRun } from './job-run.ts';

export type RejectOfTable = RejectedRow & { readonly table: MigrationTable };

const PAGE_ROWS = 200;

/**
 * Takes over what the ledger says has landed and the hub does not know: a worker can die, or be stopped, between the
 * target's transaction and the hub's.
 */
export async function followLedger({
  held,
  job,
  ledger,
}: Pick<JobRun, 'held' | 'job'> & { readonly ledger: Ledger }): Promise<void> {
  const landed = [...(await ledger.replays()).values()].flat();
  for (let start = 0; start < landed.length; start += PAGE_ROWS) {
    const page = landed.slice(start, start + PAGE_ROWS);
    await recordReplays(held, page, await findMended(job, page));
  }
}

/** Id of the reject → values that the request mends. */
export function mendedOf(request: ReplayJobRequest | null): ReadonlyMap<string, MendedValues> {
  return new Map(request?.rejects?.map(({ id, set }) => [id, set]));
}

/** The values that were mended in rows of the last request. Only where they are what was sent: an earlier one may have had others. */
async function findMended(
  job: JobRun['job'],
  landed: readonly Replay[],
): Promise<Map<string, MendedValues>> {
  const request = job.request as ReplayJobRequest | null;
  const mended = mendedOf(request);
  const digests = new Map(landed.map(({ rejectId, lineDigest }) => [rejectId, lineDigest]));
  const ids = [...digests.keys()].filter((id) => mended.has(id));
  if (request === null || ids.length === 0) return new Map();

  const plan = job.plan as Plan;
  const { policies } = request;
  const rows = (await RejectedRow.findAll({
    where: { jobId: job.id, id: ids, replayedAt: null },
    include: ['table'],
  })) as RejectOfTable[];
  const found = rows.flatMap(({ id, row, table: { sourceTable } }) => {
    const table = plan.tables.find(({ source }) => source === sourceTable);
    const set = mended.get(id);
    if (table === undefined || set === undefined) return [];
    const whole = mendRow(table, row as SourceRow, set);
    const isAsSent =
      'row' in whole && digestRow({ plan, table, policies }, whole.row) === digests.get(id);
    return isAsSent ? [[id, set] as const] : [];
  });
  return new Map(found);
}
