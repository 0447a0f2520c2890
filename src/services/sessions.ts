import { QueryTypes, type Transaction } from 'sequelize';

import { quotedTable, sequelizeOf } from '../models/hub-schema.ts';
import { RefreshToken } from '../models/refresh-token.ts';
import { Session } from '../models/session.ts';
import type { User } from '../models/user.ts';
import { signAccessToken } from './access-tokens.ts';
import type { Hub } from './hub.ts';

const DAY_MS = 86_400_000;
/** How long a session lives without being refreshed, and however often it is. */
const IDLE_MS = 14 * DAY_MS;
const ABSOLUTE_MS = 30 * DAY_MS;

/** What a client gets when it has proved who it is. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: User;
}

export function issueTokens(
  hub: Pick<Hub, 'settings'>,
  session: Session,
  { user, refreshToken }: Pick<IssuedTokens, 'user' | 'refreshToken'>,
): IssuedTokens {
  const claims = { userId: user.id, sessionId: session.id };
  return { accessToken: signAccessToken(claims, hub.settings.jwtSecrets), refreshToken, user };
}

export function absoluteExpiry(start: Date): Date {
  return new Date(start.getTime() + ABSOLUTE_MS);
}

/** When a session that is used now ends if it is not used again. */
export function idleExpiry(now: Date, absoluteExpiresAt: Date): Date {
  return new Date(Math.min(now.getTime() + IDLE_MS, absoluteExpiresAt.getTime()));
}

/**
 * Refresh, logout and password change take this lock, so that no token survives the end of its session.
 * `nowait`: throws SQLSTATE 55P03 where another transaction has it.
 */
export async function lockSession(
  id: string,
  transaction: Transaction,
  { nowait = false } = {},
): Promise<Session | null> {
  // Sequelize cannot say NOWAIT.
  const found = await sequelizeOf(Session).query(
    `SELECT id FROM ${quotedTable(Session)} WHERE id = $id FOR UPDATE${nowait ? ' NOWAIT' : ''}`,
    { bind: { id }, type: QueryTypes.SELECT, transaction },
  );
  return found.length === 0 ? null : Session.findByPk(id, { transaction });
}

/** Ends a session and all of its refresh tokens. The caller holds the lock. */
export async function revokeSession(
  session: Session,
  reason: string,
  transaction: Transaction,
): Promise<void> {
  const revokedAt = new Date();
  await session.update({ revokedAt, revokedReason: reason }, { transaction });
  await RefreshToken.update(
    { revokedAt },
    { where: { sessionId: session.id, revokedAt: null }, transaction },
  );
}
