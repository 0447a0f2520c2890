import { spawn } from 'node:child_process';

/** The operating system user that PostgreSQL runs as, where that is not the user of this process. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

export interface CommandOptions {
  readonly account?: ServerAccount | undefined;
}

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * Runs a program to its end and answers what it printed on standard output.
 *
 * It runs in `/`, because another user may not be allowed to stand where this process stands, and
 * with a bare environment: PGPORT and its like would change what the tools of PostgreSQL do, and the
 * hub's secrets are no business of the database server.
 *
 * @throws {CommandError} with the tail of standard error, when it cannot be started or exits non-zero
 */
export async function runCommand(
  program: string,
  programArguments: readonly string[],
  { account }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArguments, {
      ...account,
      cwd: '/',
      env: bareEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.once('error', (error) => {
      reject(new CommandError(`${program} cannot be run: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      const reason = signal ? `was killed by ${signal}` : `exited with ${String(code)}`;
      reject(
        new CommandError(`${program} ${reason}: ${(complaint || output).trim().slice(-2000)}`),
      );
    });
  });
}

function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'LD_LIBRARY_PATH'];
  const environment: NodeJS.ProcessEnv = { LC_ALL: 'C' };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
