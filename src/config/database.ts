import { Sequelize, type Options } from 'sequelize';

import { parseDatabaseUrl, type DatabaseConnection } from './database-url.ts';

const ACQUIRE_TIMEOUT_MILLISECONDS = 5_000;
const APPLICATION_NAME = 'legacy-migration-hub';

export interface DatabaseOptions {
  readonly url: string;
  /** The PostgreSQL schema that holds the hub's own tables. */
  readonly schema: string;
  readonly poolMax?: number;
  /** Gets the text of each statement. The text can hold values, so it is for debugging only. */
  readonly logger?: (statement: string) => void;
}

/** Makes the Sequelize instance of a process. Nothing is dialled before the first query. */
export function createSequelize({ url, schema, poolMax = 10, logger }: DatabaseOptions): Sequelize {
  return new Sequelize({
    ...sequelizeOptions(parseDatabaseUrl(url)),
    logging: logger ?? false,
    define: { schema, underscored: true },
    pool: { max: poolMax, min: 0, acquire: ACQUIRE_TIMEOUT_MILLISECONDS, idle: 30_000 },
  });
}

/** The part of Sequelize's options that says where the database is; sequelize-cli uses it as well. */
export function sequelizeOptions(connection: DatabaseConnection): Options {
  const { host, port, user, password, database, ssl } = connection;
  return {
    dialect: 'postgres',
    host,
    port,
    username: user,
    password,
    database,
    // Sequelize joins long aliases with dots; PostgreSQL would cut them at 63 bytes and mix them up.
    minifyAliases: true,
    timezone: 'UTC',
    dialectOptions: { application_name: APPLICATION_NAME, keepAlive: true, ssl },
  };
}
