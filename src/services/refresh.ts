import { setTimeout as sleep } from 'node:timers/promises';
import { QueryTypes, type Transaction } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import { quotedTable } from '../models/hub-schema.ts';
import { RefreshToken } from '../models/refresh-token.ts';
import { Session } from '../models/session.ts';
import { inTransaction, sqlStateOf } from '../models/transaction.ts';
import { User } from '../models/user.ts';
import { recordAudit } from './audit.ts';
import type { AuditAction } from './audit-actions.ts';
import { actorOf, type AuditContext } from './audit-context.ts';
import type { Hub } from './hub.ts';
import { deriveChildToken, hashRefreshToken } from './refresh-tokens.ts';
import {
  idleExpiry,
  issueTokens,
  lockSession,
  revokeSession,
  type IssuedTokens,
} from './sessions.ts';

/** lock_not_available: another refresh, a logout or a password change has the session. */
const LOCKED = '55P03';
const GRACE_ATTEMPTS = 200;

/** What became of an attempt. A refusal is a value and not an exception: what it writes has to be committed first. */
type Outcome = IssuedTokens | 'refused' | 'in progress';

interface Attempt {
  readonly hub: Hub;
  readonly token: string;
  readonly context: AuditContext;
  readonly transaction: Transaction;
}

/** How a token that cannot be used (any more) stands, judged by the database's clock. */
interface TokenState {
  readonly usedAt: Date | null;
  /** Someone used it after this transaction had begun: two refreshes of one moment, not a replay. */
  readonly usedMeanwhile: boolean | null;
  readonly usedWithinGrace: boolean | null;
}

/**
 * Exchanges a refresh token for a new one and an access token, once. A used token that comes back means that two parties
 * have it: the session ends for both (RFC 9700, section 4.14). With REFRESH_GRACE_SECONDS it gives the same answer again
 * for that long, as long as the new token is unused: browser tabs that refresh at once then stay logged in.
 * @throws AppError INVALID_REFRESH_TOKEN, REFRESH_IN_PROGRESS
 */
export async function refresh(
  hub: Hub,
  token: string,
  context: AuditContext,
): Promise<IssuedTokens> {
  const outcome = await attemptUntilUnlocked(hub, token, context);
  if (outcome === 'in progress') {
    throw new AppError('REFRESH_IN_PROGRESS', { retryAfterSeconds: 1 });
  }
  if (outcome === 'refused') throw new AppError('INVALID_REFRESH_TOKEN');
  return outcome;
}

async function attemptUntilUnlocked(
  hub: Hub,
  token: string,
  context: AuditContext,
): Promise<Outcome> {
  const attempts = hub.settings.refreshGraceSeconds > 0 ? GRACE_ATTEMPTS : 1;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      return await inTransaction(hub.sequelize, (transaction) =>
        exchange({ hub, token, context, transaction }),
      );
    } catch (error) {
      if (sqlStateOf(error) !== LOCKED) throw error;
    }
    await sleep(5 + Math.random() * 20);
  }
  return 'in progress';
}

async function exchange(attempt: Attempt): Promise<Outcome> {
  const { token, transaction } = attempt;
  const presented = await RefreshToken.findOne({
    where: { tokenHash: hashRefreshToken(token) },
    transaction,
  });
  const session =
    presented && (await lockSession(presented.sessionId, transaction, { nowait: true }));
  if (!presented || !session?.isUsable(new Date())) return refuse(attempt, session ?? null);

  const user = await User.scope('currentUser').findByPk(session.userId, { transaction });
  if (!user)
    return endSession(attempt, session, { action: 'auth.refresh', reason: 'user disabled' });

  if (await consume(presented, transaction)) return rotate(attempt, session, { presented, user });
  return judgeUsed(attempt, session, { presented, user });
}

/** The one place where a token is used up: whoever changes the row has won. */
async function consume(presented: RefreshToken, transaction: Transaction): Promise<boolean> {
  const changed = await transactionQuery(
    transaction,
    `UPDATE ${quotedTable(RefreshToken)} SET used_at = clock_timestamp()
      WHERE id = $id AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
      RETURNING id`,
    { id: presented.id },
  );
  return changed.length === 1;
}

