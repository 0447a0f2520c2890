import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { idColumn, momentColumn, tableOptions } from './columns.ts';

/** A signed account of one end of a job. The newest is the one that counts; what has changed the target since removes it. */
export class Certificate extends Model<
  InferAttributes<Certificate>,
  InferCreationAttributes<Certificate>
> {
  declare id: CreationOptional<string>;
  declare jobId: string;
  /** SHA-256 of the canonical JSON of the signed part, 64 hex digits. */
  declare hash: string;
  /** The signed JSON, byte for byte as it is handed out. */
  declare document: string;
  declare createdAt: CreationOptional<Date>;

  static initModel(sequelize: Sequelize): typeof Certificate {
    return this.init(
      {
        id: idColumn(),
        jobId: { type: DataTypes.UUID, allowNull: false },
        hash: { type: DataTypes.CHAR(64), allowNull: false },
        document: { type: DataTypes.TEXT, allowNull: false },
        createdAt: momentColumn(),
      },
      { ...tableOptions<Certificate>(sequelize, 'certificates'), updatedAt: false },
    );
  }
}
