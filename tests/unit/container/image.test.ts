import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';

import path from 'node:path';

import { readStages, valuesOf } from './dockerfile.ts';

const [dependencies = [], image = []] = readStages();

/** What the image's own stage copies out of the build context. */
const copied = valuesOf(image, 'COPY')
  .filter((value) => !value.startsWith('--from='))
  .flatMap((value) => value.split(' ').slice(0, -1));

describe('the image', () => {
  it('runs as a user that is not root, named by number', () => {
    const users = valuesOf(image, 'USER');

    expect(users).toHaveLength(1);
    expect(users[0]).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('runs the version of Node that the types and the tests are of', () => {
    const text = readFileSync('Dockerfile', 'utf8');
    const [, major] = /^ARG NODE_VERSION=(\d+)$/m.exec(text) ?? [];
    const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      devDependencies: Record<string, string>;
    };

    expect(devDependencies.node).toMatch(new RegExp(`^\\^${String(major)}\\.`));
    expect(valuesOf(image, 'FROM')).toEqual(['node:${NODE_VERSION}-slim']);
  });

  it('gets its packages from the lock file, without development dependencies', () => {
    expect(valuesOf(dependencies, 'COPY')).toEqual(['package.json package-lock.json ./']);
    expect(valuesOf(dependencies, 'RUN')).toEqual([expect.stringMatching(/^npm ci --omit=dev /)]);
    expect(valuesOf(image, 'RUN').join('\n')).not.toContain('npm');
  });

  it('loses nothing by running no install scripts', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>;
    };
    const withScripts = Object.entries(packages)
      .filter(([, { dev, hasInstallScript }]) => hasInstallScript === true && dev !== true)
      .map(([folder]) => folder);

    expect(withScripts).toEqual([]);
  });

  it('starts its program without a shell or npm in between, so that signals reach it', () => {
    const [command = ''] = valuesOf(image, 'CMD');

    expect(JSON.parse(command)).toEqual(['node', 'server.ts']);
    expect(valuesOf(image, 'ENTRYPOINT')).toEqual([]);
    expect(valuesOf(image, 'STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it('is a production image that writes to its volume only', () => {
    const [env = ''] = valuesOf(image, 'ENV');

    expect(env).toBe('NODE_ENV=production DATA_DIR=/data');
    expect(valuesOf(image, 'VOLUME')).toEqual(['/data']);
    expect(valuesOf(image, 'RUN')).toEqual(['mkdir /data && chown node:node /data']);
  });

  it('holds no secret', () => {
    const text = readFileSync('Dockerfile', 'utf8');

    expect(text).not.toMatch(/SECRET|PASSWORD|DATABASE_URL|CONNECTION_KEYS/);
  });

  it('copies what the build context lets through, and everything of it is there', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));

    expect(copied.map((file) => path.normalize(file)).sort()).toEqual(
      allowed.filter((file) => file !== 'package-lock.json').sort(),
    );
    expect(allowed.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('copies every file that its programs import', () => {
    const programs = ['server.ts', 'worker.ts', 'compose.ts', 'app.ts', 'scripts/db-migrate.ts'];
    const outside = programs
      .flatMap((program) => importsOf(program))
      .filter((file) => !file.startsWith('src/') && !copied.includes(file));

    expect(outside).toEqual([]);
  });
});

describe('the health check of the image', () => {
  let server: Server;
  let status = 200;

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === '/livez' ? status : 404;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(() => {
    server.close();
  });

  it('passes while /livez answers 200', async () => {
    status = 200;

    expect(await runHealthCheck(portOf(server))).toBe(0);
  });

  it('fails when /livez answers otherwise', async () => {
    status = 503;

    expect(await runHealthCheck(portOf(server))).toBe(1);
  });

  it('fails when nobody listens', async () => {
    expect(await runHealthCheck(1)).toBe(1);
  });
});

async function runHealthCheck(port: number): Promise<unknown> {
  const [value = ''] = valuesOf(image, 'HEALTHCHECK');
  const command = JSON.parse(value.slice(value.indexOf('CMD ') + 4)) as [string, ...string[]];
  // The image's own `node` comes first in its PATH; here it is the one that runs the tests.
  const child = spawn(process.execPath, command.slice(1), { env: { PORT: String(port) } });
  const [code] = (await once(child, 'exit')) as [unknown];
  return code;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Files that a program at the top of the project imports by a relative path, itself included. */
function importsOf(program: string): string[] {
  const text = readFileSync(program, 'utf8');
  const files = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, file]) =>
    path.normalize(path.join(path.dirname(program), file ?? '')),
  );
  return [program, ...files];
}
