import type { Transaction } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import { RefreshToken } from '../models/refresh-token.ts';
import { Session } from '../models/session.ts';
import { inTransaction } from '../models/transaction.ts';
import { User } from '../models/user.ts';
import { recordAudit } from './audit.ts';
import { actorOf, type AuditContext } from './audit-context.ts';
import type { Hub } from './hub.ts';
import { createRefreshToken, hashRefreshToken } from './refresh-tokens.ts';
import { absoluteExpiry, idleExpiry, issueTokens, type IssuedTokens } from './sessions.ts';

export interface Credentials {
  /** Email or user name. */
  readonly credential: string;
  readonly password: string;
}

/**
 * Opens a session for whoever knows the password.
 * @throws AppError INVALID_CREDENTIALS for a wrong password, an unknown and a disabled user alike, after the same time
 */
export async function login(
  hub: Hub,
  { credential, password }: Credentials,
  context: AuditContext,
): Promise<IssuedTokens> {
  const user = await User.findForLogin(credential);
  const isRight = await hub.passwords.verify(password, user?.passwordHash ?? null);
  if (!user || !isRight || !user.isActive()) {
    await recordFailure(hub, user, { isRight, context });
    throw new AppError('INVALID_CREDENTIALS');
  }

  const refreshToken = createRefreshToken();
  return inTransaction(hub.sequelize, async (transaction) => {
    const session = await openSession(user, { refreshToken, context }, transaction);
    await recordAudit(transaction, {
      context: { ...context, actor: actorOf(user) },
      action: 'auth.login',
      entity: { type: 'session', id: session.id },
    });
    return issueTokens(hub, session, { user, refreshToken });
  });
}

async function openSession(
  user: User,
  { refreshToken, context }: { readonly refreshToken: string; readonly context: AuditContext },
  transaction: Transaction,
): Promise<Session> {
  const now = new Date();
  const absoluteExpiresAt = absoluteExpiry(now);
  const expiresAt = idleExpiry(now, absoluteExpiresAt);
  const session = await Session.create(
    {
      userId: user.id,
      kind: 'bearer',
      ip: context.ip,
      userAgent: context.userAgent,
      expiresAt,
      absoluteExpiresAt,
      lastUsedAt: now,
    },
    { transaction },
  );
  await RefreshToken.create(
    { sessionId: session.id, tokenHash: hashRefreshToken(refreshToken), expiresAt },
    { transaction },
  );
  return session;
}

/** What was typed as the user's name is not kept where it names nobody: it may be a password. */
async function recordFailure(
  hub: Hub,
  user: User | null,
  { isRight, context }: { readonly isRight: boolean; readonly context: AuditContext },
): Promise<void> {
  const reason = !user ? 'unknown user' : isRight ? 'disabled user' : 'wrong password';
  await inTransaction(hub.sequelize, (transaction) =>
    recordAudit(transaction, {
      context,
      action: 'auth.login',
      ...(user ? { entity: { type: 'user', id: user.id } } : {}),
      outcome: 'failure',
      detail: { reason },
    }),
  );
}
