import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { EnvError, readDatabaseEnv, readEnv, type Variables } from '../../../src/config/env.ts';

const key = (kid: string, bytes = 32) => `${kid}:${randomBytes(bytes).toString('base64')}`;

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://hub:pw@db.internal/hub',
  DATA_DIR: '/var/lib/hub',
  JWT_SECRETS: key('a'),
  CONNECTION_KEYS: key('a'),
};

function problemsOf(variables: Variables): readonly string[] {
  try {
    readEnv(variables);
  } catch (error) {
    if (error instanceof EnvError) return error.problems;
    throw error;
  }
  return [];
}

describe('readEnv', () => {
  it('needs nothing in development', () => {
    const env = readEnv({});

    expect(env).toMatchObject({
      nodeEnv: 'development',
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: undefined,
      databaseSchema: 'hub',
      dataDir: path.resolve('.data'),
      uploadMaxBytes: 10_737_418_240,
      signupEnabled: false,
      refreshGraceSeconds: 0,
      worker: 'inline',
      migrateOnStart: true,
    });
  });

  it('tells all problems at once', () => {
    const problems = problemsOf({
      PORT: 'http',
      WORKER: 'yes',
      CORS_ORIGINS: 'https://app.example.com/path',
      JWT_SECRETS: key('short', 16),
    });

    expect(problems).toEqual([
      'PORT must be a whole number from 0 to 65535',
      'JWT_SECRETS must hold at least 32 bytes in each key',
      'CORS_ORIGINS must list origins like https://app.example.com, without a path or "*"',
      'WORKER must be one of inline, none',
    ]);
  });

  it('makes nothing up in production', () => {
    const problems = problemsOf({ NODE_ENV: 'production' });

    expect(problems).toEqual([
      'DATABASE_URL is required in production',
      'DATA_DIR is required in production',
      'JWT_SECRETS is required in production',
      'CONNECTION_KEYS is required in production',
    ]);
  });

  it('listens to the network and leaves the schema alone in production', () => {
    const env = readEnv(production);

    expect(env).toMatchObject({ host: '0.0.0.0', migrateOnStart: false });
  });

  it('never repeats a value that it refuses', () => {
    const canary = 'canary-8f3a';
    const names = ['DATABASE_URL', 'JWT_SECRETS', 'CONNECTION_KEYS', 'ADMIN_PASSWORD', 'PORT'];
    const texts = [
      canary.slice(0, 8),
      `mysql://hub:${canary}@host/db`,
      `postgres://hub:${canary}@host/db?sslmode=maybe`,
      `${canary}:${canary}`,
      canary.repeat(10),
    ];

    for (const text of texts) {
      const problems = problemsOf(Object.fromEntries(names.map((name) => [name, text])));

      expect(problems.length).toBeGreaterThan(2);
      expect(problems.join('\n')).not.toContain('canary');
    }
  });

  it('keeps the order of the keys: the first signs', () => {
    const env = readEnv({ JWT_SECRETS: `${key('new', 48)}, ${key('old')}` });

    expect(env.jwtSecrets.map(({ kid, secret }) => [kid, secret.length])).toEqual([
      ['new', 48],
      ['old', 32],
    ]);
  });

  it.each([
    ['the same key id twice', `${key('a')},${key('a')}`],
    ['a key that is not random', `a:${Buffer.alloc(32, 'x').toString('base64')}`],
    ['a key without an id', randomBytes(32).toString('base64')],
  ])('refuses %s', (_what, text) => {
    const problems = problemsOf({ JWT_SECRETS: text });

    expect(problems).toHaveLength(1);
  });

  it('wants exactly 32 bytes for a connection key', () => {
    const problems = problemsOf({ CONNECTION_KEYS: key('a', 33) });

    expect(problems).toEqual(['CONNECTION_KEYS must hold exactly 32 bytes in each key']);
  });

  it('counts an empty variable as unset', () => {
    const env = readEnv({ PORT: '', DATABASE_URL: '', JWT_SECRETS: '' });

    expect(env).toMatchObject({ port: 3000, databaseUrl: undefined, jwtSecrets: [] });
  });

  it.each([
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', 'proxy.internal'],
    ['TRUSTED_PROXIES', '127.1'],
    ['CONNECTION_HOSTS_ALLOWED', 'http://db'],
    ['CONNECTION_HOSTS_ALLOWED', '300.1.1.1/8'],
    ['CONNECTION_HOSTS_ALLOWED', '0x7f000001/8'],
    ['UPLOAD_MAX_BYTES', '10 GB'],
    ['REFRESH_GRACE_SECONDS', '-1'],
    ['MIGRATE_ON_START', '1'],
    ['DB_SCHEMA', 'hub"; DROP'],
    ['DB_SCHEMA', 'pg_hub'],
    ['ADMIN_PASSWORD', 'é'.repeat(40)],
    ['DATABASE_URL', 'postgres://hub:pw@db/hub?host=/var/run/postgresql'],
    ['DATABASE_URL', 'postgres://hub:pw@db/'],
  ])('refuses %s=%s', (name, text) => {
    const problems = problemsOf({ [name]: text });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
  });

  it('reads lists', () => {
    const env = readEnv({
      CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      CONNECTION_HOSTS_ALLOWED: 'db.internal,10.0.0.0/8,::1',
      TRUSTED_PROXIES: '10.1.2.3,fd00::/8',
    });

    expect(env.corsOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
    expect(env.connectionHostsAllowed).toEqual(['db.internal', '10.0.0.0/8', '::1']);
    expect(env.trustedProxies).toEqual(['10.1.2.3', 'fd00::/8']);
  });

  it('cannot be changed afterwards', () => {
    const env = readEnv({ CORS_ORIGINS: 'https://a.example' });

    expect(Object.isFrozen(env) && Object.isFrozen(env.corsOrigins)).toBe(true);
  });
});

describe('readEnv with *_FILE', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'hub-env-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('reads a secret from a file, without the line break at its end', () => {
    const file = path.join(folder, 'password');
    writeFileSync(file, 'correct horse battery\n');

    const env = readEnv({ ADMIN_PASSWORD_FILE: file });

    expect(env.adminPassword).toBe('correct horse battery');
  });

  it('satisfies what production requires', () => {
    const file = path.join(folder, 'jwt');
    writeFileSync(file, production.JWT_SECRETS);

    const problems = problemsOf({ ...production, JWT_SECRETS: undefined, JWT_SECRETS_FILE: file });

    expect(problems).toEqual([]);
  });

  it('refuses a secret that is given twice', () => {
    const problems = problemsOf({ ...production, JWT_SECRETS_FILE: path.join(folder, 'jwt') });

    expect(problems).toEqual(['JWT_SECRETS and JWT_SECRETS_FILE are both set: keep one']);
  });

  it('tells once that a file cannot be read', () => {
    const missing = path.join(folder, 'missing');

    const problems = problemsOf({
      ...production,
      JWT_SECRETS: undefined,
      JWT_SECRETS_FILE: missing,
    });

    expect(problems).toEqual([`JWT_SECRETS_FILE names a file that cannot be read: ${missing}`]);
  });
});

describe('readDatabaseEnv', () => {
  it('asks for no other secret, so that CI jobs can run schema migrations', () => {
    const env = readDatabaseEnv({
      NODE_ENV: 'production',
      DATABASE_URL: production.DATABASE_URL,
      JWT_SECRETS: 'whatever',
    });

    expect(env).toMatchObject({ databaseUrl: production.DATABASE_URL, databaseSchema: 'hub' });
  });
});
