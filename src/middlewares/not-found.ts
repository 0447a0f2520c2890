import type { NextFunction, Request, Response } from 'express';

import { AppError } from '../errors/app-error.ts';

/** For whatever no route has answered. */
export function notFound(request: Request, response: Response, _next: NextFunction): void {
  if (request.method !== 'TRACE') throw new AppError('UNKNOWN_ROUTE');
  // TRACE would send headers, the token among them, back to whoever can make a browser ask.
  response.set('Allow', '');
  throw new AppError('METHOD_NOT_ALLOWED');
}
