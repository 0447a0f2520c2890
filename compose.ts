import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from 'pino';
import type { Sequelize } from 'sequelize';

import { createSequelize } from './src/config/database.ts';
import { parseDatabaseUrl } from './src/config/database-url.ts';
import type { EmbeddedPostgres } from './src/config/embedded-postgres.ts';
import type { Env } from './src/config/env.ts';
import { createLogger, serializeError } from './src/config/logger.ts';
import { initModels } from './src/models/models.ts';
import { migrate, pendingMigrations } from './src/models/schema.ts';
import { Queue } from './src/queue/queue.ts';
import { sealAudit } from './src/services/audit-seal.ts';
import { getConnection, locateSource, locateTarget } from './src/services/connection-locations.ts';
import type { EmbeddedServer, Hub } from './src/services/hub.ts';
import { Passwords } from './src/services/passwords.ts';
import { startWorker, type RunningWorker } from './src/workers/start.ts';

/** The parts of one process of the hub, put together: what `server.ts` and `worker.ts` have in common. */
export interface Composition {
  readonly hub: Hub;
  /** Starts a worker in this process. Stop it before `close`. */
  readonly startWorker: () => Promise<RunningWorker>;
  /** Resolves with the reason when the process has to stop because of an error that nobody has caught. */
  readonly failing: Promise<string>;
  /** Ends queue, pools and threads, and lets go of the embedded PostgreSQL. May be called twice. */
  readonly close: () => Promise<void>;
}

/** Each job has lanes of its own: threads on the source, sessions on the target. */
const JOBS_AT_ONCE = 2;
const TARGET_DATABASE = 'target';
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** What a part may take to close. A pool waits for every connection that is lent, also for those of a job that was left to its lease. */
const CLOSE_SECONDS = 10;

/**
 * Database, schema check, models and queue, in this order. What has been opened is closed again where a later part fails.
 * @throws Error for a person to read, when schema migrations are pending and MIGRATE_ON_START is not set.
 */
export async function compose(env: Env): Promise<Composition> {
  const log = createLogger({ level: env.logLevel });
  const failing = fatalError(log);
  const opened = new Openings();
  try {
    const embedded = await startDatabase(env, log);
    opened.add(async () => embedded?.stop());
    const url = embedded?.url ?? env.databaseUrl ?? '';
    const sequelize = createSequelize({ url, schema: env.databaseSchema });
    opened.add(() => inTime(sequelize.close()));
    await prepareSchema(sequelize, env, log);
    initModels(sequelize);

    const queue = createQueue(url, env, log);
    opened.add(() => inTime(queue.stop(0)));
    await queue.start();
    const passwords = new Passwords();
    opened.add(() => inTime(passwords.close()));

    const settings = { ...env, embeddedServer: describeServer(embedded) };
    const hub: Hub = { sequelize, settings, log, passwords, queue };
    return {
      hub,
      startWorker: () => startHubWorker(hub, queue),
      failing,
      close: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Runs an entry file, and ends the process when `main` has: what still runs then had its time, and would keep it alive. What
 * `main` throws ends it with code 1 and says why on standard error: without a stack, because an operator has to read it.
 */
export function runEntry(main: () => Promise<void>): void {
  main().then(
    () => process.exit(),
    (error: unknown) => {
      process.stderr.write(`${serializeError(error).message}\n`);
      process.exit(1);
    },
  );
}

/** Resolves at the first SIGTERM or SIGINT. A second one is from somebody who does not want to wait: exit code 1, at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isStopping = false;
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      resolve(name);
    });
  }
  return promise;
}

/**
 * After an error that nobody has caught, the state of the process is unknown: it ends what is running, and then itself. Node's
 * own report would print the whole of the error, and Sequelize hangs the statement and its values on its errors.
 */
function fatalError(log: Logger): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'an error that nobody has caught');
    process.exitCode = 1;
    resolve('uncaught error');
  });
  return promise;
}

/** Null: the database is somewhere else. The embedded one is a development dependency, so it is only loaded when asked for. */
async function startDatabase(env: Env, log: Logger): Promise<EmbeddedPostgres | null> {
  if (env.databaseUrl !== undefined) return null;
  const { startEmbeddedPostgres } = await import('./src/config/embedded-postgres.ts');
  return startEmbeddedPostgres({ dataDir: env.dataDir, log });
}

function describeServer(embedded: EmbeddedPostgres | null): EmbeddedServer | null {
  if (embedded === null) return null;
  const { host, port, user, password } = embedded;
  return { host, port, user, password, targetDatabase: TARGET_DATABASE };
}

async function prepareSchema(sequelize: Sequelize, env: Env, log: Logger): Promise<void> {
  if (env.migrateOnStart) {
    await migrate(sequelize, { log: (message) => log.info(message) });
    return;
  }
  const pending = await pendingMigrations(sequelize);
  if (pending.length === 0) return;
  throw new Error(
    `The hub's schema is not up to date: ${pending.join(', ')} pending. Run "npm run db:migrate", or set MIGRATE_ON_START=true`,
  );
}

function createQueue(url: string, { databaseSchema }: Env, log: Logger): Queue {
  return new Queue({
    connection: parseDatabaseUrl(url),
    // Beside the hub's schema, so that two hubs in one database do not take each other's tasks.
    schema: `${databaseSchema}_queue`,
    onError: (error) => log.warn({ err: error }, 'the queue has a problem'),
  });
}

function startHubWorker(hub: Hub, queue: Queue): Promise<RunningWorker> {
  return startWorker({
    queue,
    log: hub.log,
    connectionKeys: hub.settings.connectionKeys,
    concurrency: JOBS_AT_ONCE,
    locateSource: async (id) => locateSource(hub, await getConnection(id)),
    locateTarget: async (id) => locateTarget(hub, await getConnection(id)),
    sealAudit: async () => {
      await sealAudit(hub);
    },
  });
}

/** What has been opened, to be closed in the opposite order. */
class Openings {
  readonly #closers: (() => Promise<unknown>)[] = [];
  #closing: Promise<void> | undefined;

  add(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#closeAll());
  }

  /** One that cannot be closed does not keep the others open; its error is thrown at the end. */
  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.toReversed()) {
      await close().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** The embedded PostgreSQL has a limit of its own. */
async function inTime(closing: Promise<unknown>): Promise<void> {
  const late = sleep(CLOSE_SECONDS * 1000, 'late' as const, { ref: false });
  if ((await Promise.race([closing, late])) !== 'late') return;
  throw new Error(`A part of the hub was not closed after ${String(CLOSE_SECONDS)} seconds`);
}
