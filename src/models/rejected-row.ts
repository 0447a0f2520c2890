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

import { idColumn, momentColumn, tableOptions, type JsonObject, toSafeInteger } from './columns.ts';
import { quotedTable, sequelizeOf } from './hub-schema.ts';
import { MigrationTable } from './migration-table.ts';

/** Rejected rows of one table for one reason. */
export interface RejectCount {
  readonly table: string;
  readonly reasonCode: string;
  readonly rows: number;
}

/** A source row that could not be stored faithfully, kept until someone mends and replays it. Never dropped silently. */
export class RejectedRow extends Model<
  InferAttributes<RejectedRow>,
  InferCreationAttributes<RejectedRow>
> {
  declare id: CreationOptional<string>;
  declare jobId: string;
  declare tableId: string;
  declare chunkNumber: number;
  /** Key column → value. Text with NUL or invalid bytes as base64: jsonb can hold neither. */
  declare rowKey: JsonObject;
  /** The row's identity inside the source, opaque; null = the source has none. */
  declare locator: CreationOptional<string | null>;
  /** null = the row as a whole. */
  declare columnName: CreationOptional<string | null>;
  declare reasonCode: string;
  declare message: string;
  /** Source column → value as the source gave it. */
  declare row: JsonObject;
  /** Source column → value that was put in its place when the row was replayed; null = none. */
  declare mended: CreationOptional<JsonObject | null>;
  /** null = not replayed. */
  declare replayedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  /** Rows that are still rejected: not those that have been replayed. */
  static async countByReason(jobId: string, transaction?: Transaction): Promise<RejectCount[]> {
    const rows = await sequelizeOf(this).query<Omit<RejectCount, 'rows'> & { rows: string }>(
      `SELECT t.source_table AS "table", r.reason_code AS "reasonCode", count(*) AS rows
         FROM ${quotedTable(this)} r JOIN ${quotedTable(MigrationTable)} t ON t.id = r.table_id
        WHERE r.job_id = $jobId AND r.replayed_at IS NULL GROUP BY t.position, t.source_table, r.reason_code ORDER BY t.position, r.reason_code`,
      { bind: { jobId }, type: QueryTypes.SELECT, ...(transaction && { transaction }) },
    );
    return rows.map((row) => ({ ...row, rows: toSafeInteger(row.rows) }));
  }

  static initModel(sequelize: Sequelize): typeof RejectedRow {
    return this.init(
      {
        id: idColumn(),
        jobId: { type: DataTypes.UUID, allowNull: false },
        tableId: { type: DataTypes.UUID, allowNull: false },
        chunkNumber: { type: DataTypes.INTEGER, allowNull: false },
        rowKey: { type: DataTypes.JSONB, allowNull: false },
        locator: { type: DataTypes.TEXT, allowNull: true },
        columnName: { type: DataTypes.TEXT, allowNull: true },
        reasonCode: { type: DataTypes.TEXT, allowNull: false },
        message: { type: DataTypes.TEXT, allowNull: false },
        row: { type: DataTypes.JSONB, allowNull: false },
        mended: { type: DataTypes.JSONB, allowNull: true },
        replayedAt: { type: DataTypes.DATE, allowNull: true },
        createdAt: momentColumn(),
      },
      { ...tableOptions<RejectedRow>(sequelize, 'rejected_rows'), updatedAt: false },
    );
  }
}
