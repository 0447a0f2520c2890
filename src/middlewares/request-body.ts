import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';

import { AppError } from '../errors/app-error.ts';

/** What a route takes as its body. */
export type BodyKind = 'json' | 'multipart';

const BODY_LIMIT_BYTES = 1024 * 1024;
const MEDIA_TYPES: Readonly<Record<BodyKind, RegExp>> = {
  json: /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i,
  multipart: /^multipart\/form-data\s*;/i,
};

/**
 * Refuses bodies that are not what the route takes (415) and reads JSON up to 1 MB. A multipart body is left to its controller,
 * which streams it.
 */
export function requestBody(kind: BodyKind): RequestHandler[] {
  return kind === 'json' ? [requireMediaType(kind), readJson] : [requireMediaType(kind)];
}

function requireMediaType(kind: BodyKind): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction) => {
    const isAccepted = MEDIA_TYPES[kind].test(request.get('Content-Type') ?? '');
    if (hasBody(request) && !isAccepted) throw new AppError('UNSUPPORTED_MEDIA_TYPE');
    next();
  };
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Not an AppError: body-parser writes a status of its own into what `verify` throws, which an AppError does not allow. */
class MalformedText extends Error {
  readonly type = 'entity.parse.failed';
}

const readJson = express.json({
  limit: BODY_LIMIT_BYTES,
  type: () => true,
  verify: (_request: IncomingMessage, _response: unknown, bytes: Buffer) => {
    // The parser would turn what is no UTF-8 into U+FFFD: another text than the one that was sent.
    if (!isUtf8(bytes)) throw new MalformedText();
  },
});
