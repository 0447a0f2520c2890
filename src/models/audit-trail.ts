import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import {
  idColumn,
  momentColumn,
  nullableCounterColumn,
  tableOptions,
  type JsonObject,
} from './columns.ts';
import type { AuditOutcome } from './vocabulary.ts';

/**
 * Who did what, and when. Written in the transaction of what it tells about; `seq`, `prevHash` and `hash` are null until the sealer has
 * added the row to the chain. Holds names, not references: it outlives whom and what it names.
 */
export class AuditTrail extends Model<
  InferAttributes<AuditTrail>,
  InferCreationAttributes<AuditTrail>
> {
  declare id: CreationOptional<string>;
  declare at: CreationOptional<Date>;
  /** null = nobody known (a failed login), or the hub itself. */
  declare actorId: CreationOptional<string | null>;
  /** The user name at the time. */
  declare actor: CreationOptional<string | null>;
  declare action: string;
  declare entityType: CreationOptional<string | null>;
  declare entityId: CreationOptional<string | null>;
  declare outcome: AuditOutcome;
  declare ip: CreationOptional<string | null>;
  declare userAgent: CreationOptional<string | null>;
  declare requestId: CreationOptional<string | null>;
  declare detail: CreationOptional<JsonObject | null>;
  declare seq: CreationOptional<number | null>;
  declare prevHash: CreationOptional<string | null>;
  declare hash: CreationOptional<string | null>;

  isSealed(): boolean {
    return this.seq !== null;
  }

  static initModel(sequelize: Sequelize): typeof AuditTrail {
    return this.init(
      {
        id: idColumn(),
        at: momentColumn(),
        actorId: { type: DataTypes.UUID, allowNull: true },
        actor: { type: DataTypes.TEXT, allowNull: true },
        action: { type: DataTypes.TEXT, allowNull: false },
        entityType: { type: DataTypes.TEXT, allowNull: true },
        entityId: { type: DataTypes.TEXT, allowNull: true },
        outcome: { type: DataTypes.TEXT, allowNull: false },
        ip: { type: DataTypes.TEXT, allowNull: true },
        userAgent: { type: DataTypes.TEXT, allowNull: true },
        requestId: { type: DataTypes.TEXT, allowNull: true },
        detail: { type: DataTypes.JSONB, allowNull: true },
        seq: nullableCounterColumn('seq'),
        prevHash: { type: DataTypes.CHAR(64), allowNull: true },
        hash: { type: DataTypes.CHAR(64), allowNull: true },
      },
      { ...tableOptions<AuditTrail>(sequelize, 'audit_trail'), timestamps: false },
    );
  }
}
