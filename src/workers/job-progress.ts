import type { Chunk, Plan, PlannedTable } from '../engine/contract.ts';
import type { LedgerChunk } from '../engine/target/ledger.ts';
import type { JobCounters } from '../models/migration-job.ts';

/** Source table → chunk number → what was committed. */
export type LedgerChunks = ReadonlyMap<string, ReadonlyMap<number, LedgerChunk>>;

/** Counts what a job has done, for people who watch it. The truth is in the ledger and in the tables' own rows. */
export class JobProgress {
  readonly #startedAt = Date.now();
  readonly #plan: Plan;
  readonly #chunks = new Map<string, LedgerChunk>();
  /** Rows that were in the target before this run began: no measure of its speed. */
  readonly #rowsBefore: number;
  /** Rejects that have landed since, and are in no chunk's numbers. */
  readonly #replayed: { readonly rows: number; readonly bytes: number };
  #tablesDone = 0;

  /** `done`: what earlier runs have committed. */
  constructor(plan: Plan, done: LedgerChunks, replayed = { rows: 0, bytes: 0 }) {
    this.#plan = plan;
    this.#replayed = replayed;
    for (const [table, chunks] of done) {
      for (const [number, result] of chunks) this.#chunks.set(chunkId(table, number), result);
    }
    this.#rowsBefore = this.#sum('rowsCopied') + replayed.rows;
  }

  /** Counts a committed chunk; one that is counted already stays counted once. */
  addChunk(table: PlannedTable, chunk: Chunk, result: LedgerChunk): void {
    this.#chunks.set(chunkId(table.source, chunk.number), result);
  }

  addTable(): void {
    this.#tablesDone += 1;
  }

  counters(): JobCounters {
    const rowsTotal = this.#plan.tables.reduce((sum, table) => sum + table.estimatedRows, 0);
    const rowsCopied = this.#sum('rowsCopied') + this.#replayed.rows;
    const rowsRejected = this.#sum('rowsRejected') - this.#replayed.rows;
    const seconds = (Date.now() - this.#startedAt) / 1000;
    const rowsPerSecond = seconds > 0 ? Math.round((rowsCopied - this.#rowsBefore) / seconds) : 0;
    const rowsLeft = Math.max(0, rowsTotal - rowsCopied - rowsRejected);
    return {
      tablesTotal: this.#plan.tables.length,
      tablesDone: this.#tablesDone,
      rowsTotal,
      rowsCopied,
      rowsRejected,
      bytesCopied: this.#sum('bytes') + this.#replayed.bytes,
      rowsPerSecond,
      etaSeconds: rowsPerSecond > 0 ? Math.ceil(rowsLeft / rowsPerSecond) : null,
    };
  }

  #sum(counter: 'rowsCopied' | 'rowsRejected' | 'bytes'): number {
    return [...this.#chunks.values()].reduce((sum, chunk) => sum + chunk[counter], 0);
  }
}

function chunkId(table: string, chunk: number): string {
  return JSON.stringify([table, chunk]);
}
