import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';

/** For an API that no browser should ever render or frame. */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  });
}

/** Answers with tokens, or about them, must not stay in a cache. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.set('Cache-Control', 'no-store');
  next();
}
