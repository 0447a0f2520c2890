import {
  DataTypes,
  Model,
  QueryTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
  type Transaction,
} from 'sequelize';

import {
  counterColumn,
  idColumn,
  tableOptions,
  type JsonObject,
  toSafeInteger,
} from './columns.ts';
import { quotedTable, sequelizeOf } from './hub-schema.ts';
import { MigrationTable } from './migration-table.ts';

/** The adjustments of a job by one rule in one column, all chunks together. */
export interface AdjustmentSummary {
  readonly table: string;
  readonly column: string;
  readonly rule: string;
  readonly count: number;
  readonly sampleKeys: readonly object[];
}

const MAX_SAMPLE_KEYS = 5;

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

  /** One entry for each table, column and rule of a job, in the order of its tables. */
  static async summarize(jobId: string, transaction?: Transaction): Promise<AdjustmentSummary[]> {
    const rows = await sequelizeOf(this).query<
      Omit<AdjustmentSummary, 'count'> & { count: string }
    >(
      `SELECT t.source_table AS "table", a.column_name AS "column", a.rule, sum(a.count) AS count,
              (array_agg(a.sample_keys ORDER BY a.chunk_number))[1] AS "sampleKeys"
         FROM ${quotedTable(this)} a JOIN ${quotedTable(MigrationTable)} t ON t.id = a.table_id
        WHERE a.job_id = $jobId GROUP BY t.position, t.source_table, a.column_name, a.rule
        ORDER BY t.position, a.column_name, a.rule`,
      { bind: { jobId }, type: QueryTypes.SELECT, ...(transaction && { transaction }) },
    );
    return rows.map((row) => ({
      ...row,
      count: toSafeInteger(row.count),
      sampleKeys: row.sampleKeys.slice(0, MAX_SAMPLE_KEYS),
    }));
  }

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
