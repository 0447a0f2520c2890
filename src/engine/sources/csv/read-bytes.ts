import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Of a file, at a time. */
const READ_BYTES = 256 * 1024;

/**
 * The bytes of a file from `start` to before `end`, unpacked where it is packed (offsets are then those of the unpacked
 * bytes, and only the whole can be read). A piece is only good until the next one is asked for.
 */
export async function* readBytes(
  path: string,
  range: {
    readonly isCompressed: boolean;
    readonly start: number;
    readonly end: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Uint8Array> {
  if (!range.isCompressed) {
    yield* readPlain(path, range);
    return;
  }
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  const packed = Readable.from(
    readPlain(path, { ...range, start: 0, end: Infinity, copies: true }),
  );
  // The consumer of `gunzip` gets the error too.
  pipeline(packed, gunzip, () => undefined);
  let skipped = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    const from = Math.min(chunk.length, range.start - skipped);
    skipped += from;
    if (from < chunk.length) yield chunk.subarray(from);
  }
}

async function* readPlain(
  path: string,
  request: {
    readonly start: number;
    readonly end: number;
    readonly signal: AbortSignal;
    /** The pieces are kept longer. */
    readonly copies?: boolean;
  },
): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    let position = request.start;
    let buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    while (position < request.end) {
      request.signal.throwIfAborted();
      if (request.copies === true) buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      const size = Math.min(READ_BYTES, request.end - position);
      const { bytesRead } = await handle.read(buffer, 0, size, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
