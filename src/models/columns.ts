import { DataTypes, type InitOptions, type Model, type Sequelize } from 'sequelize';
import { v7 as uuidv7 } from 'uuid';

import { schemaOf } from './hub-schema.ts';

/** What a jsonb column holds: an object or a list. Two types in one, because interfaces fit the one and literals the other. */
export type JsonObject = object | Record<string, unknown>;

/** UUID v7 made in this process: keys grow with time, so that they index well and break ties of `created_at`. */
export function idColumn() {
  return {
    type: DataTypes.UUID,
    primaryKey: true,
    allowNull: false,
    defaultValue: () => uuidv7(),
  } as const;
}

/**
 * A moment in milliseconds. A finer column would hold what a JavaScript Date cannot, and a page that continues after such
 * a row would skip it or give it twice.
 */
export function momentColumn() {
  return { type: DataTypes.DATE(3), allowNull: false, defaultValue: DataTypes.NOW };
}

/**
 * A bigint that counts (rows, bytes, sequence numbers). pg gives bigint as text; the attribute reads as a number, which is
 * exact up to 2^53. With `raw: true` no getter runs and the value stays text: use `toSafeInteger`.
 */
export function counterColumn(attribute: string) {
  return { ...bigintColumn(attribute), allowNull: false, defaultValue: 0 };
}

/** Like `counterColumn`, but null until it is known. */
export function nullableCounterColumn(attribute: string) {
  return { ...bigintColumn(attribute), allowNull: true };
}

/**
 * What pg gives for a bigint, as a number.
 * @throws RangeError beyond 2^53, where a number would silently be another one.
 */
export function toSafeInteger(value: string | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`Not a safe integer: ${String(value)}`);
  return number;
}

/** What every model of the hub has in common. */
export function tableOptions<M extends Model>(
  sequelize: Sequelize,
  tableName: string,
): InitOptions<M> {
  return { sequelize, tableName, schema: schemaOf(sequelize), underscored: true };
}

function bigintColumn(attribute: string) {
  return {
    type: DataTypes.BIGINT,
    get(this: Model): unknown {
      const value: unknown = this.getDataValue(attribute as never);
      return typeof value === 'string' ? toSafeInteger(value) : value;
    },
  };
}
