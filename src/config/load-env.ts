import dotenv from 'dotenv';

import { withDevelopmentSecrets } from './development-secrets.ts';
import { readDatabaseEnv, readEnv, type DatabaseEnv, type Env, type Variables } from './env.ts';

/**
 * Reads the environment of this process once, at the start of an entry file: `.env` in the working
 * folder fills in what is not set, and the keys of a developer's machine are made where missing.
 *
 * @throws {EnvError} listing all problems
 */
export function loadEnv(): Env {
  return withDevelopmentSecrets(readEnv(readVariables()));
}

/** The same for tools that only need the database, such as the schema migrations of a CI job. */
export function loadDatabaseEnv(): DatabaseEnv {
  return readDatabaseEnv(readVariables());
}

function readVariables(): Variables {
  const variables = { ...process.env };
  dotenv.config({ quiet: true, processEnv: variables });
  return variables;
}
