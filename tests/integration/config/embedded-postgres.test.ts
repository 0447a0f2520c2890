import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import {
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../../src/config/embedded-postgres.ts';
import { findPostmaster } from '../../../src/config/embedded-postgres/postmaster.ts';

// Not where mkdtemp would put it: what a killed run leaves here, the next one stops and removes.
const runFolder = process.env.TEST_RUN_FOLDER ?? '';

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows;
  } finally {
    await client.end();
  }
}

describe('startEmbeddedPostgres', () => {
  let dataDir: string;
  let server: EmbeddedPostgres;

  beforeAll(() => {
    dataDir = mkdtempSync(path.join(runFolder, 'data folder '));
  });

  beforeEach(async () => {
    server = await startEmbeddedPostgres({ dataDir });
  });

  afterEach(async () => {
    await server.stop();
  });

  afterAll(async () => {
    await removeEmbeddedPostgres({ dataDir });
    rmSync(dataDir, { recursive: true });
  });

  it('makes the databases of the hub and of the target, in UTF-8', async () => {
    const rows = await query(
      server.url,
      `SELECT datname, pg_encoding_to_char(encoding) AS encoding, datlocale
         FROM pg_database WHERE datname IN ('hub', 'target') ORDER BY 1`,
    );

    expect(rows).toEqual([
      { datname: 'hub', encoding: 'UTF8', datlocale: 'C.UTF-8' },
      { datname: 'target', encoding: 'UTF8', datlocale: 'C.UTF-8' },
    ]);
  });

  it('listens on the loopback interface only, keeps fsync, and wants the password', async () => {
    const rows = await query(
      server.url,
      `SELECT current_setting('listen_addresses') AS listen, current_setting('fsync') AS fsync,
              current_setting('unix_socket_directories') AS sockets`,
    );
    const stranger = new URL(server.url);
    stranger.password = 'guess';

    expect(rows).toEqual([{ listen: '127.0.0.1', fsync: 'on', sockets: '' }]);
    await expect(query(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(path.join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
  });

  it('stops, and starts again on the same port with its data', async () => {
    await query(server.databaseUrl('target'), 'CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS x');
    await server.stop();
    expect(await findPostmaster(server.clusterDir)).toBeNull();

    const again = await startEmbeddedPostgres({ dataDir });
    const rows = await query(again.databaseUrl('target'), 'SELECT x FROM kept');
    await again.stop();

    expect(again).toMatchObject({ port: server.port, startedHere: true });
    expect(rows).toEqual([{ x: 42 }]);
  });

  it('attaches to a running server, which stays until the last one has stopped', async () => {
    const second = await startEmbeddedPostgres({ dataDir });
    await server.stop();
    const rows = await query(second.url, 'SELECT 1 AS one');
    await second.stop();

    expect(second).toMatchObject({ port: server.port, startedHere: false });
    expect(rows).toEqual([{ one: 1 }]);
    expect(await findPostmaster(server.clusterDir)).toBeNull();
  });

  it('finds another port when somebody has taken its own', async () => {
    await server.stop();
    const state = path.join(dataDir, 'postgres.json');
    const remembered = JSON.parse(readFileSync(state, 'utf8')) as object;
    const taken = Number(new URL(process.env.TEST_DATABASE_SERVER_URL ?? '').port);
    writeFileSync(state, JSON.stringify({ ...remembered, port: taken }));

    const again = await startEmbeddedPostgres({ dataDir });
    await again.stop();

    expect(again.port).not.toBe(taken);
  });

  it('recovers after a kill -9 of the server', async () => {
    await query(server.url, 'CREATE TABLE IF NOT EXISTS survived AS SELECT 7 AS x');
    const postmaster = await findPostmaster(server.clusterDir);
    process.kill(postmaster?.processId ?? 0, 'SIGKILL');

    const again = await startEmbeddedPostgres({ dataDir });
    const rows = await query(again.url, 'SELECT x FROM survived');
    await again.stop();

    expect(rows).toEqual([{ x: 7 }]);
  });

  it('is not misled by a pid file whose number belongs to another program', async () => {
    const pidFile = path.join(server.clusterDir, 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    await server.stop();
    writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'));

    const again = await startEmbeddedPostgres({ dataDir });
    await again.stop();

    expect(again.startedHere).toBe(true);
  });
});

describe('startEmbeddedPostgres in several processes', () => {
  const program = path.resolve('tests/helpers/hold-embedded-postgres.ts');
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(runFolder, 'data-'));
  });

  afterEach(async () => {
    await removeEmbeddedPostgres({ dataDir });
    rmSync(dataDir, { recursive: true });
  });

  it('makes one cluster when three start at the same moment', async () => {
    const runs = [1, 2, 3].map(() => promisify(execFile)(process.execPath, [program, dataDir]));
    const ports = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());

    expect(new Set(ports).size).toBe(1);
  });

  it('finds the server that a killed process has left', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, dataDir, 'SIGKILL'])
      .then((result) => result)
      .catch((error: unknown) => error as { stdout: string });

    const server = await startEmbeddedPostgres({ dataDir });
    await server.stop();

    expect(server).toMatchObject({ port: Number(stdout), startedHere: false });
    expect(await findPostmaster(server.clusterDir)).toBeNull();
  });

  it('does an initdb again that was cut short', async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    await server.stop();
    rmSync(server.clusterDir, { recursive: true });
    const unfinished = `${server.clusterDir}.new-killed`;
    mkdirSync(unfinished);
    writeFileSync(path.join(unfinished, 'PG_VERSION'), '18\n');

    const again = await startEmbeddedPostgres({ dataDir });
    await again.stop();

    expect(again.startedHere).toBe(true);
    expect(() => statSync(unfinished)).toThrow();
  });
});
