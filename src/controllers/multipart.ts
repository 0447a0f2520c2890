import type { Readable } from 'node:stream';

import busboy, { type Busboy } from 'busboy';
import type { Request } from 'express';

import { AppError } from '../errors/app-error.ts';

export interface FileSink<Stored> {
  /** Reads the file to its end, or throws and leaves nothing behind. */
  readonly store: (content: Readable) => Promise<Stored>;
  /** Takes back what was stored when the rest of the request turns out to be wrong. */
  readonly discard: (stored: Stored) => Promise<void>;
}

export interface SingleFile<Stored> {
  /** As the client called it. */
  readonly name: string;
  readonly stored: Stored;
}

/** Says that the sink gave up, and not the client. */
class SinkFailure extends Error {}

const FIELD = 'file';
/** How long the rest of a refused upload is read, so that the client comes to read the answer. */
const LINGER_MS = 5_000;

/**
 * Reads a multipart body with exactly one file in the field `file`, passing it on as it comes in.
 * @throws AppError UPLOAD_MISSING for anything else in it, UPLOAD_INTERRUPTED when it ends early, and what the sink throws
 */
export async function readSingleFile<Stored>(
  request: Request,
  sink: FileSink<Stored>,
): Promise<SingleFile<Stored>> {
  const parser = createParser(request);
  // busboy is in the middle of a chunk when it calls: it must not be destroyed before it returns.
  const refuse = (error: Error) => process.nextTick(() => parser.destroy(error));
  const files: { readonly name: string; readonly stored: Promise<Stored> }[] = [];
  parser.on('file', (field, content, { filename }) => {
    // The sink may not listen yet when the stream fails, and an error that nobody hears ends the process.
    content.on('error', () => undefined);
    if (field !== FIELD || files.length > 0) {
      content.resume();
      refuse(missing());
      return;
    }
    const stored = sink.store(content);
    stored.catch((error: unknown) => refuse(new SinkFailure('', { cause: error })));
    files.push({ name: filename ?? '', stored });
  });
  parser.on('field', () => refuse(missing()));

  const failure = await feed(request, parser);
  const [outcome] = await Promise.allSettled(files.map(({ stored }) => stored));
  const [file] = files;
  if (!failure && file) return { name: file.name, stored: await file.stored };
  if (outcome?.status === 'fulfilled') await sink.discard(outcome.value);
  throw failure ? explain(failure) : missing();
}

/** Answers when the body has been read, or with the reason why it will not be. */
async function feed(request: Request, parser: Busboy): Promise<Error | null> {
  const failure = await new Promise<Error | null>((resolve) => {
    parser.once('error', (error) => resolve(error as Error));
    parser.once('close', () => resolve(null));
    request.once('close', () => {
      if (!request.complete) parser.destroy(interrupted());
    });
    request.on('error', () => undefined);
    request.pipe(parser);
  });
  request.unpipe(parser);
  if (failure) linger(request);
  return failure;
}

function linger(request: Request): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS).unref();
  const stop = () => clearTimeout(timer);
  request.once('end', stop).once('close', stop).resume();
}

function explain(failure: Error): unknown {
  if (failure instanceof AppError) return failure;
  return failure instanceof SinkFailure ? failure.cause : interrupted(failure);
}

function createParser(request: Request): Busboy {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: { fieldSize: 1024, headerPairs: 20 },
    });
  } catch (error) {
    // Without a boundary nothing can be found in the body.
    throw missing(error);
  }
}

function missing(cause?: unknown): AppError {
  return new AppError('UPLOAD_MISSING', { field: FIELD }, { cause });
}

function interrupted(cause?: unknown): AppError {
  return new AppError('UPLOAD_INTERRUPTED', { field: FIELD }, { cause });
}
