import type { Request, RequestHandler } from 'express';

import { AppError } from '../errors/app-error.ts';
import { actorOf } from '../services/audit-context.ts';
import type { Hub } from '../services/hub.ts';
import { getPrincipal } from '../services/principal.ts';

const BEARER = /^Bearer +(\S+)$/i;

/** Finds out who asks. Only the Authorization header counts: a token in a URL ends up in logs. */
export function authenticate(hub: Pick<Hub, 'settings'>): RequestHandler {
  return async (request, response, next) => {
    // An answer to one user must not be given to another by a cache in between.
    response.vary('Authorization');
    const principal = await getPrincipal(hub, readBearerToken(request));
    request.principal = principal;
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
