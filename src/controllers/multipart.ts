import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import busboy, { type Busboy } from 'busboy';
import type { Request } from 'express';

import { AppError } from '../errors/app-error.ts';

export interface FileSink<Stored> {
  /** Reads the file to its end, or throws and leaves nothing behind. */
  readonly store: (content: Readable) => Promise<Stored>;
  /** Takes back what was stored when the rest of the request turns out to be wrong. */
  readonly discard: (stored: Stored) => Promise<void>;
}

interface Part<Stored> {
  readonly name: string;
  readonly result: Promise<Stored>;
}

const FIELD = 'file';

/**
 * Reads a multipart body with exactly one file in the field `file`, passing it on as it comes in.
 * @throws AppError UPLOAD_MISSING for anything else in it, UPLOAD_INTERRUPTED when it ends early, and what the sink throws
 */
export async function readSingleFile<Stored>(
  request: Request,
  sink: FileSink<Stored>,
): Promise<{ readonly name: string; readonly stored: Stored }> {
  const parser = createParser(request);
  const parts: Part<Stored>[] = [];
  let isWrong = false;
  parser.on('file', (field, content, { filename }) => {
    if (field !== FIELD || parts.length > 0) {
      isWrong = true;
      content.resume();
      return;
    }
    const result = sink.store(content);
    // Judged below, when the whole body has been read; until then a failure must not count as unhandled.
    result.catch(() => content.resume());
    parts.push({ name: filename, result });
  });
  parser.on('field', () => (isWrong = true));
  // Whatever the limit hides would otherwise be left out without a word.
  parser.on('filesLimit', () => (isWrong = true));

  const failure = await pipeline(request, parser).then(
    () => null,
    (error: unknown) => new AppError('UPLOAD_INTERRUPTED', { field: FIELD }, { cause: error }),
  );
  return conclude(parts[0], sink, { failure, isWrong });
}

async function conclude<Stored>(
  part: Part<Stored> | undefined,
  sink: FileSink<Stored>,
  { failure, isWrong }: { readonly failure: AppError | null; readonly isWrong: boolean },
): Promise<{ readonly name: string; readonly stored: Stored }> {
  const outcome = await part?.result.catch((error: unknown) => error as Error);
  if (part && !(outcome instanceof Error) && outcome !== undefined) {
    if (!failure && !isWrong) return { name: part.name, stored: outcome as Stored };
    await sink.discard(outcome as Stored);
  }
  // The sink's own reason says more than the end of the stream that followed from it.
  if (outcome instanceof AppError) throw outcome;
  if (failure) throw failure;
  if (outcome instanceof Error) throw outcome;
  throw new AppError('UPLOAD_MISSING', { field: FIELD });
}

function createParser(request: Request): Busboy {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: { files: 2, fields: 1, parts: 3, fieldSize: 1024, headerPairs: 20 },
    });
  } catch (error) {
    // No boundary: nothing can be found in the body.
    throw new AppError('UPLOAD_MISSING', { field: FIELD }, { cause: error });
  }
}
