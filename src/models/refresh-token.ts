import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';

import { idColumn, momentColumn, tableOptions } from './columns.ts';
import type { Session } from './session.ts';

/** A refresh token, known by its SHA-256 only. A used one that comes back ends the session. */
export class RefreshToken extends Model<
  InferAttributes<RefreshToken>,
  InferCreationAttributes<RefreshToken>
> {
  declare id: CreationOptional<string>;
  declare sessionId: string;
  /** SHA-256, 32 bytes. */
  declare tokenHash: Buffer;
  /** The token that was exchanged for this one; null = the first of its session. */
  declare parentId: CreationOptional<string | null>;
  declare usedAt: CreationOptional<Date | null>;
  declare revokedAt: CreationOptional<Date | null>;
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  declare session?: NonAttribute<Session>;

  static initModel(sequelize: Sequelize): typeof RefreshToken {
    return this.init(
      {
        id: idColumn(),
        sessionId: { type: DataTypes.UUID, allowNull: false },
        tokenHash: { type: DataTypes.BLOB, allowNull: false },
        parentId: { type: DataTypes.UUID, allowNull: true },
        usedAt: { type: DataTypes.DATE, allowNull: true },
        revokedAt: { type: DataTypes.DATE, allowNull: true },
        expiresAt: { type: DataTypes.DATE, allowNull: false },
        createdAt: momentColumn(),
      },
      { ...tableOptions<RefreshToken>(sequelize, 'refresh_tokens'), updatedAt: false },
    );
  }
}
