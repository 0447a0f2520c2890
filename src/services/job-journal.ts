import { literal, Op, type Transaction } from 'sequelize';
import type {
  Adjustment as EngineAdjustment,
  Chunk,
  PlannedTable,
  Reject,
} from '../engine/contract.ts';
import type { ChunkJournal } from '../engine/steps/copy.ts';
import type { LedgerChunk } from '../engine/target/ledger.ts';
import { Adjustment } from '../models/adjustment.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationChunk } from '../models/migration-chunk.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import type { ChunkState } from '../models/vocabulary.ts';
import { assertStillHeld, type HeldJob } from './job-lease.ts';

export interface JobJournalOptions {
  readonly held: HeldJob;
  /** Called after every committed chunk. */
  readonly onChunk: (table: PlannedTable, chunk: Chunk, result: LedgerChunk) => void;
}

/** A chunk in one of these states is in the counters of its table. */
const COUNTED: ChunkState[] = ['copied', 'verified', 'mismatched'];

/**
 * What the hub keeps of each chunk. Rejects and adjustments are written before the target commits and replaced as a whole by
 * the next attempt, so they are those of the attempt that counts, whenever the worker dies. Every write is made under the
 * job's lease: a worker that was given up throws JOB_LEASE_LOST.
 */
export class JobJournal implements ChunkJournal {
  readonly #options: JobJournalOptions;
  readonly #tableIds: ReadonlyMap<string, string>;
  readonly #counted: Set<string>;

  private constructor(
    options: JobJournalOptions,
    tableIds: ReadonlyMap<string, string>,
    counted: Set<string>,
  ) {
    this.#options = options;
    this.#tableIds = tableIds;
    this.#counted = counted;
  }

  /** Reads what is known of the job's chunks, so that a resume writes only what is new. */
  static async open(options: JobJournalOptions): Promise<JobJournal> {
    const { jobId } = options.held;
    const tables = await MigrationTable.findAll({
      attributes: ['id', 'sourceTable'],
      where: { jobId },
    });
    const chunks = await MigrationChunk.findAll({
      attributes: ['tableId', 'number'],
      where: { jobId, state: COUNTED },
    });
    return new JobJournal(
      options,
      new Map(tables.map(({ id, sourceTable }) => [sourceTable, id])),
      new Set(chunks.map(({ tableId, number }) => chunkId(tableId, number))),
    );
  }

  async beginChunk(table: PlannedTable, chunk: Chunk): Promise<void> {
    const tableId = this.#tableId(table);
    await this.#write(async (transaction) => {
      await uncountChunk(tableId, chunk, transaction);
      const where = { tableId, chunkNumber: chunk.number };
      await RejectedRow.destroy({ where, transaction });
      await Adjustment.destroy({ where, transaction });
      await MigrationChunk.update(
        {
          state: 'copying',
          worker: this.#options.held.owner,
          attempts: literal('attempts + 1'),
        },
        { where: { tableId, number: chunk.number }, transaction },
      );
    });
    this.#counted.delete(chunkId(tableId, chunk.number));
  }

  async addRejects(table: PlannedTable, chunk: Chunk, rejects: readonly Reject[]): Promise<void> {
    const tableId = this.#tableId(table);
    const rows = rejects.map(({ key, locator, column, reasonCode, message, row }) => ({
      jobId: this.#options.held.jobId,
      tableId,
      chunkNumber: chunk.number,
      rowKey: key,
      locator,
      columnName: column === '' ? null : column,
      reasonCode,
      message,
      row,
    }));
    await this.#write(async (transaction) => {
      await RejectedRow.bulkCreate(rows, { returning: false, transaction });
    });
  }

  async addAdjustments(
    table: PlannedTable,
    chunk: Chunk,
    adjustments: readonly EngineAdjustment[],
  ): Promise<void> {
    if (adjustments.length === 0) return;
    const tableId = this.#tableId(table);
    const rows = adjustments.map(({ column, rule, count, sampleKeys }) => ({
      jobId: this.#options.held.jobId,
      tableId,
      chunkNumber: chunk.number,
      columnName: column,
      rule,
      count,
      sampleKeys,
    }));
    await this.#write(async (transaction) => {
      await Adjustment.bulkCreate(rows, { returning: false, transaction });
    });
  }

  async chunkDone(table: PlannedTable, chunk: Chunk, result: LedgerChunk): Promise<void> {
    const tableId = this.#tableId(table);
    const id = chunkId(tableId, chunk.number);
    if (!this.#counted.has(id)) {
      await this.#write((transaction) => countChunk({ tableId, chunk, result, transaction }));
      this.#counted.add(id);
    }
    this.#options.onChunk(table, chunk, result);
  }

  async #write(work: (transaction: Transaction) => Promise<void>): Promise<void> {
    await inTransaction(sequelizeOf(MigrationChunk), async (transaction) => {
      await assertStillHeld(this.#options.held, transaction);
      await work(transaction);
    });
  }

  #tableId(table: PlannedTable): string {
    const id = this.#tableIds.get(table.source);
    if (id === undefined) throw new Error(`table ${table.source} is not part of the job`);
    return id;
  }
}

/** Adds a chunk to the counters of its table, once: only the update that makes it a counted one adds. */
async function countChunk({
  tableId,
  chunk,
  result,
  transaction,
}: {
  readonly tableId: string;
  readonly chunk: Chunk;
  readonly result: LedgerChunk;
  readonly transaction: Transaction;
}): Promise<void> {
  const { rowsRead, rowsCopied, rowsRejected, rowsAdjusted, bytes, digest } = result;
  const [changed] = await MigrationChunk.update(
    { state: 'copied', rowsRead, rowsCopied, rowsRejected, bytes, digest },
    { where: { tableId, number: chunk.number, state: { [Op.notIn]: COUNTED } }, transaction },
  );
  if (changed === 0) return;
  await MigrationTable.increment(
    { rowsRead, rowsCopied, rowsRejected, rowsAdjusted, bytes },
    { where: { id: tableId }, transaction },
  );
}

/** A chunk that is copied once more, because its table was dropped by hand for example, must not be counted twice. */
async function uncountChunk(
  tableId: string,
  { number }: Chunk,
  transaction: Transaction,
): Promise<void> {
  const chunk = await MigrationChunk.findOne({
    where: { tableId, number, state: COUNTED },
    transaction,
  });
  if (chunk === null) return;
  const { rowsRead, rowsCopied, rowsRejected, bytes } = chunk;
  const where = { tableId, chunkNumber: number };
  const rowsAdjusted = (await Adjustment.sum('count', { where, transaction })) || 0;
  await MigrationTable.decrement(
    { rowsRead, rowsCopied, rowsRejected, rowsAdjusted, bytes },
    { where: { id: tableId }, transaction },
  );
}

function chunkId(tableId: string, chunk: number): string {
  return `${tableId}/${String(chunk)}`;
}
