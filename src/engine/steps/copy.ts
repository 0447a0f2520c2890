import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type { Adjustment, Chunk, Plan, PlannedTable, Reject, SourceSnapshot } from '../contract.ts';
import { createDigest } from '../digest.ts';
import { inLanes } from '../lanes.ts';
import { CopyWriter } from '../target/copy-writer.ts';
import type { Ledger, LedgerChunk } from '../target/ledger.ts';
import type { Target } from '../target/target.ts';

/** Where the hub keeps what must not be lost of a chunk. All of it is written before the chunk is committed. */
export interface ChunkJournal {
  /** Forgets rejects and adjustments of earlier attempts, which were never committed. */
  beginChunk(table: PlannedTable, chunk: Chunk): Promise<void>;
  addRejects(table: PlannedTable, chunk: Chunk, rejects: readonly Reject[]): Promise<void>;
  addAdjustments(
    table: PlannedTable,
    chunk: Chunk,
    adjustments: readonly Adjustment[],
  ): Promise<void>;
  /** Called after the commit, and on a resume for chunks that the ledger has already. */
  chunkDone(table: PlannedTable, chunk: Chunk, result: LedgerChunk): Promise<void>;
}

export interface CopyRequest {
  readonly snapshot: SourceSnapshot;
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly journal: ChunkJournal;
  /** Aborts at once: an unfinished chunk leaves no trace in the target. */
  readonly signal: AbortSignal;
}

interface Task {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
}

/**
 * Copies every chunk that the ledger does not have, side by side in the snapshot's lanes. A chunk's rows and its ledger row
 * are one transaction in the target, so every row lands exactly once whatever dies in between.
 * Throws ROW_REJECTED under `onBadRow: fail`, TOO_MANY_REJECTS, and the SOURCE_ and TARGET_ errors.
 */
export async function copy(request: CopyRequest): Promise<void> {
  const { plan, ledger, journal, snapshot, signal } = request;
  const committed = await ledger.chunks();
  const budget = new RejectBudget(plan.options.maxRejectedRows);
  const pending: Task[] = [];
  for (const table of plan.tables) {
    for (const chunk of table.chunks) {
      const result = committed.get(table.source)?.get(chunk.number);
      if (result === undefined) {
        pending.push({ table, chunk });
        continue;
      }
      budget.spend(result.rowsRejected);
      await journal.chunkDone(table, chunk, result);
    }
  }

  await inLanes(pending, { lanes: snapshot.lanes, signal }, async (task, lane, laneSignal) => {
    await copyChunk({ ...request, ...task, lane, budget, signal: laneSignal });
  });
}

interface CopyChunkRequest extends CopyRequest, Task {
  readonly lane: number;
  readonly budget: RejectBudget;
}

async function copyChunk(request: CopyChunkRequest): Promise<void> {
  const { target, ledger, journal, table, chunk, signal } = request;
  const what = `copying ${table.source}, chunk ${String(chunk.number)}`;
  const result = await target.inTransaction(
    what,
    async (session) => {
      if (!(await ledger.claimChunk(session, table.source, chunk.number))) return null;
      await journal.beginChunk(table, chunk);
      const copied = await streamChunk(request, session);
      await ledger.completeChunk(session, table.source, chunk.number, copied);
      return copied;
    },
    signal,
  );
  const stored = result ?? (await ledger.findChunk(table.source, chunk.number));
  if (stored !== null) await journal.chunkDone(table, chunk, stored);
}

async function streamChunk(
  request: CopyChunkRequest,
  session: pg.PoolClient,
): Promise<LedgerChunk> {
  const { snapshot, journal, plan, table, chunk, lane, budget, signal } = request;
  const writer = new CopyWriter(session, table);
  const digest = createDigest(table.digest);
  const adjustments = new AdjustmentSums();
  let rowsRead = 0;
  let rowsEncoded = 0;
  let rowsRejected = 0;

  for await (const batch of snapshot.readChunk({
    lane,
    table,
    chunk,
    policies: plan.options.policies,
    signal,
  })) {
    rowsRead += batch.rowsRead;
    rowsEncoded += batch.rowsEncoded;
    rowsRejected += batch.rejects.length;
    adjustments.add(batch.adjustments);
    if (batch.rejects.length > 0) {
      await journal.addRejects(table, chunk, batch.rejects);
      if (plan.options.onBadRow === 'fail') throw rowRejected(table, batch.rejects);
      budget.spend(batch.rejects.length);
    }
    digest.update(batch.lines);
    await writer.write(batch.lines, signal);
  }

  const rowsCopied = await writer.finish();
  if (rowsCopied !== rowsEncoded || rowsRead !== rowsCopied + rowsRejected) {
    throw new AppError('ROWS_UNACCOUNTED', { tables: [table.source] });
  }
  await journal.addAdjustments(table, chunk, adjustments.all());
  return {
    rowsRead,
    rowsCopied,
    rowsRejected,
    rowsAdjusted: adjustments.total(),
    bytes: digest.bytes,
    digest: digest.finish(),
  };
}

function rowRejected(table: PlannedTable, rejects: readonly Reject[]): AppError {
  const [first] = rejects;
  return new AppError('ROW_REJECTED', {
    table: table.source,
    reasonCode: first?.reasonCode,
    key: first?.key,
  });
}

/** How many rows a job may still reject. Shared by all lanes. */
class RejectBudget {
  readonly #limit: number;
  #left: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  spend(rows: number): void {
    this.#left -= rows;
    if (this.#left < 0)
      throw new AppError('TOO_MANY_REJECTS', {
        limit: this.#limit,
        field: 'options.maxRejectedRows',
      });
  }
}

const MAX_SAMPLE_KEYS = 5;

/** The adjustments of a chunk, batch by batch, as one entry a column and rule. */
class AdjustmentSums {
  readonly #sums = new Map<string, Adjustment>();

  add(adjustments: readonly Adjustment[]): void {
    for (const adjustment of adjustments) {
      const id = JSON.stringify([adjustment.column, adjustment.rule]);
      const before = this.#sums.get(id);
      this.#sums.set(id, {
        ...adjustment,
        count: adjustment.count + (before?.count ?? 0),
        sampleKeys: [...(before?.sampleKeys ?? []), ...adjustment.sampleKeys].slice(
          0,
          MAX_SAMPLE_KEYS,
        ),
      });
    }
  }

  all(): Adjustment[] {
    return [...this.#sums.values()];
  }

  total(): number {
    return this.all().reduce((sum, { count }) => sum + count, 0);
  }
}
