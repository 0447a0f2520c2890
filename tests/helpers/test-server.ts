import { mkdir, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import {
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/config/embedded-postgres.ts';
import { killMariaDbServers } from './mariadb-server.ts';

/** Tells the test processes where the server of this run is: the URL of any of its databases. */
export const SERVER_URL_VARIABLE = 'TEST_DATABASE_SERVER_URL';
/** A folder that all test processes of this run share. */
export const RUN_FOLDER_VARIABLE = 'TEST_RUN_FOLDER';

const user = process.getuid?.() ?? 'user';
const runsFolder = path.join(os.tmpdir(), `legacy-migration-hub-tests-${user}`);

/** Starts the one PostgreSQL server of a test run, after clearing what interrupted runs left. */
export async function startTestServer(): Promise<EmbeddedPostgres> {
  await removeInterruptedRuns();
  const dataDir = runFolder(process.pid);
  await mkdir(dataDir, { recursive: true });
  // What a crash of the machine would take is no loss here, and tests create many databases.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  return startEmbeddedPostgres({ dataDir, settings });
}

/** Stops the server of this run and removes its files. */
export async function removeTestServer(): Promise<void> {
  await removeRun(process.pid);
}

async function removeInterruptedRuns(): Promise<void> {
  const names = await readdir(runsFolder).catch(() => []);
  const runs = names.map(Number).filter((processId) => processId > 0 && !isAlive(processId));
  for (const processId of runs) await removeRun(processId);
}

/** Also stops the servers that tests have started for themselves in folders within the run's. */
async function removeRun(processId: number): Promise<void> {
  const folder = runFolder(processId);
  await killMariaDbServers(folder);
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const states = files.filter((file) => path.basename(file) === 'postgres.json');
  for (const state of states) {
    await removeEmbeddedPostgres({ dataDir: path.join(folder, path.dirname(state)) });
  }
  await rm(folder, { recursive: true, force: true });
}

export function runFolder(processId: number): string {
  return path.join(runsFolder, String(processId));
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
