import { Sequelize, type Options } from 'sequelize';

import { parseDatabaseUrl, type DatabaseConnection } from './database-url.ts';
import { loadDatabaseEnv } from './load-env.ts';

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

/**
 * The configuration that sequelize-cli asks for (see .sequelizerc). Where DATABASE_URL is unset it
 * starts the embedded PostgreSQL, and stops it at exit unless a hub uses it.
 */
export default async function configureSequelizeCli(): Promise<Options & CliOptions> {
  try {
    return await readCliOptions();
  } catch (error) {
    // sequelize-cli answers a rejection with its help text and a stack.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

async function readCliOptions(): Promise<Options & CliOptions> {
  const env = loadDatabaseEnv();
  const url = env.databaseUrl ?? (await startServerForCli(env.dataDir));
  const options = sequelizeOptions(parseDatabaseUrl(url));
  return {
    ...options,
    dialectOptions: { ...options.dialectOptions, application_name: 'sequelize-cli' },
    define: { schema: env.databaseSchema, underscored: true },
    // sequelize-cli creates this schema before its own table.
    migrationStorageTableSchema: env.databaseSchema,
    seederStorage: 'sequelize',
    seederStorageTableSchema: env.databaseSchema,
  };
}

interface CliOptions {
  readonly migrationStorageTableSchema: string;
  readonly seederStorage: string;
  readonly seederStorageTableSchema: string;
}

async function startServerForCli(dataDir: string): Promise<string> {
  const { startEmbeddedPostgres } = await import('./embedded-postgres.ts');
  const server = await startEmbeddedPostgres({ dataDir });
  // sequelize-cli ends itself with process.exit(), so this is the only moment there is.
  process.once('exit', () => {
    server.stopSync();
  });
  return server.url;
}
