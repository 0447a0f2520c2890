import { chown, stat } from 'node:fs/promises';

import { runCommand, type ServerAccount } from './command.ts';

const ACCOUNT_NAME = 'postgres';

/**
 * The account that the server must run as, or undefined where it can be the user of this process.
 * PostgreSQL refuses to run as root, so root gets a system user for it, created where it is missing.
 */
export async function findServerAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;

  return (await lookUpAccount()) ?? (await createAccount());
}

/** The account that owns an existing cluster: PostgreSQL starts a cluster only for its owner. */
export async function findOwner(clusterDir: string): Promise<ServerAccount | undefined> {
  if (!process.getuid) return undefined;

  const { uid, gid } = await stat(clusterDir);
  const current = process.getuid();
  if (uid === current) return undefined;
  if (current !== 0) {
    throw new Error(
      `${clusterDir} belongs to the user with id ${uid}, this process runs as ${current}. ` +
        'Run the hub as that user, or set DATA_DIR to another folder.',
    );
  }
  return { uid, gid };
}

/** One start with sudo must not leave files in a user's data folder that the user cannot open. */
export async function shareWithOwner(dataDir: string, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dataDir);
  await chown(file, uid, gid);
}

async function lookUpAccount(): Promise<ServerAccount | undefined> {
  try {
    return {
      uid: Number(await runCommand('id', ['-u', ACCOUNT_NAME])),
      gid: Number(await runCommand('id', ['-g', ACCOUNT_NAME])),
    };
  } catch {
    return undefined;
  }
}

async function createAccount(): Promise<ServerAccount> {
  let reason = '';
  try {
    await runCommand('groupadd', ['--system', '--force', ACCOUNT_NAME]);
    await runCommand('useradd', [
      ...['--system', '--gid', ACCOUNT_NAME, '--no-create-home', '--home-dir', '/'],
      ...['--shell', '/bin/false', ACCOUNT_NAME],
    ]);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }

  const account = await lookUpAccount();
  if (account) return account;
  throw new Error(
    'PostgreSQL refuses to run as root, and the system user "postgres" could not be created ' +
      `(${reason}). Create it, run the hub as an ordinary user, or set DATABASE_URL.`,
  );
}
