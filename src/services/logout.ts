import { inTransaction } from '../models/transaction.ts';
import { recordAudit } from './audit.ts';
import type { AuditContext } from './audit-context.ts';
import type { Hub } from './hub.ts';
import { lockSession, revokeSession } from './sessions.ts';

/** Ends a session: when this returns, no token of it works any more, also none that a refresh was about to give out. */
export async function logout(hub: Hub, sessionId: string, context: AuditContext): Promise<void> {
  await inTransaction(hub.sequelize, async (transaction) => {
    const session = await lockSession(sessionId, transaction);
    if (!session || session.revokedAt) return;

    await revokeSession(session, 'logout', transaction);
    await recordAudit(transaction, {
      context,
      action: 'auth.logout',
      entity: { type: 'session', id: sessionId },
    });
  });
}
