import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';

import { AppError } from '../errors/app-error.ts';
import { toAppError } from './known-errors.ts';

const DEFAULT_RETRY_SECONDS = 5;
const CHALLENGE = 'Bearer';

/** The one place that answers with an error: `{ error, field?, errors? }`, its code in `X-Error-Code`. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const known =
      toAppError(error, request.method) ?? new AppError('INTERNAL', {}, { cause: error });
    logFailure(log, known, request);
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    setHeaders(response, known, request);
    response.status(known.status).json(describe(known));
  };
}

function describe({ message, details }: AppError) {
  return {
    error: message,
    ...(details.field === undefined ? {} : { field: details.field }),
    ...(details.errors === undefined ? {} : { errors: details.errors }),
  };
}

function setHeaders(response: Response, error: AppError, request: Request): void {
  response.set('X-Error-Code', error.code);
  const challenge = describeChallenge(error, request);
  if (challenge) response.set('WWW-Authenticate', challenge);
  if (error.recovery === 'retriable') {
    response.set('Retry-After', String(error.details.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS));
  }
}

/** RFC 6750, section 3. */
function describeChallenge({ code, status, details }: AppError, request: Request): string | null {
  if (code === 'INSUFFICIENT_SCOPE') {
    return `${CHALLENGE} error="insufficient_scope", scope="${String(details.scope)}"`;
  }
  if (status !== 401) return null;
  const wasSent = code === 'INVALID_TOKEN' || request.headers.authorization !== undefined;
  return wasSent ? `${CHALLENGE} error="invalid_token"` : CHALLENGE;
}

/** An unknown failure is ours to look into; a known one of 500 and above is someone's to know about. */
function logFailure(log: Logger, error: AppError, request: Request): void {
  if (error.status < 500) return;
  const { requestId } = request.auditContext;
  const level = error.code === 'INTERNAL' ? 'error' : 'warn';
  log[level]({ err: error, code: error.code, requestId }, 'request failed');
}
