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
import type { User } from './user.ts';
import type { SessionKind } from './vocabulary.ts';

/**
 * One login: the family of refresh tokens that descends from it. Refresh, logout and password change lock this row, so that
 * no token survives the end of its session.
 */
export class Session extends Model<InferAttributes<Session>, InferCreationAttributes<Session>> {
  declare id: CreationOptional<string>;
  declare userId: string;
  declare kind: SessionKind;
  declare ip: CreationOptional<string | null>;
  declare userAgent: CreationOptional<string | null>;
  /** Moves on with every refresh, never beyond `absoluteExpiresAt`. */
  declare expiresAt: Date;
  declare absoluteExpiresAt: Date;
  declare revokedAt: CreationOptional<Date | null>;
  declare revokedReason: CreationOptional<string | null>;
  declare lastUsedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  isUsable(now: Date): boolean {
    return this.revokedAt === null && now < this.expiresAt && now < this.absoluteExpiresAt;
  }

  static initModel(sequelize: Sequelize): typeof Session {
    return this.init(
      {
        id: idColumn(),
        userId: { type: DataTypes.UUID, allowNull: false },
        kind: { type: DataTypes.TEXT, allowNull: false },
        ip: { type: DataTypes.TEXT, allowNull: true },
        userAgent: { type: DataTypes.TEXT, allowNull: true },
        expiresAt: { type: DataTypes.DATE, allowNull: false },
        absoluteExpiresAt: { type: DataTypes.DATE, allowNull: false },
        revokedAt: { type: DataTypes.DATE, allowNull: true },
        revokedReason: { type: DataTypes.TEXT, allowNull: true },
        lastUsedAt: { type: DataTypes.DATE, allowNull: true },
        createdAt: momentColumn(),
      },
      { ...tableOptions<Session>(sequelize, 'sessions'), updatedAt: false },
    );
  }
}
