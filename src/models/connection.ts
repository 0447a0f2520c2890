import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { idColumn, momentColumn, tableOptions, type JsonObject } from './columns.ts';
import { MAX_LENGTHS, type ConnectionKind } from './vocabulary.ts';

/** How to reach a source or a target. The secret is here only encrypted, and no presenter shows even that. */
export class Connection extends Model<
  InferAttributes<Connection>,
  InferCreationAttributes<Connection>
> {
  declare id: CreationOptional<string>;
  declare name: string;
  declare kind: ConnectionKind;
  /** Everything but the secret. */
  declare options: JsonObject;
  declare secretCiphertext: CreationOptional<Buffer | null>;
  declare secretKeyId: CreationOptional<string | null>;
  /** null = made by the hub itself. */
  declare createdBy: CreationOptional<string | null>;
  /** Raised by one with every change; the ETag. */
  declare version: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  hasSecret(): boolean {
    return this.secretCiphertext !== null;
  }

  static initModel(sequelize: Sequelize): typeof Connection {
    return this.init(
      {
        id: idColumn(),
        name: { type: DataTypes.STRING(MAX_LENGTHS.name), allowNull: false },
        kind: { type: DataTypes.TEXT, allowNull: false },
        options: { type: DataTypes.JSONB, allowNull: false },
        secretCiphertext: { type: DataTypes.BLOB, allowNull: true },
        secretKeyId: { type: DataTypes.TEXT, allowNull: true },
        createdBy: { type: DataTypes.UUID, allowNull: true },
        version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        createdAt: momentColumn(),
        updatedAt: momentColumn(),
      },
      tableOptions<Connection>(sequelize, 'connections'),
    );
  }
}
