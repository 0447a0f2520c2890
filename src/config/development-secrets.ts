import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { Env } from './env.ts';
import { parseKeys } from './env-values.ts';
import { findErrorCode } from './error-code.ts';

interface KeptSecrets {
  readonly jwtSecrets: string;
  readonly connectionKeys: string;
}

/**
 * Fills in the keys that a developer has not set. They are made once and kept in the data folder:
 * with new ones at each start, the stored passwords of all connections would be unreadable.
 *
 * @throws {Error} in production, where keys are never made up
 */
export function withDevelopmentSecrets(env: Env): Env {
  if (env.jwtSecrets.length > 0 && env.connectionKeys.length > 0) return env;
  if (env.nodeEnv === 'production') throw new Error('Keys are never made up in production');

  const kept = readOrCreate(env.dataDir);
  const parse = parseKeys({ minBytes: 32, maxBytes: 32 });
  return Object.freeze({
    ...env,
    jwtSecrets: env.jwtSecrets.length > 0 ? env.jwtSecrets : parse(kept.jwtSecrets),
    connectionKeys: env.connectionKeys.length > 0 ? env.connectionKeys : parse(kept.connectionKeys),
  });
}

function readOrCreate(dataDir: string): KeptSecrets {
  const file = path.join(dataDir, 'secrets.json');
  return read(file) ?? create(file);
}

function read(file: string): KeptSecrets | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeptSecrets;
  } catch (error) {
    if (findErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The API and a worker may start at the same moment: the first file stays, both use it. */
function create(file: string): KeptSecrets {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o711 });
  const created = { jwtSecrets: createKey(), connectionKeys: createKey() };
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(created, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(unfinished, file);
    return created;
  } catch (error) {
    const winner = read(file);
    if (winner) return winner;
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function createKey(): string {
  return `development:${randomBytes(32).toString('base64')}`;
}
