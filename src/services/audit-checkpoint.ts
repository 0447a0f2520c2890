import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

import type { NamedSecret } from '../config/env-values.ts';
import { findErrorCode } from '../config/error-code.ts';
import type { Hub } from './hub.ts';

/** How far the chain had come at some moment. */
export interface Checkpoint {
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
}

interface SignedCheckpoint extends Checkpoint {
  readonly keyId: string;
  readonly signature: string;
}

export type CheckpointState =
  | { readonly state: 'none' }
  /** There is one, but it is not (or cannot be told to be) of this hub. */
  | { readonly state: 'invalid' }
  | { readonly state: 'valid'; readonly checkpoint: Checkpoint };

type Settings = Pick<Hub, 'settings'>;

const FILE = 'audit-checkpoint.json';

/**
 * Lies outside the database and is signed with a key that is not in it: whoever cuts off the end of the chain, or writes the
 * whole of it anew, cannot make the checkpoint fit.
 */
export async function readCheckpoint({ settings }: Settings): Promise<CheckpointState> {
  const text = await readFile(fileIn(settings.dataDir), 'utf8').catch((error: unknown) => {
    if (findErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return { state: 'none' };

  const signed = parse(text);
  const key = signed && settings.connectionKeys.find(({ kid }) => kid === signed.keyId);
  if (!signed || !key || !isSignedWith(key, signed)) return { state: 'invalid' };
  const { seq, hash, at } = signed;
  return { state: 'valid', checkpoint: { seq, hash, at } };
}

/** Replaces the checkpoint as a whole: a crash leaves the old one or the new one. */
export async function writeCheckpoint(
  { settings }: Settings,
  checkpoint: Checkpoint,
): Promise<void> {
  const [key] = settings.connectionKeys;
  if (!key) throw new Error('There is no key to sign checkpoints with');

  const { seq, hash, at } = checkpoint;
  const signed = { seq, hash, at, keyId: key.kid, signature: sign(key, checkpoint) };
  const file = fileIn(settings.dataDir);
  const unfinished = `${file}.${String(process.pid)}`;
  await mkdir(settings.dataDir, { recursive: true, mode: 0o711 });
  const handle = await open(unfinished, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(signed, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}

function fileIn(dataDir: string): string {
  return path.join(dataDir, FILE);
}

function parse(text: string): SignedCheckpoint | null {
  try {
    const value = JSON.parse(text) as Partial<SignedCheckpoint>;
    const { seq, hash, at, keyId, signature } = value;
    const isComplete =
      Number.isSafeInteger(seq) &&
      [hash, at, keyId, signature].every((member) => typeof member === 'string');
    return isComplete ? (value as SignedCheckpoint) : null;
  } catch {
    return null;
  }
}

function isSignedWith(key: NamedSecret, signed: SignedCheckpoint): boolean {
  const expected = Buffer.from(sign(key, signed));
  const given = Buffer.from(signed.signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function sign({ secret }: NamedSecret, { seq, hash, at }: Checkpoint): string {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'legacy-migration-hub audit', 32));
  return createHmac('sha256', key)
    .update(`${String(seq)}.${hash}.${at}`)
    .digest('hex');
}
