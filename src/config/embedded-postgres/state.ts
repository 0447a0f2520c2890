import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { findErrorCode } from '../error-code.ts';
import { shareWithOwner } from './account.ts';

/** What is remembered between starts, in `postgres.json` in the data folder. */
export interface ClusterState {
  readonly password: string;
  readonly clusterDir: string;
  readonly port: number | null;
}

/** Reads the state of the data folder; null where no cluster has been made there yet. */
export async function readState(dataDir: string): Promise<ClusterState | null> {
  let text: string;
  try {
    text = await readFile(stateFile(dataDir), 'utf8');
  } catch (error) {
    if (findErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  return JSON.parse(text) as ClusterState;
}

/** Replaces the state in one step: a crash leaves the former or the new one, never half of it. */
export async function writeState(dataDir: string, state: ClusterState): Promise<void> {
  const unfinished = `${stateFile(dataDir)}.new`;
  await writeFile(unfinished, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await shareWithOwner(dataDir, unfinished);
  await rename(unfinished, stateFile(dataDir));
}

/** A password made of characters that need no quoting in a URL. */
export function createPassword(): string {
  return randomBytes(24).toString('base64url');
}

function stateFile(dataDir: string): string {
  return path.join(dataDir, 'postgres.json');
}
