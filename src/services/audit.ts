import type { Transaction } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import { AuditTrail } from '../models/audit-trail.ts';
import type { AuditOutcome } from '../models/vocabulary.ts';
import type { AuditAction } from './audit-actions.ts';
import type { AuditContext } from './audit-context.ts';

export type { AuditContext } from './audit-context.ts';

export interface AuditEvent {
  readonly context: AuditContext;
  readonly action: AuditAction;
  readonly entity?: { readonly type: string; readonly id: string };
  /** Default: success. */
  readonly outcome?: AuditOutcome;
  /** Never a secret, and nothing that a client has typed without being known: it may be a password in the wrong field. */
  readonly detail?: object;
}

/**
 * Writes down what happens, in the transaction in which it happens: neither stays without the other.
 * @throws AppError SERVICE_UNAVAILABLE when it cannot be written; what was to be done is then not done.
 */
export async function recordAudit(transaction: Transaction, event: AuditEvent): Promise<void> {
  const { context, action, entity, outcome = 'success', detail } = event;
  try {
    await AuditTrail.create(
      {
        actorId: context.actor?.id ?? null,
        actor: context.actor?.username ?? null,
        action,
        entityType: entity?.type ?? null,
        entityId: entity?.id ?? null,
        outcome,
        ip: context.ip,
        userAgent: context.userAgent,
        requestId: context.requestId,
        detail: detail ?? null,
      },
      { transaction },
    );
  } catch (error) {
    throw new AppError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 5 }, { cause: error });
  }
}
