import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { createSequelize } from '../src/config/database.ts';
import { loadDatabaseEnv } from '../src/config/load-env.ts';
import { serializeError } from '../src/config/logger.ts';
import { withSchemaLease } from '../src/models/schema.ts';

const ROOT = path.join(import.meta.dirname, '..');
const SEQUELIZE_CLI = path.join(ROOT, 'node_modules', 'sequelize-cli', 'lib', 'sequelize');

/**
 * `sequelize-cli db:migrate` under the schema lease, for deployments where several may start at once: one runs, the others wait
 * and find nothing left to do. sequelize-cli has no lock of its own. Arguments are handed on: `npm run db:migrate -- --to NAME`.
 */
async function main(): Promise<number> {
  const env = loadDatabaseEnv();
  const embedded = env.databaseUrl === undefined ? await startEmbedded(env.dataDir) : null;
  const url = env.databaseUrl ?? embedded?.url ?? '';
  const sequelize = createSequelize({ url, schema: env.databaseSchema });
  try {
    return await withSchemaLease(sequelize, runSequelizeCli);
  } finally {
    await sequelize.close();
    await embedded?.stop();
  }
}

async function startEmbedded(dataDir: string) {
  const { startEmbeddedPostgres } = await import('../src/config/embedded-postgres.ts');
  return startEmbeddedPostgres({ dataDir });
}

/** Gives the exit code. Ends sequelize-cli when the lease is lost: another process may be migrating by then. */
async function runSequelizeCli(signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [SEQUELIZE_CLI, 'db:migrate', ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    signal,
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${serializeError(error).message}\n`);
    process.exitCode = 1;
  },
);
