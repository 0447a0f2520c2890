import { QueryTypes } from 'sequelize';
import type {
  Adjustment as EngineAdjustment,
  Chunk,
  PlannedTable,
  Reject,
} from '../engine/contract.ts';
import type { ChunkJournal } from '../engine/steps/copy.ts';
import type { LedgerChunk } from '../engine/target/ledger.ts';
import { Adjustment } from '../models/adjustment.ts';
import { quotedTable, sequelizeOf } from '../models/hub-schema.ts';
import { MigrationChunk } from '../models/migration-chunk.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import type { HeldJob } from './job-lease.ts';

export interface JobJournalOptions {
  readonly held: HeldJob;
  /** Source table → id of its MigrationTable. */
  readonly tableIds: ReadonlyMap<string, string>;
  /** Called after every committed chunk. */
  readonly onChunk: (table: PlannedTable, chunk: Chunk, result: LedgerChunk) => void;
}

/**
 * What the hub keeps of each chunk. Rejects and adjustments are written before the target commits and replaced as a whole by
 * the next attempt, so they are those of the attempt that counts, whenever the worker dies.
 */
export class JobJournal implements ChunkJournal {
  readonly #options: JobJournalOptions;

  constructor(options: JobJournalOptions) {
    this.#options = options;
  }

  async beginChunk(table: PlannedTable, chunk: Chunk): Promise<void> {
    const { held } = this.#options;
    const tableId = this.#tableId(table);
    await inTransaction(sequelizeOf(MigrationChunk), async (transaction) => {
      const where = { tableId, chunkNumber: chunk.number };
      await RejectedRow.destroy({ where, transaction });
      await Adjustment.destroy({ where, transaction });
      await MigrationChunk.update(
        { state: 'copying', worker: held.owner },
        { where: { tableId, number: chunk.number }, transaction },
      );
      await MigrationChunk.increment('attempts', {
        where: { tableId, number: chunk.number },
        transaction,
      });
    });
  }

  async addRejects(table: PlannedTable, chunk: Chunk, rejects: readonly Reject[]): Promise<void> {
    const tableId = this.#tableId(table);
    await RejectedRow.bulkCreate(
      rejects.map(({ key, locator, column, reasonCode, message, row }) => ({
        jobId: this.#options.held.jobId,
        tableId,
        chunkNumber: chunk.number,
        rowKey: key,
        locator,
        columnName: column,
        reasonCode,
        message,
        row,
      })),
      { returning: false },
    );
  }

  async addAdjustments(
    table: PlannedTable,
    chunk: Chunk,
    adjustments: readonly EngineAdjustment[],
  ): Promise<void> {
    const tableId = this.#tableId(table);
    await Adjustment.bulkCreate(
      adjustments.map(({ column, rule, count, sampleKeys }) => ({
        jobId: this.#options.held.jobId,
        tableId,
        chunkNumber: chunk.number,
        columnName: column,
        rule,
        count,
        sampleKeys,
      })),
      { returning: false },
    );
  }

  async chunkDone(table: PlannedTable, chunk: Chunk, result: LedgerChunk): Promise<void> {
    const tableId = this.#tableId(table);
    const { rowsRead, rowsCopied, rowsRejected, bytes, digest } = result;
    await inTransaction(sequelizeOf(MigrationChunk), async (transaction) => {
      // Two lanes may finish chunks of one table together: without the lock each would sum up what the other has not committed.
      await MigrationTable.findByPk(tableId, { attributes: ['id'], lock: true, transaction });
      await MigrationChunk.update(
        { state: 'copied', rowsRead, rowsCopied, rowsRejected, bytes, digest },
        { where: { tableId, number: chunk.number }, transaction },
      );
      await sumTable(tableId, transaction);
    });
    this.#options.onChunk(table, chunk, result);
  }

  #tableId(table: PlannedTable): string {
    const id = this.#options.tableIds.get(table.source);
    if (id === undefined) throw new Error(`table ${table.source} is not part of the job`);
    return id;
  }
}

/** A table's counters are always the sums of its chunks, so no order of events and no repetition can bend them. */
async function sumTable(
  tableId: string,
  transaction: Parameters<Parameters<typeof inTransaction>[1]>[0],
): Promise<void> {
  await sequelizeOf(MigrationTable).query(
    `UPDATE ${quotedTable(MigrationTable)} t
        SET rows_read = s.rows_read, rows_copied = s.rows_copied, rows_rejected = s.rows_rejected, bytes = s.bytes,
            rows_adjusted = (SELECT coalesce(sum(a.count), 0) FROM ${quotedTable(Adjustment)} a WHERE a.table_id = t.id),
            updated_at = now()
       FROM (SELECT coalesce(sum(rows_read), 0) AS rows_read, coalesce(sum(rows_copied), 0) AS rows_copied,
                    coalesce(sum(rows_rejected), 0) AS rows_rejected, coalesce(sum(bytes), 0) AS bytes
               FROM ${quotedTable(MigrationChunk)} WHERE table_id = $tableId AND state IN ('copied', 'verified', 'mismatched')) s
      WHERE t.id = $tableId`,
    { bind: { tableId }, type: QueryTypes.UPDATE, transaction },
  );
}
