import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { NamedSecret } from '../config/env-values.ts';
import { AppError } from '../errors/app-error.ts';

export interface EncryptedSecret {
  /** Nonce, authentication tag and ciphertext. */
  readonly ciphertext: Buffer;
  readonly keyId: string;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param connectionId goes into the authentication: a ciphertext that is copied to another connection cannot be decrypted there
 * @param keys the first one encrypts
 */
export function encryptSecret(
  secret: string,
  connectionId: string,
  keys: readonly NamedSecret[],
): EncryptedSecret {
  const [key] = keys;
  if (!key) throw new Error('There is no key to encrypt secrets with');

  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.secret, nonce);
  cipher.setAAD(Buffer.from(connectionId));
  const encrypted = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return { ciphertext: Buffer.concat([nonce, cipher.getAuthTag(), encrypted]), keyId: key.kid };
}

/** @throws AppError SECRET_UNREADABLE when the key is gone, or the secret is not what was stored for this connection */
export function decryptSecret(
  { ciphertext, keyId }: EncryptedSecret,
  connectionId: string,
  keys: readonly NamedSecret[],
): string {
  const key = keys.find(({ kid }) => kid === keyId);
  if (!key) throw new AppError('SECRET_UNREADABLE', { keyId });

  try {
    const nonce = ciphertext.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(connectionId));
    decipher.setAuthTag(ciphertext.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const encrypted = ciphertext.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new AppError('SECRET_UNREADABLE', { keyId }, { cause: error });
  }
}
