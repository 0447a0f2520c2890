import { randomUUID } from 'node:crypto';

import type { NextFunction, Request, Response } from 'express';

import type { AuditContext } from '../services/audit-context.ts';
import type { Principal } from '../services/principal.ts';

declare module 'express-serve-static-core' {
  interface Request {
    /** Who asks and from where, as the audit trail wants it. Names a user only after `authenticate`. */
    auditContext: AuditContext;
    /** Set by `authenticate`. */
    principal?: Principal;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LONGEST_USER_AGENT = 512;

/** Gives each request its id (the caller's own where it is a UUID, so that logs of two services can be joined). */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('X-Request-Id');
  const requestId = given !== undefined && UUID.test(given) ? given : randomUUID();
  response.set('X-Request-Id', requestId);
  request.auditContext = {
    actor: null,
    ip: request.ip ?? null,
    userAgent: request.get('User-Agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
    requestId,
  };
  next();
}
