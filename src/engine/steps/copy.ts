import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type {
  Adjustment,
  Chunk,
  EncodedBatch,
  Plan,
  PlannedTable,
  Reject,
  SourceSnapshot,
} from '../contract.ts';
import { createDigest, type RowDigest } from '../digest.ts';
import { inLanes } from '../lanes.ts';
import { CopyWriter } from '../target/copy-writer.ts';
import { isRowRefusal } from '../target/errors.ts';
import type { Ledger, LedgerChunk } from '../target/ledger.ts';
import type { Target } from '../target/target.ts';
import { CarefulWriter } from './copy/refusals.ts';

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

/** Rows of rejects can be large: so many go into one statement of the journal. */
const MAX_REJECTS_AT_ONCE = 500;

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

/**
 * A chunk goes as one COPY. Where the target refuses that for what may be the fault of single rows, it goes once more, read
 * and written with care: then those rows become rejects, and the others land.
 */
async function copyChunk(request: CopyChunkRequest): Promise<void> {
  const { ledger, journal, table, chunk } = request;
  const result = await attemptChunk(request, copyPlainly).catch((error: unknown) => {
    request.signal.throwIfAborted();
    if (!isRowRefusal(error instanceof AppError ? error.cause : error)) throw error;
    return attemptChunk(request, copyCarefully);
  });
  const stored = result ?? (await ledger.findChunk(table.source, chunk.number));
  if (stored !== null) await journal.chunkDone(table, chunk, stored);
}

/** One attempt is one transaction. Null: another worker has committed the chunk. */
async function attemptChunk(
  request: CopyChunkRequest,
  copyRows: (attempt: Attempt) => Promise<LedgerChunk>,
): Promise<LedgerChunk | null> {
  const { target, ledger, journal, table, chunk, budget, signal } = request;
  const spending = budget.begin();
  try {
    return await target.inTransaction(
      `copying ${table.source}, chunk ${String(chunk.number)}`,
      async (session) => {
        if (!(await ledger.claimChunk(session, table.source, chunk.number))) return null;
        await journal.beginChunk(table, chunk);
        const copied = await copyRows({ ...request, session, spending });
        await ledger.completeChunk(session, table.source, chunk.number, copied);
        return copied;
      },
      signal,
    );
  } catch (error) {
    // Nothing of the attempt is left, so neither are its rejects.
    spending.takeBack();
    throw error;
  }
}

interface Attempt extends CopyChunkRequest {
  readonly session: pg.PoolClient;
  readonly spending: Spending;
}

async function copyPlainly(attempt: Attempt): Promise<LedgerChunk> {
  const { snapshot, plan, table, chunk, lane, session, signal } = attempt;
  const writer = new CopyWriter(session, table);
  const digest = createDigest(table.digest);
  const sums = new ChunkSums();
  const { policies } = plan.options;
  for await (const batch of snapshot.readChunk({ lane, table, chunk, policies, signal })) {
    sums.add(batch);
    await keepRejects(attempt, batch.rejects);
    digest.update(batch.lines);
    await writer.write(batch.lines, signal);
  }
  return await completeChunk(attempt, { sums, digest, rowsCopied: await writer.finish() });
}

async function copyCarefully(attempt: Attempt): Promise<LedgerChunk> {
  const { snapshot, plan, table, chunk, lane, session, signal } = attempt;
  const digest = createDigest(table.digest);
  const onLanded = (lines: Uint8Array): void => digest.update(lines);
  const writer = new CarefulWriter({ session, table, signal, onLanded });
  const sums = new ChunkSums();
  const { policies } = plan.options;
  const request = { lane, table, chunk, policies, signal, describe: true };
  let rowsCopied = 0;
  await writer.begin();
  for await (const batch of snapshot.readChunk(request)) {
    await keepRejects(attempt, batch.rejects);
    const written = await writer.write(batch);
    await keepRejects(attempt, written.rejects);
    rowsCopied += written.rowsCopied;
    sums.add({
      rowsRead: batch.rowsRead,
      rowsEncoded: batch.rowsEncoded - written.rejects.length,
      rejects: [...batch.rejects, ...written.rejects],
      adjustments: written.adjustments,
    });
  }
  await writer.end();
  return await completeChunk(attempt, { sums, digest, rowsCopied });
}

/** Rejects are written down before the chunk is committed. */
async function keepRejects(
  { journal, plan, table, chunk, spending }: Attempt,
  rejects: readonly Reject[],
): Promise<void> {
  if (rejects.length === 0) return;
  for (let start = 0; start < rejects.length; start += MAX_REJECTS_AT_ONCE)
    await journal.addRejects(table, chunk, rejects.slice(start, start + MAX_REJECTS_AT_ONCE));
  if (plan.options.onBadRow === 'fail') throw rowRejected(table, rejects);
  spending.spend(rejects.length);
}

async function completeChunk(
  { journal, table, chunk }: Attempt,
  copied: {
    readonly sums: ChunkSums;
    readonly digest: RowDigest;
    /** As the target has counted them. */
    readonly rowsCopied: number;
  },
): Promise<LedgerChunk> {
  const { sums, digest, rowsCopied } = copied;
  if (rowsCopied !== sums.rowsEncoded || sums.rowsRead !== rowsCopied + sums.rowsRejected)
    throw new AppError('ROWS_UNACCOUNTED', { tables: [table.source] });
  await journal.addAdjustments(table, chunk, sums.adjustments.all());
  return {
    rowsRead: sums.rowsRead,
    rowsCopied,
    rowsRejected: sums.rowsRejected,
    rowsAdjusted: sums.adjustments.total(),
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

  /** What one attempt at a chunk spends: it is given back where the attempt comes to nothing. */
  begin(): Spending {
    let spent = 0;
    return {
      spend: (rows) => {
        spent += rows;
        this.spend(rows);
      },
      takeBack: () => {
        this.#left += spent;
        spent = 0;
      },
    };
  }
}

interface Spending {
  spend(rows: number): void;
  takeBack(): void;
}

/** What the batches of a chunk come to. */
class ChunkSums {
  rowsRead = 0;
  rowsEncoded = 0;
  rowsRejected = 0;
  readonly adjustments = new AdjustmentSums();

  add({
    rowsRead,
    rowsEncoded,
    rejects,
    adjustments,
  }: Omit<EncodedBatch, 'lines' | 'described'>): void {
    this.rowsRead += rowsRead;
    this.rowsEncoded += rowsEncoded;
    this.rowsRejected += rejects.length;
    this.adjustments.add(adjustments);
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
