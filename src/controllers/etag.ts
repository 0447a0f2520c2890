import type { Request, Response } from 'express';

import { AppError } from '../errors/app-error.ts';

/** Which state of a resource the client has read; null = any (`*`). */
export type ExpectedVersion = number | null;

export function setETag(response: Response, { version }: { readonly version: number }): void {
  response.set('ETag', `"${String(version)}"`);
}

/**
 * Reads `If-Match`. A weak tag never matches (RFC 9110, section 13.1.1).
 * @throws AppError PRECONDITION_REQUIRED, PRECONDITION_FAILED
 */
export function readIfMatch(request: Request): ExpectedVersion {
  const header = request.get('If-Match');
  if (header === undefined) throw new AppError('PRECONDITION_REQUIRED');
  if (header.trim() === '*') return null;
  const version = /^\s*"(\d{1,9})"\s*$/.exec(header)?.[1];
  if (version === undefined) throw new AppError('PRECONDITION_FAILED');
  return Number(version);
}
