import type { Request, RequestHandler } from 'express';
import jwt from 'jsonwebtoken';

import { AppError } from '../errors/app-error.ts';
import { actorOf } from '../services/audit-context.ts';
import type { Hub } from '../services/hub.ts';
import { getPrincipal, type Principal } from '../services/principal.ts';

/** The right by which a request is answered, for answers that go on longer than it may last. */
export interface Access {
  /** When the token expires, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** Asks anew who it is. @throws AppError INVALID_TOKEN when it is nobody any more */
  readonly renew: () => Promise<Principal>;
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `authenticate`. */
    access?: Access;
  }
}

const BEARER = /^Bearer +(\S+)$/i;

/** Finds out who asks. Only the Authorization header counts: a token in a URL ends up in logs. */
export function authenticate(hub: Pick<Hub, 'settings'>): RequestHandler {
  return async (request, response, next) => {
    // An answer to one user must not be given to another by a cache in between.
    response.vary('Authorization');
    const token = readBearerToken(request);
    const renew = () => getPrincipal(hub, token);
    const principal = await renew();
    request.principal = principal;
    request.access = { expiresAtMs: readExpiry(token), renew };
    request.auditContext = { ...request.auditContext, actor: actorOf(principal.user) };
    next();
  };
}

function readBearerToken(request: Request): string {
  const [header, ...more] = request.headersDistinct.authorization ?? [];
  if (header === undefined || !/^Bearer\b/i.test(header)) {
    throw new AppError('AUTHENTICATION_REQUIRED');
  }
  // Node would silently take the first of two.
  const token = more.length === 0 ? BEARER.exec(header)?.[1] : undefined;
  if (token === undefined) throw new AppError('INVALID_TOKEN');
  return token;
}

/** Of a token that has been verified, and so has one. */
function readExpiry(token: string): number {
  const { exp = 0 } = jwt.decode(token, { json: true }) ?? {};
  return exp * 1000;
}
