import {
  DATE_ENCODER,
  INTERVAL_ENCODER,
  TIME_ENCODER,
  TIMESTAMP_ENCODER,
  TIMESTAMPTZ_ENCODER,
} from './mysql-date-encoders.ts';
import type { MysqlEncoder } from './mysql-encoder.ts';
import {
  BIT_BOOLEAN_ENCODER,
  BIT_ENCODER,
  BOOLEAN_ENCODER,
  DOUBLE_ENCODER,
  NUMERIC_ENCODER,
  REAL_ENCODER,
  WHOLE_ENCODER,
} from './mysql-number-encoders.ts';
import {
  BYTEA_ENCODER,
  CAST_ENCODER,
  ENUM_ENCODER,
  GEOMETRY_ENCODER,
  JSON_ENCODER,
  JSONB_ENCODER,
  SET_ENCODER,
  TEXT_ENCODER,
  UUID_ENCODER,
} from './mysql-text-encoders.ts';

/** Every value encoder of the MySQL source, by the name that a plan gives it. */
export const MYSQL_ENCODERS = {
  whole: WHOLE_ENCODER,
  boolean: BOOLEAN_ENCODER,
  bitBoolean: BIT_BOOLEAN_ENCODER,
  bit: BIT_ENCODER,
  numeric: NUMERIC_ENCODER,
  real: REAL_ENCODER,
  double: DOUBLE_ENCODER,
  date: DATE_ENCODER,
  timestamp: TIMESTAMP_ENCODER,
  timestamptz: TIMESTAMPTZ_ENCODER,
  time: TIME_ENCODER,
  interval: INTERVAL_ENCODER,
  text: TEXT_ENCODER,
  enum: ENUM_ENCODER,
  set: SET_ENCODER,
  json: JSON_ENCODER,
  jsonb: JSONB_ENCODER,
  uuid: UUID_ENCODER,
  bytea: BYTEA_ENCODER,
  geometry: GEOMETRY_ENCODER,
  cast: CAST_ENCODER,
} as const satisfies Record<string, MysqlEncoder>;

export type MysqlEncoderName = keyof typeof MYSQL_ENCODERS;

/** The encoder that a plan names. A plan of another version of the hub may name one that is not there. */
export function mysqlEncoder(name: string): MysqlEncoder {
  if (!Object.hasOwn(MYSQL_ENCODERS, name))
    throw new Error(`the MySQL source has no encoder ${name}`);
  return MYSQL_ENCODERS[name as MysqlEncoderName];
}
