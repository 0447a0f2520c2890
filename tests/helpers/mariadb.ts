import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';

import { withExclusiveLock } from '../../src/config/embedded-postgres/lock.ts';
import {
  ADMIN,
  findMariaDb,
  isRunning,
  killMariaDbServers,
  startMariaDbServer,
  type MariaDbServer,
} from './mariadb-server.ts';
import { RUN_FOLDER_VARIABLE } from './test-server.ts';

export interface TestMariaDb {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string;
  readonly database: string;
  /** May do everything. */
  readonly user: string;
  readonly password: string;
  /**
   * Runs one statement or several; answers the rows of the last one. All go over one connection, so that `SET sql_mode = …`
   * holds for what follows. Numbers beyond 2^53, decimals and times come as text.
   */
  sql(text: string, values?: readonly unknown[]): Promise<RowDataPacket[]>;
  /** Makes an account that has only these rights: `SELECT ON *.*`, `SELECT ON ${database}.people`. */
  createAccount(rights: readonly string[]): Promise<{ user: string; password: string }>;
  /** Ends the server at once. Only with `ownServer`. */
  kill(): Promise<void>;
  /** Drops the database and the accounts; ends the server if it is this one's own. */
  close(): Promise<void>;
}

/**
 * A fresh database on the MariaDB of this test run, which the first caller starts.
 * With `ownServer` on one that no other test uses, so that it can be killed.
 */
export async function createTestMariaDb(
  options: { readonly ownServer?: boolean } = {},
): Promise<TestMariaDb> {
  const ownFolder = options.ownServer ? path.join(runFolder(), `m-${randomName()}`) : null;
  const server = await (ownFolder === null ? findServer() : startMariaDbServer(ownFolder));
  const { host, port, socketPath } = server;
  const database = `test_${randomName()}`;
  const connection = await connect(server);
  await connection.query(`CREATE DATABASE ${database}`);
  await connection.query(`USE ${database}`);

  const accounts: string[] = [];
  const kill = async (): Promise<void> => {
    if (ownFolder === null) throw new Error('Other tests use this server: ask for ownServer');
    connection.destroy();
    await killMariaDbServers(ownFolder);
  };
  return {
    ...{ host, port, socketPath, database, ...ADMIN },
    sql: async (text, values) => lastRows(await connection.query(text, values as unknown[])),
    createAccount: async (rights) => {
      const account = { user: `few_${randomName()}`, password: randomName() };
      const name = `'${account.user}'@'%'`;
      await connection.query(`CREATE USER ${name} IDENTIFIED BY '${account.password}'`);
      accounts.push(name);
      for (const right of rights) await connection.query(`GRANT ${right} TO ${name}`);
      return account;
    },
    kill,
    close: async () => {
      if (ownFolder !== null) return kill();
      await connection.query(`DROP DATABASE IF EXISTS ${database}`);
      for (const name of accounts) await connection.query(`DROP USER IF EXISTS ${name}`);
      await connection.end();
    },
  };
}

/**
 * `describe` for tests that need MariaDB. Where it is not installed they are skipped, and say so; under CI they fail, since a
 * test that never runs there is none.
 */
export function describeWithMariaDb(name: string, tests: () => void): void {
  if (findMariaDb() !== null) {
    describe(name, tests);
    return;
  }
  if (process.env.CI) {
    test(`${name}: needs MariaDB`, () => {
      throw new Error('MariaDB (mariadbd, mariadb-install-db) is not installed');
    });
    return;
  }
  describe.skip(
    `${name} (skipped: MariaDB is not installed; on Debian "apt-get install mariadb-server")`,
    tests,
  );
}

async function findServer(): Promise<MariaDbServer> {
  const folder = path.join(runFolder(), 'mariadb');
  const state = path.join(runFolder(), 'mariadb.json');
  const file = path.join(runFolder(), 'mariadb.lock');
  return withExclusiveLock({ file, timeoutSeconds: 120 }, async () => {
    const text = await readFile(state, 'utf8').catch(() => null);
    const known = text === null ? null : (JSON.parse(text) as MariaDbServer);
    if (known !== null && isRunning(known.processId, folder)) return known;
    // One that died, or never came up.
    await killMariaDbServers(folder);
    const server = await startMariaDbServer(folder);
    await writeFile(`${state}.new`, JSON.stringify(server));
    await rename(`${state}.new`, state);
    return server;
  });
}

function runFolder(): string {
  const folder = process.env[RUN_FOLDER_VARIABLE];
  if (!folder) throw new Error('There is no test run: run the tests with "npm test"');
  return folder;
}

function connect({ host, port }: MariaDbServer): Promise<Connection> {
  return createConnection({
    ...{ host, port, ...ADMIN },
    charset: 'utf8mb4',
    multipleStatements: true,
    supportBigNumbers: true,
    dateStrings: true,
  });
}

/** Of several statements each has an answer; only a SELECT's is a list of rows. */
function lastRows([answer]: [unknown, unknown]): RowDataPacket[] {
  if (!Array.isArray(answer)) return [];
  const isSeveral =
    answer.length > 0 && answer.every((part) => Array.isArray(part) || isHeader(part));
  const last: unknown = isSeveral ? answer.at(-1) : answer;
  return Array.isArray(last) ? (last as RowDataPacket[]) : [];
}

function isHeader(part: unknown): boolean {
  return (part as object).constructor.name === 'ResultSetHeader';
}

function randomName(): string {
  return randomBytes(5).toString('hex');
}
