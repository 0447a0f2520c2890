import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { counterColumn, idColumn, tableOptions, type JsonObject } from './columns.ts';

/** Values of one column of one chunk that a policy stored otherwise than the source gave them, by one rule. */
export class Adjustment extends Model<
  InferAttributes<Adjustment>,
  InferCreationAttributes<Adjustment>
> {
  declare id: CreationOptional<string>;
  declare jobId: string;
  declare tableId: string;
  declare chunkNumber: number;
  declare columnName: string;
  declare rule: string;
  declare count: number;
  /** Keys of a few of the rows. */
  declare sampleKeys: readonly JsonObject[];

  static initModel(sequelize: Sequelize): typeof Adjustment {
    return this.init(
      {
        id: idColumn(),
        jobId: { type: DataTypes.UUID, allowNull: false },
        tableId: { type: DataTypes.UUID, allowNull: false },
        chunkNumber: { type: DataTypes.INTEGER, allowNull: false },
        columnName: { type: DataTypes.TEXT, allowNull: false },
        rule: { type: DataTypes.TEXT, allowNull: false },
        count: counterColumn('count'),
        sampleKeys: { type: DataTypes.JSONB, allowNull: false, defaultValue: [] },
      },
      { ...tableOptions<Adjustment>(sequelize, 'adjustments'), timestamps: false },
    );
  }
}
