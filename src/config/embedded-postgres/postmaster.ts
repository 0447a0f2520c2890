import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { findErrorCode } from '../error-code.ts';
import { runCommand } from './command.ts';

export interface Postmaster {
  readonly processId: number;
  readonly port: number;
}

/**
 * Finds the server that runs on a cluster. A pid file whose process is gone, is a zombie (in a
 * container nobody may reap it) or is another program by now is removed: PostgreSQL only looks
 * whether the number is in use, and would refuse to start.
 */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | null> {
  const pidFile = path.join(clusterDir, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const processId = Number(lines[0]);
  const port = Number(lines[3]);
  if (!processId) return null;

  if (isAlive(processId) && (await isPostgres(processId))) return { processId, port };
  await rm(pidFile, { force: true });
  return null;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, it only belongs to another user.
    return findErrorCode(error) === 'EPERM';
  }
}

async function isPostgres(processId: number): Promise<boolean> {
  if (process.platform === 'win32') return true;
  // The command line of a zombie is empty.
  const commandLine =
    process.platform === 'linux'
      ? await readFile(`/proc/${processId}/cmdline`, 'utf8').catch(() => '')
      : await runCommand('ps', ['-o', 'command=', '-p', String(processId)]).catch(() => '');
  return commandLine.includes('postgres');
}
