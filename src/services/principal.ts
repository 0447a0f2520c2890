import { AppError } from '../errors/app-error.ts';
import { Session } from '../models/session.ts';
import { User } from '../models/user.ts';
import { verifyAccessToken } from './access-tokens.ts';
import type { Hub } from './hub.ts';
import { scopesOfRole, type Scope } from './scopes.ts';

/** Whoever has proved who they are, as of this request. */
export interface Principal {
  readonly user: User;
  readonly sessionId: string;
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * Who presents this access token. Session, user and role are read each time, so that logout, disabling and a change of role
 * hold from the next request on, on every machine.
 * @throws AppError INVALID_TOKEN
 */
export async function getPrincipal(
  hub: Pick<Hub, 'settings'>,
  accessToken: string,
): Promise<Principal> {
  const { userId, sessionId } = verifyAccessToken(accessToken, hub.settings.jwtSecrets);
  const session = await Session.findOne({
    where: { id: sessionId, userId },
    include: [{ model: User.scope('currentUser'), as: 'user', required: true }],
  });
  if (!session?.user || !session.isUsable(new Date())) throw new AppError('INVALID_TOKEN');

  const { user } = session;
  return { user, sessionId, scopes: scopesOfRole(user.role) };
}
