import type { Source, SourceDriver, SourceKind } from '../contract.ts';
import { CSV_DRIVER, type CsvLocation } from './csv.ts';
import { POSTGRES_DRIVER, type PostgresLocation } from './postgres.ts';
import { MYSQL_DRIVER, type MysqlLocation } from './mysql.ts';
import { SQLITE_DRIVER, type SqliteLocation } from './sqlite.ts';

/** How each kind of source is reached. */
export interface SourceLocations {
  readonly sqlite: SqliteLocation;
  readonly mysql: MysqlLocation;
  readonly postgres: PostgresLocation;
  readonly csv: CsvLocation;
}

/** A kind of source, and where one of it is. */
export type SourceAddress = {
  readonly [Kind in SourceKind]: { readonly kind: Kind; readonly location: SourceLocations[Kind] };
}[SourceKind];

/** Every kind of source that can be read. */
export const SOURCE_DRIVERS: {
  readonly [Kind in SourceKind]: SourceDriver<SourceLocations[Kind]>;
} = {
  sqlite: SQLITE_DRIVER,
  mysql: MYSQL_DRIVER,
  postgres: POSTGRES_DRIVER,
  csv: CSV_DRIVER,
};

/** Opens a source of the given kind; nothing is read before the first call of a method. */
export function openSource<Kind extends SourceKind>(
  kind: Kind,
  location: SourceLocations[Kind],
): Source {
  return SOURCE_DRIVERS[kind].open(location);
}
