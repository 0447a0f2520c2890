import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

import type { NamedSecret } from '../config/env-values.ts';

const TOKEN_BYTES = 32;

/** The first refresh token of a session. */
export function createRefreshToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What the database knows a token by. The token is random, so a plain hash is enough. */
export function hashRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * The token that replaces `parent`. It follows from the parent and a key of the hub, so that it can be given again to a client
 * that lost the answer, without the database ever holding it.
 */
export function deriveChildToken(parent: string, key: NamedSecret): string {
  return createHmac('sha256', derivationKey(key)).update(parent).digest('base64url');
}

/** A key of its own: what signs access tokens must not be used for anything else. */
function derivationKey({ secret }: NamedSecret): Buffer {
  const info = 'legacy-migration-hub refresh token';
  return Buffer.from(hkdfSync('sha256', secret, '', info, TOKEN_BYTES));
}
