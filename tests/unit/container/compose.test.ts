import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import dotenv from 'dotenv';
import { parse } from 'yaml';

import { readEnv, SECRET_VARIABLES } from '../../../src/config/env.ts';

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly cap_drop?: readonly string[];
}

const text = readFileSync('docker-compose.yml', 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const hubServices = Object.entries(services).filter(
  ([, { image }]) => image === 'legacy-migration-hub',
);

describe('docker-compose.yml', () => {
  it('runs API, worker and schema migration from one image', () => {
    const commands = Object.fromEntries(
      hubServices.map(([name, { command }]) => [name, command?.slice(0, 2)]),
    );

    expect(commands).toEqual({
      secrets: ['node', '-e'],
      migrate: ['node', 'scripts/db-migrate.ts'],
      hub: undefined,
      worker: ['node', 'worker.ts'],
    });
  });

  it('publishes ports on this machine only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);

    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(services.postgres?.ports).toBeUndefined();
    // Also not in the lines that invite to be uncommented.
    expect(text).not.toMatch(/ports: \['(?!127\.0\.0\.1:)/);
  });

  it('gives the hub only variables that .env.example explains', () => {
    const known = Object.keys(dotenv.parse(readFileSync('.env.example', 'utf8')));
    const allowed = new Set([...known, ...SECRET_VARIABLES.map((name) => `${name}_FILE`)]);
    const used = hubServices.flatMap(([, { environment = {} }]) => Object.keys(environment));

    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('gives the hub values that it accepts', () => {
    const programs = hubServices.filter(([name]) => name !== 'secrets');

    for (const [, { environment = {} }] of programs) {
      // The file is only there in a container.
      const { DATABASE_URL_FILE: file, ...variables } = environment;

      expect(file).toBe('/secrets/database-url');
      expect(() => readEnv(variables)).not.toThrow();
    }
  });

  it('holds no secret', () => {
    const values = Object.values(services).flatMap(({ environment = {} }) =>
      Object.entries(environment),
    );
    const secrets = values.filter(([name]) => /PASSWORD$|SECRET|KEYS|DATABASE_URL$/.test(name));

    expect(secrets).toEqual([]);
    expect(text).not.toMatch(/postgres:\/\/\w+:\w+@/);
  });

  it('runs the hub with a read-only root file system, without capabilities and with an init', () => {
    for (const [, service] of hubServices) {
      expect(service).toMatchObject({ read_only: true, init: true, cap_drop: ['ALL'] });
    }
  });

  it('starts API and worker when the schema is migrated, and that when PostgreSQL answers', () => {
    const migrated = { migrate: { condition: 'service_completed_successfully' } };

    expect(services.hub?.depends_on).toEqual(migrated);
    expect(services.worker?.depends_on).toEqual(migrated);
    expect(services.migrate?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(services.postgres?.healthcheck?.test?.slice(0, 2)).toEqual(['CMD', 'pg_isready']);
  });

  it('shares the folder of uploads and keys between API and worker', () => {
    expect(services.hub?.volumes).toEqual(services.worker?.volumes);
    expect(services.hub?.volumes).toContain('data:/data');
  });
});

describe('the service that makes the passwords', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'hub-secrets-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('makes them once, different ones, and a URL that holds the one of the hub', () => {
    expect(makeSecrets(folder)).toBe(0);
    const first = readSecrets(folder);
    expect(makeSecrets(folder)).toBe(0);

    expect(readSecrets(folder)).toEqual(first);
    expect(Object.keys(first)).toEqual(['database-url', 'postgres-password', 'target-password']);
    expect(first['postgres-password']).toMatch(/^[\w-]{32}$/);
    expect(first['target-password']).not.toBe(first['postgres-password']);
    expect(readEnv({ DATABASE_URL: first['database-url'] }).databaseUrl).toBe(
      `postgres://hub:${String(first['postgres-password'])}@postgres:5432/hub`,
    );
  });

  it('makes them anew where a start was interrupted', () => {
    makeSecrets(folder);
    rmSync(path.join(folder, 'database-url'));

    expect(makeSecrets(folder)).toBe(0);

    const { 'database-url': url = '', 'postgres-password': password = '' } = readSecrets(folder);
    expect(url).toContain(password);
  });
});

/** Runs what the container would, in a folder of the test. Gives the exit code. */
function makeSecrets(folder: string): number | null {
  const script = services.secrets?.command?.[2] ?? 'process.exit(1)';
  return spawnSync(process.execPath, ['-e', script.replaceAll('/secrets/', `${folder}/`)]).status;
}

function readSecrets(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
  );
}
