import {
  DataTypes,
  literal,
  Model,
  Op,
  QueryTypes,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
  type Transaction,
} from 'sequelize';

import { tableOptions } from './columns.ts';
import { quotedTable, sequelizeOf } from './hub-schema.ts';

/** A lease that someone has: what `renew` and `release` want to see. */
export interface HeldLease {
  readonly name: string;
  readonly owner: string;
  /** Fencing token: greater with every taking, also after a release. */
  readonly token: number;
}

export interface LeaseRequest {
  readonly name: string;
  /** Names one process, not one program: two that share a name would still exclude each other, but nobody could tell them apart. */
  readonly owner: string;
  readonly seconds: number;
}

/**
 * The right to do something alone for a while. Time is the database's: clocks of the machines may differ. An expired lease
 * is anybody's, so the holder renews well before, and what it writes carries the token.
 */
export class Lease extends Model<InferAttributes<Lease>, InferCreationAttributes<Lease>> {
  declare name: string;
  declare owner: string;
  declare token: number;
  declare expiresAt: Date;

  /**
   * Takes the lease if it is free or has expired, in one statement; null = someone has it, the same owner included.
   * A release keeps the row, so that tokens never start again.
   */
  static async acquire(
    request: LeaseRequest,
    transaction?: Transaction,
  ): Promise<HeldLease | null> {
    const { name, owner, seconds } = request;
    const [row] = await sequelizeOf(this).query<{ token: number }>(
      `INSERT INTO ${quotedTable(this)} AS held (name, owner, token, expires_at)
       VALUES ($name, $owner, 1, now() + $seconds * interval '1 second')
       ON CONFLICT (name) DO UPDATE
         SET owner = excluded.owner, token = held.token + 1, expires_at = excluded.expires_at
         WHERE held.expires_at <= now()
       RETURNING token`,
      { bind: { name, owner, seconds }, type: QueryTypes.SELECT, transaction: transaction ?? null },
    );
    return row ? { name, owner, token: row.token } : null;
  }

  /** Holds the lease for `seconds` from now; false = it has been taken over meanwhile: stop what it was for. */
  static async renew(
    held: HeldLease,
    seconds: number,
    transaction?: Transaction,
  ): Promise<boolean> {
    const [changed] = await this.update(
      { expiresAt: literal(`now() + ${String(seconds)} * interval '1 second'`) },
      { where: { ...pick(held) }, transaction: transaction ?? null },
    );
    return changed === 1;
  }

  /** Gives the lease back; does nothing where it has been taken over. */
  static async release(held: HeldLease, transaction?: Transaction): Promise<void> {
    await this.update(
      { expiresAt: literal('now()') },
      {
        where: { ...pick(held), expiresAt: { [Op.gt]: literal('now()') } },
        transaction: transaction ?? null,
      },
    );
  }

  static initModel(sequelize: Sequelize): typeof Lease {
    return this.init(
      {
        name: { type: DataTypes.TEXT, primaryKey: true, allowNull: false },
        owner: { type: DataTypes.TEXT, allowNull: false },
        token: { type: DataTypes.INTEGER, allowNull: false },
        expiresAt: { type: DataTypes.DATE, allowNull: false },
      },
      { ...tableOptions<Lease>(sequelize, 'leases'), timestamps: false },
    );
  }
}

function pick({ name, owner, token }: HeldLease): HeldLease {
  return { name, owner, token };
}
