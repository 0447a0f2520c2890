import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { QueryTypes, Sequelize, type QueryInterface } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import { quotedSchemaOf, schemaOf } from './hub-schema.ts';
import { Lease, type HeldLease } from './lease.ts';
import { sqlStateOf } from './transaction.ts';

export interface MigrateOptions {
  /** Gets one line for each schema migration. */
  readonly log?: (message: string) => void;
  /** How long to wait for another process that is migrating. */
  readonly waitSeconds?: number;
}

interface SchemaMigration {
  readonly up: (queryInterface: QueryInterface, sequelize: typeof Sequelize) => Promise<void>;
}

const FOLDER = new URL('../migrations/', import.meta.url);
const LEASES_MIGRATION = '20261121000000-create-leases.ts';
const LEASE_NAME = 'schema';
const LEASE_SECONDS = 60;
const WAIT_SECONDS = 120;
const POLL_MS = 250;
/** undefined_table: nothing has ever been migrated. */
const UNDEFINED_TABLE = '42P01';
/** IF NOT EXISTS does not help two that start at once: the later one hits the catalog's own unique index. */
const CREATED_BY_ANOTHER: ReadonlySet<string | null> = new Set(['23505', '42P06', '42P07']);

/** File names of the schema migrations that this database has not had, in order. Changes nothing. */
export async function pendingMigrations(sequelize: Sequelize): Promise<string[]> {
  const applied = await appliedMigrations(sequelize);
  const files = await readdir(FOLDER);
  return files.filter((file) => file.endsWith('.ts') && !applied.has(file)).sort();
}

/**
 * Brings the hub's schema up to date and gives the file names that it ran: the same files in the same order as sequelize-cli,
 * kept in the same table. Any number of processes may call it at once: one runs, the others wait and find nothing left to do.
 * After a failure half-way it can simply run again, since every statement of a schema migration bears repeating.
 * @throws AppError SERVICE_UNAVAILABLE when another process is still at it after `waitSeconds`.
 */
export async function migrate(
  sequelize: Sequelize,
  options: MigrateOptions = {},
): Promise<string[]> {
  if ((await pendingMigrations(sequelize)).length === 0) return [];

  return withSchemaLease(
    sequelize,
    async (signal) => {
      await createMetaTable(sequelize);
      const pending = await pendingMigrations(sequelize);
      for (const file of pending) {
        signal.throwIfAborted();
        await apply(sequelize, file);
        options.log?.(`schema migration ${file} applied`);
      }
      return pending;
    },
    options,
  );
}

/**
 * Runs `work` while no other process changes the hub's schema under this lease. The signal aborts when the lease is lost.
 * sequelize-cli takes no lock of its own: whoever runs it where several may start at once, runs it in here.
 * @throws AppError SERVICE_UNAVAILABLE when another process still has the lease after `waitSeconds`.
 */
export async function withSchemaLease<Result>(
  sequelize: Sequelize,
  work: (signal: AbortSignal) => Promise<Result>,
  { waitSeconds = WAIT_SECONDS }: Pick<MigrateOptions, 'waitSeconds'> = {},
): Promise<Result> {
  await createLeasesTable(sequelize);
  if (Lease.sequelize !== sequelize) Lease.initModel(sequelize);

  const held = await waitForLease(waitSeconds);
  const lost = new AbortController();
  const renewal = setInterval(
    () => {
      Lease.renew(held, LEASE_SECONDS).then(
        (stillHeld) => {
          if (!stillHeld) lost.abort(new AppError('SERVICE_UNAVAILABLE'));
        },
        (error: unknown) => lost.abort(error),
      );
    },
    (LEASE_SECONDS * 1000) / 3,
  );
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(renewal);
    // One that cannot be given back (its table went with an undo, the database is gone) expires by itself.
    await Lease.release(held).catch(() => undefined);
  }
}

async function waitForLease(waitSeconds: number): Promise<HeldLease> {
  const request = { name: LEASE_NAME, owner: randomUUID(), seconds: LEASE_SECONDS };
  const deadline = Date.now() + waitSeconds * 1000;
  for (;;) {
    const held = await Lease.acquire(request);
    if (held) return held;
    if (Date.now() >= deadline)
      throw new AppError('SERVICE_UNAVAILABLE', { retryAfterSeconds: LEASE_SECONDS });
    await sleep(POLL_MS * (1 + Math.random()));
  }
}

async function appliedMigrations(sequelize: Sequelize): Promise<ReadonlySet<string>> {
  try {
    const rows = await sequelize.query<{ name: string }>(
      `SELECT name FROM ${metaTable(sequelize)}`,
      {
        type: QueryTypes.SELECT,
      },
    );
    return new Set(rows.map(({ name }) => name));
  } catch (error) {
    if (sqlStateOf(error) === UNDEFINED_TABLE) return new Set();
    throw error;
  }
}

async function apply(sequelize: Sequelize, file: string): Promise<void> {
  const migration = await load(file);
  await migration.up(sequelize.getQueryInterface(), Sequelize);
  await sequelize.query(
    `INSERT INTO ${metaTable(sequelize)} (name) VALUES ($file) ON CONFLICT (name) DO NOTHING`,
    {
      bind: { file },
    },
  );
}

async function load(file: string): Promise<SchemaMigration> {
  return (await import(new URL(file, FOLDER).href)) as SchemaMigration;
}

async function createLeasesTable(sequelize: Sequelize): Promise<void> {
  const { up } = await load(LEASES_MIGRATION);
  await retryWhenCreatedByAnother(() => createSchema(sequelize));
  await retryWhenCreatedByAnother(() => up(sequelize.getQueryInterface(), Sequelize));
}

/** Asks first: CREATE SCHEMA IF NOT EXISTS needs a right on the database also where there is nothing to create. */
async function createSchema(sequelize: Sequelize): Promise<void> {
  const found = await sequelize.query(
    'SELECT 1 FROM information_schema.schemata WHERE schema_name = $schema',
    {
      bind: { schema: schemaOf(sequelize) },
      type: QueryTypes.SELECT,
    },
  );
  if (found.length === 0)
    await sequelize.query(`CREATE SCHEMA IF NOT EXISTS ${quotedSchemaOf(sequelize)}`);
}

/** As sequelize-cli makes it. */
async function createMetaTable(sequelize: Sequelize): Promise<void> {
  await sequelize.query(
    `CREATE TABLE IF NOT EXISTS ${metaTable(sequelize)} ("name" VARCHAR(255) NOT NULL UNIQUE, PRIMARY KEY ("name"))`,
  );
}

function metaTable(sequelize: Sequelize): string {
  return `${quotedSchemaOf(sequelize)}."SequelizeMeta"`;
}

async function retryWhenCreatedByAnother(create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!CREATED_BY_ANOTHER.has(sqlStateOf(error))) throw error;
    await create();
  }
}
