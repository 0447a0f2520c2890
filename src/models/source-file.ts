import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { counterColumn, idColumn, momentColumn, tableOptions } from './columns.ts';
import { MAX_LENGTHS } from './vocabulary.ts';

/** An uploaded SQLite or CSV file. */
export class SourceFile extends Model<
  InferAttributes<SourceFile>,
  InferCreationAttributes<SourceFile>
> {
  declare id: CreationOptional<string>;
  /** As the client called it: for people, never part of a path. */
  declare name: string;
  /** Bytes. */
  declare size: number;
  /** Of the content, 64 hex digits. */
  declare sha256: string;
  /** Relative to the data folder. */
  declare path: string;
  /** null = put there by the hub itself. */
  declare createdBy: CreationOptional<string | null>;
  declare createdAt: CreationOptional<Date>;

  static initModel(sequelize: Sequelize): typeof SourceFile {
    return this.init(
      {
        id: idColumn(),
        name: { type: DataTypes.STRING(MAX_LENGTHS.fileName), allowNull: false },
        size: counterColumn('size'),
        sha256: { type: DataTypes.CHAR(64), allowNull: false },
        path: { type: DataTypes.TEXT, allowNull: false },
        createdBy: { type: DataTypes.UUID, allowNull: true },
        createdAt: momentColumn(),
      },
      { ...tableOptions<SourceFile>(sequelize, 'source_files'), updatedAt: false },
    );
  }
}
