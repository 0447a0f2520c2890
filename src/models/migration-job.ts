import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';

import { counterColumn, idColumn, momentColumn, tableOptions, type JsonObject } from './columns.ts';
import type { Connection } from './connection.ts';
import { MAX_LENGTHS, type JobAction, type JobPhase, type JobStatus } from './vocabulary.ts';

/** Progress as last written by the worker that holds the job. */
export interface JobCounters {
  readonly tablesTotal: number;
  readonly tablesDone: number;
  readonly rowsTotal: number;
  readonly rowsCopied: number;
  readonly rowsRejected: number;
  readonly bytesCopied: number;
  readonly rowsPerSecond: number | null;
  readonly etaSeconds: number | null;
}

/** Why a job failed. */
export interface JobError {
  readonly code: string;
  readonly message: string;
  /** What the user can do next: `retry` may work as it is, or something has to change first. */
  readonly recovery: 'retriable' | 'fatal';
  readonly field?: string;
  readonly [detail: string]: unknown;
}

const FINISHED: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled', 'rolled_back'];
const ACTIVE: readonly JobStatus[] = ['queued', 'running'];

/**
 * One migration from one source to one target. Assessment, plan and request can be megabytes, so the default scope leaves them
 * out (the attributes are undefined there, not null): scope `withAssessment` has the one, `withPlan` the other, `unscoped()` all.
 */
export class MigrationJob extends Model<
  InferAttributes<MigrationJob>,
  InferCreationAttributes<MigrationJob>
> {
  declare id: CreationOptional<string>;
  declare name: string;
  declare sourceId: string;
  declare targetId: string;
  declare options: CreationOptional<JsonObject>;
  declare status: CreationOptional<JobStatus>;
  /** null = never started. */
  declare phase: CreationOptional<JobPhase | null>;
  /** null = nothing asked for yet. */
  declare action: CreationOptional<JobAction | null>;
  declare counters: CreationOptional<Partial<JobCounters>>;
  declare assessment: CreationOptional<JsonObject | null>;
  declare plan: CreationOptional<JsonObject | null>;
  /** SHA-256 of the plan, 64 hex digits. */
  declare planHash: CreationOptional<string | null>;
  /** What `action` was asked for with, where it takes anything; null = nothing. */
  declare request: CreationOptional<JsonObject | null>;
  declare result: CreationOptional<JsonObject | null>;
  declare error: CreationOptional<JobError | null>;
  /** Raised by one with every change that a client can see the effect of; the ETag. */
  declare version: CreationOptional<number>;
  /** null = made by the hub itself. */
  declare createdBy: CreationOptional<string | null>;
  /** The worker that holds the job; null = none. */
  declare leaseOwner: CreationOptional<string | null>;
  /** Fencing token: raised with every taking, so a worker that was given up can be told from the one that followed. */
  declare leaseToken: CreationOptional<number>;
  declare leaseExpiresAt: CreationOptional<Date | null>;
  /** Sequence number of the last log entry; only `MigrationLog.append` moves it. */
  declare logSeq: CreationOptional<number>;
  declare startedAt: CreationOptional<Date | null>;
  declare finishedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare source?: NonAttribute<Connection>;
  declare target?: NonAttribute<Connection>;

  /** Nothing happens any more unless someone asks for it. */
  isFinished(): boolean {
    return FINISHED.includes(this.status);
  }

  /** A worker has it, or will. */
  isActive(): boolean {
    return ACTIVE.includes(this.status);
  }

  /** A worker has not let go of it yet, whatever its status says. */
  isHeld(now: Date): boolean {
    return this.leaseExpiresAt !== null && this.leaseExpiresAt > now;
  }

  static initModel(sequelize: Sequelize): typeof MigrationJob {
    return this.init(
      {
        id: idColumn(),
        name: { type: DataTypes.STRING(MAX_LENGTHS.name), allowNull: false },
        sourceId: { type: DataTypes.UUID, allowNull: false },
        targetId: { type: DataTypes.UUID, allowNull: false },
        options: { type: DataTypes.JSONB, allowNull: false, defaultValue: {} },
        status: { type: DataTypes.TEXT, allowNull: false, defaultValue: 'draft' },
        phase: { type: DataTypes.TEXT, allowNull: true },
        action: { type: DataTypes.TEXT, allowNull: true },
        counters: { type: DataTypes.JSONB, allowNull: false, defaultValue: {} },
        assessment: { type: DataTypes.JSONB, allowNull: true },
        plan: { type: DataTypes.JSONB, allowNull: true },
        planHash: { type: DataTypes.CHAR(64), allowNull: true },
        request: { type: DataTypes.JSONB, allowNull: true },
        result: { type: DataTypes.JSONB, allowNull: true },
        error: { type: DataTypes.JSONB, allowNull: true },
        version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        createdBy: { type: DataTypes.UUID, allowNull: true },
        leaseOwner: { type: DataTypes.TEXT, allowNull: true },
        leaseToken: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        leaseExpiresAt: { type: DataTypes.DATE, allowNull: true },
        logSeq: counterColumn('logSeq'),
        startedAt: { type: DataTypes.DATE, allowNull: true },
        finishedAt: { type: DataTypes.DATE, allowNull: true },
        createdAt: momentColumn(),
        updatedAt: momentColumn(),
      },
      {
        ...tableOptions<MigrationJob>(sequelize, 'migration_jobs'),
        defaultScope: { attributes: { exclude: ['assessment', 'plan', 'request'] } },
        scopes: {
          withAssessment: { attributes: { exclude: ['plan', 'request'] } },
          withPlan: { attributes: { exclude: ['assessment', 'request'] } },
        },
      },
    );
  }
}
