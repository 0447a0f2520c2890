import { randomUUID } from 'node:crypto';

import jwt from 'jsonwebtoken';
import { validate as isUuid } from 'uuid';

import type { NamedSecret } from '../config/env-values.ts';
import { AppError } from '../errors/app-error.ts';

/** What an access token says: whom it was given to, and in which session. What they may do is looked up at each request. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

export const ACCESS_TOKEN_SECONDS = 900;
export const TOKEN_ISSUER = 'legacy-migration-hub';
export const TOKEN_AUDIENCE = 'legacy-migration-hub-api';

const ALGORITHM = 'HS256';
const TYPE = 'at+jwt';
const LONGEST_TOKEN = 4096;
/** Clocks of two machines of the hub may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** @param secrets the first one signs */
export function signAccessToken(
  { userId, sessionId }: AccessClaims,
  secrets: readonly NamedSecret[],
): string {
  const [key] = secrets;
  if (!key) throw new Error('There is no key to sign tokens with');

  return jwt.sign({ sid: sessionId }, key.secret, {
    algorithm: ALGORITHM,
    header: { alg: ALGORITHM, typ: TYPE, kid: key.kid },
    issuer: TOKEN_ISSUER,
    audience: TOKEN_AUDIENCE,
    subject: userId,
    jwtid: randomUUID(),
    expiresIn: ACCESS_TOKEN_SECONDS,
  });
}

/**
 * Accepts exactly what `signAccessToken` writes. jsonwebtoken alone would take an unknown `crit`, a missing `exp`, any `typ`
 * and a signature that is spelt in another way (RFC 8725, sections 3.1 to 3.11).
 * @throws AppError INVALID_TOKEN, whatever the reason
 */
export function verifyAccessToken(token: string, secrets: readonly NamedSecret[]): AccessClaims {
  const header = readHeader(token);
  const secret = new Map(secrets.map(({ kid, secret }) => [kid, secret])).get(header.kid);
  if (!secret) throw new AppError('INVALID_TOKEN');

  return readClaims(verifySignature(token, secret));
}

function readHeader(token: string): { readonly kid: string } {
  const [header = '', ...rest] = token.split('.');
  if (token.length > LONGEST_TOKEN || rest.length !== 2 || ![header, ...rest].every(isCanonical)) {
    throw new AppError('INVALID_TOKEN');
  }
  const fields = parseObject(Buffer.from(header, 'base64url').toString());
  // Also refuses crit, b64, jku, x5u and jwk: the hub writes none of them.
  const isOurs = Object.keys(fields).sort().join() === 'alg,kid,typ';
  if (
    !isOurs ||
    fields.alg !== ALGORITHM ||
    fields.typ !== TYPE ||
    typeof fields.kid !== 'string'
  ) {
    throw new AppError('INVALID_TOKEN');
  }
  return { kid: fields.kid };
}

/** Base64url has unused bits at its end: only one of the spellings is what an encoder writes. */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new AppError('INVALID_TOKEN', {}, { cause: error });
  }
  throw new AppError('INVALID_TOKEN');
}

function verifySignature(token: string, secret: Buffer): Record<string, unknown> {
  try {
    const payload = jwt.verify(token, secret, {
      algorithms: [ALGORITHM],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    });
    if (typeof payload === 'object') return payload;
  } catch (error) {
    throw new AppError('INVALID_TOKEN', {}, { cause: error });
  }
  throw new AppError('INVALID_TOKEN');
}

function readClaims(claims: Record<string, unknown>): AccessClaims {
  const { sub, sid, jti, iat, exp, aud } = claims;
  const isComplete =
    isUuid(sub) && isUuid(sid) && typeof jti === 'string' && isSeconds(iat) && isSeconds(exp);
  // One token for several audiences would be good at another service as well.
  if (!isComplete || aud !== TOKEN_AUDIENCE) throw new AppError('INVALID_TOKEN');

  const now = Date.now() / 1000;
  const isTimely = iat <= now + CLOCK_TOLERANCE_SECONDS && exp - iat <= ACCESS_TOKEN_SECONDS;
  if (!isTimely) throw new AppError('INVALID_TOKEN');
  return { userId: sub as string, sessionId: sid as string };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
