import { randomBytes } from 'node:crypto';
import path from 'node:path';

import pg from 'pg';

import { createSequelize } from '../../src/config/database.ts';
import { withExclusiveLock } from '../../src/config/embedded-postgres/lock.ts';
import { migrate } from '../../src/models/schema.ts';
import { RUN_FOLDER_VARIABLE, SERVER_URL_VARIABLE } from './test-server.ts';

const TEMPLATE = 'template_hub';

export interface TestDatabase {
  readonly name: string;
  /** `postgres://…` of this database. */
  readonly url: string;
  /** Drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** The URL of a database on the server of this test run. */
export function testServerUrl(database: string): string {
  const serverUrl = process.env[SERVER_URL_VARIABLE];
  if (!serverUrl) throw new Error('The test server is not there: run the tests with "npm test"');
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Makes a fresh, empty database that no other test sees. `encoding`: another one than UTF8. */
export async function createTestDatabase(encoding?: string): Promise<TestDatabase> {
  return encoding === undefined
    ? createFrom('template1')
    : createFrom(`template0 ENCODING '${encoding}' LOCALE_PROVIDER libc LOCALE 'C'`);
}

/** The same with the hub's tables in it, in the schema `hub`. Copied from one that was migrated once. */
export async function createMigratedTestDatabase(): Promise<TestDatabase> {
  const folder = process.env[RUN_FOLDER_VARIABLE] ?? '';
  const file = path.join(folder, 'template.lock');
  await withExclusiveLock({ file, timeoutSeconds: 60 }, ensureTemplate);
  return createFrom(TEMPLATE);
}

async function ensureTemplate(): Promise<void> {
  const templates = await runOnServer(`SELECT FROM pg_database WHERE datname = '${TEMPLATE}'`);
  if (templates > 0) return;

  const unfinished = await createFrom('template1');
  const sequelize = createSequelize({ url: unfinished.url, schema: 'hub' });
  try {
    await migrate(sequelize);
  } finally {
    await sequelize.close();
  }
  // Renamed at the end: a template that failed half-way must not be taken for a good one.
  await runOnServer(`ALTER DATABASE ${unfinished.name} RENAME TO ${TEMPLATE}`);
}

async function createFrom(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runOnServer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    name,
    url: testServerUrl(name),
    drop: async () => {
      await runOnServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** Answers how many rows came back. */
async function runOnServer(statement: string): Promise<number> {
  const client = new pg.Client({ connectionString: testServerUrl('postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query(statement);
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}
