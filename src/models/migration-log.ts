import {
  DataTypes,
  Model,
  Op,
  QueryTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
  type Transaction,
} from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import {
  counterColumn,
  momentColumn,
  tableOptions,
  toSafeInteger,
  type JsonObject,
} from './columns.ts';
import { quotedTable, sequelizeOf } from './hub-schema.ts';
import { MigrationJob } from './migration-job.ts';
import { inTransaction } from './transaction.ts';
import type { JobPhase, LogLevel } from './vocabulary.ts';

/** What a writer gives: job and sequence number are added. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly phase?: JobPhase | null;
  readonly tableName?: string | null;
  readonly detail?: JsonObject | null;
  /** Default: now. */
  readonly at?: Date;
}

/** The log of a job, numbered 1, 2, 3 … without a gap: a reader that has seen `n` continues at `n + 1` and has missed nothing. */
export class MigrationLog extends Model<
  InferAttributes<MigrationLog>,
  InferCreationAttributes<MigrationLog>
> {
  declare jobId: string;
  declare seq: number;
  declare at: CreationOptional<Date>;
  declare level: LogLevel;
  declare phase: CreationOptional<JobPhase | null>;
  declare tableName: CreationOptional<string | null>;
  declare message: string;
  declare detail: CreationOptional<JsonObject | null>;

  /**
   * Appends entries in the order given, any number of writers at once. Numbers come from the job's row, which stays locked
   * until the transaction ends: numbers of a transaction that fails are given again, and no reader sees 8 before 7.
   * So keep a transaction that is passed in short: every other writer of this job's log waits for it.
   * @throws AppError NOT_FOUND when there is no such job.
   */
  static async append(
    jobId: string,
    entries: readonly LogEntry[],
    transaction?: Transaction,
  ): Promise<MigrationLog[]> {
    if (entries.length === 0) return [];

    return inTransaction(
      sequelizeOf(this),
      async (inner) => {
        const lastSeq = await reserve(jobId, entries.length, inner);
        const firstSeq = lastSeq - entries.length + 1;
        const rows = entries.map((entry, index) => ({ ...entry, jobId, seq: firstSeq + index }));
        return this.bulkCreate(rows, { transaction: inner, returning: false });
      },
      { transaction },
    );
  }

  /** The entries that follow number `seq`, in order, at most `limit`. */
  static async findAfter(jobId: string, seq: number, limit: number): Promise<MigrationLog[]> {
    return this.findAll({ where: { jobId, seq: { [Op.gt]: seq } }, order: ['seq'], limit });
  }

  static initModel(sequelize: Sequelize): typeof MigrationLog {
    return this.init(
      {
        jobId: { type: DataTypes.UUID, primaryKey: true, allowNull: false },
        seq: { ...counterColumn('seq'), primaryKey: true },
        at: momentColumn(),
        level: { type: DataTypes.TEXT, allowNull: false },
        phase: { type: DataTypes.TEXT, allowNull: true },
        tableName: { type: DataTypes.TEXT, allowNull: true },
        message: { type: DataTypes.TEXT, allowNull: false },
        detail: { type: DataTypes.JSONB, allowNull: true },
      },
      { ...tableOptions<MigrationLog>(sequelize, 'migration_logs'), timestamps: false },
    );
  }
}

/** Takes `count` numbers and gives the last of them. */
async function reserve(jobId: string, count: number, transaction: Transaction): Promise<number> {
  const [job] = await sequelizeOf(MigrationJob).query<{ log_seq: string }>(
    `UPDATE ${quotedTable(MigrationJob)} SET log_seq = log_seq + $count WHERE id = $jobId RETURNING log_seq`,
    { bind: { count, jobId }, type: QueryTypes.SELECT, transaction },
  );
  if (!job) throw new AppError('NOT_FOUND', { entity: 'Job' });
  return toSafeInteger(job.log_seq);
}
