import type { PlannedColumn } from '../contract.ts';
import { castsRealsAsText, CAST_ENCODER } from './sqlite-cast-encoder.ts';
import { DATE_ENCODERS } from './sqlite-date-encoders.ts';
import type { SqliteEncoder } from './sqlite-encoder.ts';
import {
  BOOLEAN_ENCODER,
  DOUBLE_ENCODER,
  integerEncoder,
  NUMERIC_ENCODER,
} from './sqlite-number-encoders.ts';
import { BYTEA_ENCODER, TEXT_ENCODER } from './sqlite-text-encoders.ts';

/** Every value encoder of the SQLite source, by the name that a plan gives it. */
export const SQLITE_ENCODERS = {
  bigint: integerEncoder({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  smallint: integerEncoder({ min: -32_768n, max: 32_767n }),
  integer: integerEncoder({ min: -(2n ** 31n), max: 2n ** 31n - 1n }),
  double: DOUBLE_ENCODER,
  numeric: NUMERIC_ENCODER,
  boolean: BOOLEAN_ENCODER,
  text: TEXT_ENCODER,
  bytea: BYTEA_ENCODER,
  ...DATE_ENCODERS,
  /** Of any type that its column is planned as; every other encoder has its own. */
  cast: CAST_ENCODER,
} as const satisfies Record<string, SqliteEncoder>;

export type SqliteEncoderName = keyof typeof SQLITE_ENCODERS;

/** True where a column's reals have to be read as SQLite writes them. */
export function readsRealsAsText({
  encoder,
  targetType,
}: Pick<PlannedColumn, 'encoder' | 'targetType'>): boolean {
  return encoder === 'text' || (encoder === 'cast' && castsRealsAsText(targetType));
}

/** The encoder that a plan names. A plan of another version of the hub may name one that is not there. */
export function sqliteEncoder(name: string): SqliteEncoder {
  if (!Object.hasOwn(SQLITE_ENCODERS, name))
    throw new Error(`the SQLite source has no encoder ${name}`);
  return SQLITE_ENCODERS[name as SqliteEncoderName];
}
