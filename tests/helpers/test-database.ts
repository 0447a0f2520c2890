import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { SERVER_URL_VARIABLE } from './test-server.ts';

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

/** Makes a fresh, empty database that no other test sees. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runOnServer(`CREATE DATABASE ${name}`);
  return {
    name,
    url: testServerUrl(name),
    drop: () => runOnServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function runOnServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testServerUrl('postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
