import { literal, Op, Transaction } from 'sequelize';
import type { Replay } from '../engine/target/replays.ts';
import { AppError } from '../errors/app-error.ts';
import { Adjustment } from '../models/adjustment.ts';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationChunk } from '../models/migration-chunk.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import { withdrawCertificate } from './certificate.ts';
import { heldWhere, type HeldJob } from './job-lease.ts';
import type { MendedValues } from './mended-row.ts';

/**
 * Brings the hub in line with what the ledger says has landed: rejects that are marked as replayed already are left alone, so
 * it may be told twice. Read rows stay copied plus rejected ones, for the job, its tables and its chunks.
 * Gives how many rows were new.
 *
 * @throws AppError JOB_LEASE_LOST
 */
export async function recordReplays(
  held: HeldJob,
  replays: readonly Replay[],
  mended: ReadonlyMap<string, MendedValues> = new Map(),
): Promise<number> {
  if (replays.length === 0) return 0;
  return await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    const job = await lockHeld(held, transaction);
    const rows = await RejectedRow.findAll({
      attributes: ['id', 'tableId', 'chunkNumber'],
      where: { jobId: held.jobId, id: replays.map(({ rejectId }) => rejectId), replayedAt: null },
      transaction,
    });
    const ids = rows.map(({ id }) => id);
    await RejectedRow.update({ replayedAt: new Date() }, { where: { id: ids }, transaction });
    const byId = new Map(replays.map((replay) => [replay.rejectId, replay]));
    for (const { id } of rows) {
      const set = mended.get(id);
      if (set === undefined || Object.keys(set).length === 0) continue;
      await RejectedRow.update({ mended: set }, { where: { id }, transaction });
    }
    const ofChunk = ({ tableId, chunkNumber }: RejectedRow): string =>
      JSON.stringify([tableId, chunkNumber]);
    for (const group of Map.groupBy(rows, ofChunk).values()) {
      const landed = group.flatMap(({ id }) => byId.get(id) ?? []);
      if (group[0] !== undefined) await countReplays(group[0], landed, transaction);
    }
    if (rows.length === 0) return 0;
    const { counters } = job;
    await MigrationJob.update(
      {
        counters: {
          ...counters,
          rowsCopied: (counters.rowsCopied ?? 0) + rows.length,
          rowsRejected: (counters.rowsRejected ?? 0) - rows.length,
          bytesCopied: (counters.bytesCopied ?? 0) + sumBytes(rows.map(({ id }) => byId.get(id))),
        },
        version: literal('version + 1'),
      },
      { where: { id: held.jobId }, transaction },
    );
    await withdrawCertificate(held.jobId, transaction);
    return rows.length;
  });
}

/** The rows of one chunk's rejects, in the numbers of chunk and table and in the adjustments. */
async function countReplays(
  { tableId, chunkNumber }: RejectedRow,
  landed: readonly Replay[],
  transaction: Transaction,
): Promise<void> {
  const numbers = {
    rowsCopied: landed.length,
    rowsRejected: -landed.length,
    bytes: sumBytes(landed),
  };
  const rowsAdjusted = landed.reduce((sum, { adjustments }) => sum + adjustments.length, 0);
  await MigrationChunk.increment(numbers, { where: { tableId, number: chunkNumber }, transaction });
  await MigrationTable.increment(
    { ...numbers, rowsAdjusted },
    { where: { id: tableId }, transaction },
  );
  // A row is only taken as landed when the target prints it as it was sent: it is as good as verified.
  await MigrationTable.increment(
    { rowsVerified: landed.length },
    { where: { id: tableId, verdict: 'passed' }, transaction },
  );
  const adjusted = landed.flatMap(({ label, adjustments }) =>
    adjustments.map((adjustment) => ({ ...adjustment, label })),
  );
  const byRule = Map.groupBy(adjusted, ({ column, rule }) => JSON.stringify([column, rule]));
  for (const values of byRule.values()) {
    const [first] = values;
    if (first === undefined) continue;
    const where = { tableId, chunkNumber, columnName: first.column, rule: first.rule };
    const known = await Adjustment.findOne({ where, transaction });
    if (known !== null) {
      await known.increment({ count: values.length }, { transaction });
      continue;
    }
    const { jobId } = await MigrationTable.findByPk(tableId, { rejectOnEmpty: true, transaction });
    const sampleKeys = values.slice(0, MAX_SAMPLE_KEYS).map(({ label }) => label);
    await Adjustment.create({ jobId, ...where, count: values.length, sampleKeys }, { transaction });
  }
}

function sumBytes(landed: readonly (Replay | undefined)[]): number {
  return landed.reduce((sum, replay) => sum + (replay?.bytes ?? 0), 0);
}

const MAX_SAMPLE_KEYS = 5;

/** Why a row is still rejected. */
export interface ReplayProblem {
  readonly column: string;
  /** null: the row was not sent, and keeps the one that it has. */
  readonly reasonCode: string | null;
  readonly message: string;
}

/** Notes why rows are still rejected. */
export async function recordProblems(
  held: HeldJob,
  problems: ReadonlyMap<string, ReplayProblem>,
): Promise<void> {
  if (problems.size === 0) return;
  await inTransaction(sequelizeOf(MigrationJob), async (transaction) => {
    await lockHeld(held, transaction);
    for (const [id, { column, reasonCode, message }] of problems) {
      await RejectedRow.update(
        {
          columnName: column === '' ? null : column,
          message,
          ...(reasonCode === null ? {} : { reasonCode }),
        },
        { where: { id, jobId: held.jobId, replayedAt: { [Op.is]: null } }, transaction },
      );
    }
  });
}

/** @throws AppError JOB_LEASE_LOST */
async function lockHeld(held: HeldJob, transaction: Transaction): Promise<MigrationJob> {
  const job = await MigrationJob.findOne({
    where: heldWhere(held),
    lock: Transaction.LOCK.UPDATE,
    transaction,
  });
  if (job === null) throw new AppError('JOB_LEASE_LOST');
  return job;
}
