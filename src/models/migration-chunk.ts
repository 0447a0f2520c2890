import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { counterColumn, idColumn, momentColumn, tableOptions } from './columns.ts';
import type { ChunkState } from './vocabulary.ts';

/**
 * A key range of one table. What this row says is for people and for scheduling: whether the chunk is in the target, the ledger
 * in the target decides.
 */
export class MigrationChunk extends Model<
  InferAttributes<MigrationChunk>,
  InferCreationAttributes<MigrationChunk>
> {
  declare id: CreationOptional<string>;
  declare jobId: string;
  declare tableId: string;
  declare number: number;
  /** Exclusive; null = open. */
  declare lowerBound: CreationOptional<readonly string[] | null>;
  /** Inclusive; null = open. */
  declare upperBound: CreationOptional<readonly string[] | null>;
  declare state: CreationOptional<ChunkState>;
  declare attempts: CreationOptional<number>;
  declare rowsRead: CreationOptional<number>;
  declare rowsCopied: CreationOptional<number>;
  declare rowsRejected: CreationOptional<number>;
  declare bytes: CreationOptional<number>;
  /** null = not copied yet. */
  declare digest: CreationOptional<string | null>;
  /** Who took it last. */
  declare worker: CreationOptional<string | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  static initModel(sequelize: Sequelize): typeof MigrationChunk {
    return this.init(
      {
        id: idColumn(),
        jobId: { type: DataTypes.UUID, allowNull: false },
        tableId: { type: DataTypes.UUID, allowNull: false },
        number: { type: DataTypes.INTEGER, allowNull: false },
        lowerBound: { type: DataTypes.JSONB, allowNull: true },
        upperBound: { type: DataTypes.JSONB, allowNull: true },
        state: { type: DataTypes.TEXT, allowNull: false, defaultValue: 'pending' },
        attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        rowsRead: counterColumn('rowsRead'),
        rowsCopied: counterColumn('rowsCopied'),
        rowsRejected: counterColumn('rowsRejected'),
        bytes: counterColumn('bytes'),
        digest: { type: DataTypes.TEXT, allowNull: true },
        worker: { type: DataTypes.TEXT, allowNull: true },
        createdAt: momentColumn(),
        updatedAt: momentColumn(),
      },
      tableOptions<MigrationChunk>(sequelize, 'migration_chunks'),
    );
  }
}
