import type { Plan, PlannedTable } from '../engine/contract.ts';
import type { LedgerChunk } from '../engine/target/ledger.ts';
import type { JobCounters } from '../models/migration-job.ts';

/** Counts what a run has done, for people who watch it. The truth is in the ledger and in the tables' own rows. */
export class JobProgress {
  readonly #startedAt = Date.now();
  readonly #tablesTotal: number;
  readonly #rowsTotal: number;
  #tablesDone = 0;
  #rowsCopied = 0;
  #rowsRejected = 0;
  #bytesCopied = 0;
  /** Rows that were in the target before this run began: no measure of its speed. */
  #rowsBefore = 0;

  constructor(plan: Plan) {
    this.#tablesTotal = plan.tables.length;
    this.#rowsTotal = plan.tables.reduce((sum, table) => sum + table.estimatedRows, 0);
  }

  addChunk(_table: PlannedTable, result: LedgerChunk): void {
    this.#rowsCopied += result.rowsCopied;
    this.#rowsRejected += result.rowsRejected;
    this.#bytesCopied += result.bytes;
  }

  /** Takes what has been counted up to now as done by earlier runs. */
  markResumed(): void {
    this.#rowsBefore = this.#rowsCopied;
  }

  addTable(): void {
    this.#tablesDone += 1;
  }

  counters(): JobCounters {
    const seconds = (Date.now() - this.#startedAt) / 1000;
    const rowsPerSecond =
      seconds > 0 ? Math.round((this.#rowsCopied - this.#rowsBefore) / seconds) : 0;
    const rowsLeft = Math.max(0, this.#rowsTotal - this.#rowsCopied - this.#rowsRejected);
    return {
      tablesTotal: this.#tablesTotal,
      tablesDone: this.#tablesDone,
      rowsTotal: this.#rowsTotal,
      rowsCopied: this.#rowsCopied,
      rowsRejected: this.#rowsRejected,
      bytesCopied: this.#bytesCopied,
      rowsPerSecond,
      etaSeconds: rowsPerSecond > 0 ? Math.ceil(rowsLeft / rowsPerSecond) : null,
    };
  }
}
