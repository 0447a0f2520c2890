import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { AppError } from '../errors/app-error.ts';

/** A file that has been received whole, and lies under its final name. */
export interface StoredFile {
  readonly id: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Of the content, 64 hex digits. */
  readonly sha256: string;
}

export interface StoreOptions {
  readonly folder: string;
  readonly maxBytes: number;
}

const PART = /\.(.+)-(\d+)\.part$/;
/** A stalled upload is cut long before, so nobody is writing to a part that has rested for so long. */
const ABANDONED_MS = 120_000;

/**
 * Writes a stream to the disk and flushes it; never holds more of it than one chunk. Whatever goes wrong, nothing stays behind.
 * @throws AppError PAYLOAD_TOO_LARGE, UPLOAD_EMPTY, and whatever error the stream ends with
 */
export async function storeFile(
  content: Readable,
  { folder, maxBytes }: StoreOptions,
): Promise<StoredFile> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const id = randomUUID();
  const part = path.join(folder, `${id}.${hostname()}-${String(process.pid)}.part`);
  const target = path.join(folder, id);
  try {
    const measured = await writeMeasured(content, part, maxBytes);
    if (measured.size === 0) throw new AppError('UPLOAD_EMPTY', { field: 'file' });
    await rename(part, target);
    return { id, path: target, ...measured };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Clears what killed processes have left. Leaves alone what another process may be writing. */
export async function removeLeftParts(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const file = path.join(folder, name);
    if (await isLeftBehind(name, file)) await rm(file, { force: true });
  }
}

async function writeMeasured(
  content: Readable,
  file: string,
  maxBytes: number,
): Promise<Pick<StoredFile, 'size' | 'sha256'>> {
  const hash = createHash('sha256');
  let size = 0;
  async function* measure(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', { field: 'file' });
      hash.update(chunk);
      yield chunk;
    }
  }

  const handle = await open(file, 'wx', 0o600);
  // Flushed before it closes: a row in the database must not name a file that a power cut takes away.
  await pipeline(content, measure, handle.createWriteStream({ flush: true }));
  return { size, sha256: hash.digest('hex') };
}

async function isLeftBehind(name: string, file: string): Promise<boolean> {
  const [, host, processId] = PART.exec(name) ?? [];
  if (host === undefined) return false;
  // This process has not begun to receive anything, so a part with its number is of an earlier one.
  if (host === hostname()) return Number(processId) === process.pid || !isAlive(Number(processId));
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > ABANDONED_MS;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
