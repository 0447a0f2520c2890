import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parseDatabaseUrl } from './database-url.ts';
import {
  isEmail,
  parseBoolean,
  parseBytes,
  parseChoice,
  parseHosts,
  parseInteger,
  parseKeys,
  parseNetworks,
  parseOrigins,
  parsePassword,
  parseText,
  type NamedSecret,
} from './env-values.ts';

export const NODE_ENVS = ['development', 'test', 'production'] as const;
export const WORKER_MODES = ['inline', 'none'] as const;
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Each of these may also be given as `NAME_FILE`, the path of a file that holds the value. */
export const SECRET_VARIABLES = [
  'DATABASE_URL',
  'ADMIN_PASSWORD',
  'JWT_SECRETS',
  'CONNECTION_KEYS',
] as const;

/** What it takes to reach the hub's database. */
export interface DatabaseEnv {
  readonly nodeEnv: (typeof NODE_ENVS)[number];
  /** Undefined only outside production: the embedded PostgreSQL is meant. */
  readonly databaseUrl: string | undefined;
  readonly databaseSchema: string;
  /** An absolute path. */
  readonly dataDir: string;
}

export interface Env extends DatabaseEnv {
  readonly port: number;
  readonly host: string;
  readonly uploadMaxBytes: number;
  readonly adminEmail: string | undefined;
  readonly adminPassword: string | undefined;
  /** The first signs, all verify. Empty only outside production: see development-secrets.ts. */
  readonly jwtSecrets: readonly NamedSecret[];
  /** 32 bytes each. The first encrypts, all decrypt. Empty only outside production. */
  readonly connectionKeys: readonly NamedSecret[];
  readonly corsOrigins: readonly string[];
  readonly connectionHostsAllowed: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly signupEnabled: boolean;
  readonly refreshGraceSeconds: number;
  readonly worker: (typeof WORKER_MODES)[number];
  readonly migrateOnStart: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** The text of each variable, as a process gets them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Says everything that is wrong with the environment at once, and never a value of a secret. */
export class EnvError extends Error {
  override readonly name = 'EnvError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n');
    super(`The environment is not usable:\n${lines}`);
    this.problems = problems;
  }
}

/**
 * Reads and checks the whole environment. Reads the files that `*_FILE` variables name, and nothing
 * else: the same variables always give the same frozen result.
 *
 * @throws {EnvError} listing all problems
 */
export function readEnv(variables: Variables): Env {
  const reader = createReader(variables);
  const { read } = reader;
  const databaseEnv = readDatabasePart(reader);
  const isProduction = databaseEnv.nodeEnv === 'production';
  if (isProduction) reader.demand('DATA_DIR', 'JWT_SECRETS', 'CONNECTION_KEYS');

  return reader.finish({
    ...databaseEnv,
    port: read('PORT', parseInteger({ min: 0, max: 65_535 }), 3000),
    host: read('HOST', parseText(/^[\w.:-]+$/, 'is not a host'), defaultHost(isProduction)),
    uploadMaxBytes: read('UPLOAD_MAX_BYTES', parseBytes, 10 * 1024 ** 3),
    adminEmail: read('ADMIN_EMAIL', parseText(isEmail, 'is not an e-mail address'), undefined),
    adminPassword: read('ADMIN_PASSWORD', parsePassword, undefined),
    jwtSecrets: read('JWT_SECRETS', parseKeys({ minBytes: 32 }), []),
    connectionKeys: read('CONNECTION_KEYS', parseKeys({ minBytes: 32, maxBytes: 32 }), []),
    corsOrigins: read('CORS_ORIGINS', parseOrigins, []),
    connectionHostsAllowed: read('CONNECTION_HOSTS_ALLOWED', parseHosts, []),
    trustedProxies: read('TRUSTED_PROXIES', parseNetworks, []),
    signupEnabled: read('SIGNUP_ENABLED', parseBoolean, false),
    refreshGraceSeconds: read('REFRESH_GRACE_SECONDS', parseInteger({ min: 0, max: 60 }), 0),
    worker: read('WORKER', parseChoice(WORKER_MODES), 'inline'),
    migrateOnStart: read('MIGRATE_ON_START', parseBoolean, !isProduction),
    logLevel: read('LOG_LEVEL', parseChoice(LOG_LEVELS), 'info'),
  });
}

/**
 * Reads only what schema migrations need, so that a CI job that runs them needs no other secret.
 *
 * @throws {EnvError} listing all problems
 */
export function readDatabaseEnv(variables: Variables): DatabaseEnv {
  const reader = createReader(variables);
  return reader.finish(readDatabasePart(reader));
}

function readDatabasePart({ read, demand }: Reader): DatabaseEnv {
  const nodeEnv = read('NODE_ENV', parseChoice(NODE_ENVS), 'development');
  if (nodeEnv === 'production') demand('DATABASE_URL');
  return {
    nodeEnv,
    databaseUrl: read('DATABASE_URL', checkDatabaseUrl, undefined),
    databaseSchema: read(
      'DB_SCHEMA',
      // The queue's schema is this name with `_queue` behind it, and pg-boss allows 50 characters.
      parseText(
        /^(?!pg_)[a-z_][a-z0-9_]{0,43}$/,
        'is not a lower-case PostgreSQL schema name of at most 44 characters',
      ),
      'hub',
    ),
    dataDir: path.resolve(read('DATA_DIR', String, '.data')),
  };
}

interface Reader {
  readonly read: <Value, Default>(
    name: string,
    parse: (text: string) => Value,
    fallback: Default,
  ) => Value | Default;
  readonly demand: (...names: string[]) => void;
  /** @throws {EnvError} when anything that was read was wrong */
  readonly finish: <Result>(result: Result) => Result;
}

/** Gathers the problems of all variables, so that one start tells them all. */
function createReader(variables: Variables): Reader {
  const problems: string[] = [];
  const texts = withFiles(variables, problems);
  return {
    read(name, parse, fallback) {
      const text = texts[name];
      // Compose files pass on variables that nobody has set as empty ones.
      if (text === undefined || text === '') return fallback;
      try {
        return parse(text);
      } catch (error) {
        problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
        return fallback;
      }
    },
    demand(...names) {
      const missing = names.filter((name) => !texts[name] && !variables[`${name}_FILE`]);
      problems.push(...missing.map((name) => `${name} is required in production`));
    },
    finish(result) {
      if (problems.length > 0) throw new EnvError(problems);
      return deepFreeze(result);
    },
  };
}

function defaultHost(isProduction: boolean): string {
  // In production the process is in a container or behind a proxy; a laptop is not for its network.
  return isProduction ? '0.0.0.0' : '127.0.0.1';
}

function checkDatabaseUrl(text: string): string {
  parseDatabaseUrl(text);
  return text;
}

function withFiles(variables: Variables, problems: string[]): Variables {
  const texts = { ...variables };
  for (const name of SECRET_VARIABLES) {
    const file = variables[`${name}_FILE`];
    if (!file) continue;
    if (variables[name]) {
      problems.push(`${name} and ${name}_FILE are both set: keep one`);
      continue;
    }
    try {
      // Editors and `echo` end a file with a line break that is not part of the secret.
      texts[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read: ${file}`);
    }
  }
  return texts;
}

function deepFreeze<Value>(value: Value): Value {
  // The bytes of a Buffer cannot be frozen, the list around them can.
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
