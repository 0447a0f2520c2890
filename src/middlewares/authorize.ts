import type { RequestHandler } from 'express';

import { AppError } from '../errors/app-error.ts';
import { inTransaction } from '../models/transaction.ts';
import { recordAudit } from '../services/audit.ts';
import type { Hub } from '../services/hub.ts';
import type { Scope } from '../services/scopes.ts';

/** Lets through who has the scope. A refusal is written down: it is either a mistake in the roles or an attempt. */
export function authorize(hub: Hub, scope: Scope): RequestHandler {
  return async (request, _response, next) => {
    if (request.principal?.scopes.has(scope)) {
      next();
      return;
    }
    await inTransaction(hub.sequelize, (transaction) =>
      recordAudit(transaction, {
        context: request.auditContext,
        action: 'authorization.denied',
        outcome: 'denied',
        detail: { scope, method: request.method },
      }),
    );
    throw new AppError('INSUFFICIENT_SCOPE', { scope });
  };
}
