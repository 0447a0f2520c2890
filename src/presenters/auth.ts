import { ACCESS_TOKEN_SECONDS } from '../services/access-tokens.ts';
import type { Principal } from '../services/principal.ts';
import type { IssuedTokens } from '../services/sessions.ts';
import { presentUser } from './user.ts';

/** The answer to a login and to a refresh. */
export function presentTokens({ accessToken, refreshToken, user }: IssuedTokens) {
  return {
    accessToken,
    tokenType: 'Bearer',
    expiresIn: ACCESS_TOKEN_SECONDS,
    refreshToken,
    user: presentUser(user),
  };
}

/** Who is logged in, and what they may do. */
export function presentPrincipal({ user, sessionId, scopes }: Principal) {
  return { user: presentUser(user), sessionId, scopes: [...scopes] };
}
