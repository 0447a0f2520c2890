import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { counterColumn, idColumn, momentColumn, tableOptions, type JsonObject } from './columns.ts';
import type { TablePhase, Verdict } from './vocabulary.ts';

/** One table of a job: what became of its rows. Rows read = rows copied + rows rejected, or the job has failed. */
export class MigrationTable extends Model<
  InferAttributes<MigrationTable>,
  InferCreationAttributes<MigrationTable>
> {
  declare id: CreationOptional<string>;
  declare jobId: string;
  /** Place in the order in which the tables are copied. */
  declare position: number;
  declare sourceTable: string;
  declare targetSchema: string;
  declare targetTable: string;
  declare rowsEstimated: CreationOptional<number>;
  declare rowsRead: CreationOptional<number>;
  declare rowsCopied: CreationOptional<number>;
  declare rowsRejected: CreationOptional<number>;
  declare rowsAdjusted: CreationOptional<number>;
  declare rowsVerified: CreationOptional<number>;
  declare bytes: CreationOptional<number>;
  declare phase: CreationOptional<TablePhase>;
  declare verdict: CreationOptional<Verdict>;
  /** Why it failed: chunk, key range, …; null = nothing to tell. */
  declare detail: CreationOptional<JsonObject | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  static initModel(sequelize: Sequelize): typeof MigrationTable {
    return this.init(
      {
        id: idColumn(),
        jobId: { type: DataTypes.UUID, allowNull: false },
        position: { type: DataTypes.INTEGER, allowNull: false },
        sourceTable: { type: DataTypes.TEXT, allowNull: false },
        targetSchema: { type: DataTypes.TEXT, allowNull: false },
        targetTable: { type: DataTypes.TEXT, allowNull: false },
        rowsEstimated: counterColumn('rowsEstimated'),
        rowsRead: counterColumn('rowsRead'),
        rowsCopied: counterColumn('rowsCopied'),
        rowsRejected: counterColumn('rowsRejected'),
        rowsAdjusted: counterColumn('rowsAdjusted'),
        rowsVerified: counterColumn('rowsVerified'),
        bytes: counterColumn('bytes'),
        phase: { type: DataTypes.TEXT, allowNull: false, defaultValue: 'pending' },
        verdict: { type: DataTypes.TEXT, allowNull: false, defaultValue: 'pending' },
        detail: { type: DataTypes.JSONB, allowNull: true },
        createdAt: momentColumn(),
        updatedAt: momentColumn(),
      },
      tableOptions<MigrationTable>(sequelize, 'migration_tables'),
    );
  }
}