async function rotate(
  attempt: Attempt,
  session: Session,
  { presented, user }: { readonly presented: RefreshToken; readonly user: User },
): Promise<IssuedTokens> {
  const { hub, token, context, transaction } = attempt;
  const [key] = hub.settings.jwtSecrets;
  if (!key) throw new Error('There is no key to derive refresh tokens with');

  const refreshToken = deriveChildToken(token, key);
  const now = new Date();
  const expiresAt = idleExpiry(now, session.absoluteExpiresAt);
  await RefreshToken.create(
    {
      sessionId: session.id,
      tokenHash: hashRefreshToken(refreshToken),
      parentId: presented.id,
      expiresAt,
    },
    { transaction },
  );
  await session.update({ expiresAt, lastUsedAt: now }, { transaction });
  await recordAudit(transaction, {
    context: { ...context, actor: actorOf(user) },
    action: 'auth.refresh',
    entity: { type: 'session', id: session.id },
  });
  return issueTokens(hub, session, { user, refreshToken });
}

async function judgeUsed(
  attempt: Attempt,
  session: Session,
  { presented, user }: { readonly presented: RefreshToken; readonly user: User },
): Promise<Outcome> {
  const state = await readState(attempt, presented);
  if (!state?.usedAt) return refuse(attempt, session);

  const child = state.usedWithinGrace === true ? await findUnusedChild(attempt, presented) : null;
  if (child) return issueTokens(attempt.hub, session, { user, refreshToken: child });
  if (state.usedMeanwhile === true) return 'in progress';
  return endSession(attempt, session, {
    action: 'auth.refresh_reuse_detected',
    reason: 'refresh token reused',
  });
}

async function readState(
  { hub, transaction }: Attempt,
  presented: RefreshToken,
): Promise<TokenState | undefined> {
  const [state] = await transactionQuery<TokenState>(
    transaction,
    `SELECT used_at AS "usedAt", now() <= used_at AS "usedMeanwhile",
            used_at > now() - $grace * interval '1 second' AS "usedWithinGrace"
       FROM ${quotedTable(RefreshToken)} WHERE id = $id`,
    { id: presented.id, grace: hub.settings.refreshGraceSeconds },
  );
  return state;
}

/** The token that the first exchange gave out, if nobody has used it yet. */
async function findUnusedChild(
  { hub, token, transaction }: Attempt,
  presented: RefreshToken,
): Promise<string | null> {
  if (hub.settings.refreshGraceSeconds === 0) return null;
  const child = await RefreshToken.findOne({
    where: { parentId: presented.id, usedAt: null, revokedAt: null },
    transaction,
  });
  if (!child) return null;
  // The key may have been rotated since: any of the configured ones may have made it.
  const candidates = hub.settings.jwtSecrets.map((key) => deriveChildToken(token, key));
  return candidates.find((text) => hashRefreshToken(text).equals(child.tokenHash)) ?? null;
}

async function endSession(
  attempt: Attempt,
  session: Session,
  { action, reason }: { readonly action: AuditAction; readonly reason: string },
): Promise<'refused'> {
  const { context, transaction } = attempt;
  await revokeSession(session, reason, transaction);
  await recordAudit(transaction, {
    context,
    action,
    entity: { type: 'session', id: session.id },
    outcome: 'failure',
    detail: { reason, userId: session.userId },
  });
  return 'refused';
}

async function refuse(attempt: Attempt, session: Session | null): Promise<'refused'> {
  const { context, transaction } = attempt;
  await recordAudit(transaction, {
    context,
    action: 'auth.refresh',
    ...(session ? { entity: { type: 'session', id: session.id } } : {}),
    outcome: 'failure',
  });
  return 'refused';
}

function transactionQuery<Row extends object>(
  transaction: Transaction,
  sql: string,
  bind: Record<string, unknown>,
): Promise<Row[]> {
  const { sequelize } = Session;
  if (!sequelize) throw new Error('Session is used before initModels');
  return sequelize.query<Row>(sql, { bind, type: QueryTypes.SELECT, transaction });
}
