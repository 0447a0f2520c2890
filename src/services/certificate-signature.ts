import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

import type { NamedSecret } from '../config/env-values.ts';
import { canonicalJson } from '../engine/canonical-json.ts';

/** A certificate as it is handed out. The signature is over the canonical JSON of `certificate`, as UTF-8. */
export interface SignedCertificate {
  readonly certificate: object;
  readonly signature: CertificateSignature;
}

export interface CertificateSignature {
  readonly algorithm: 'Ed25519';
  /** The connection key that the signing key was derived from. */
  readonly keyId: string;
  /** SubjectPublicKeyInfo, base64. Says who signed only to somebody who knows it from elsewhere. */
  readonly publicKey: string;
  readonly value: string;
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** SHA-256 of the canonical JSON: what the audit trail keeps of a certificate. */
export function hashCertificate(certificate: object): string {
  return createHash('sha256').update(canonicalJson(certificate)).digest('hex');
}

/** Signs with a key of its own that is derived from the secret: whoever verifies needs, and learns, only its public half. */
export function signCertificate(certificate: object, secret: NamedSecret): SignedCertificate {
  const key = signingKey(secret);
  return {
    certificate,
    signature: {
      algorithm: 'Ed25519',
      keyId: secret.kid,
      publicKey: exportPublicKey(key).toString('base64'),
      value: sign(null, Buffer.from(canonicalJson(certificate)), key).toString('base64'),
    },
  };
}

/** Whether the certificate is what the owner of the key in `signature` has signed. */
export function isSigned({ certificate, signature }: SignedCertificate): boolean {
  try {
    const key = createPublicKey({
      key: Buffer.from(signature.publicKey, 'base64'),
      format: 'der',
      type: 'spki',
    });
    const content = Buffer.from(canonicalJson(certificate));
    return (
      key.asymmetricKeyType === 'ed25519' &&
      verify(null, content, key, Buffer.from(signature.value, 'base64'))
    );
  } catch {
    // Bytes that are no key have signed nothing.
    return false;
  }
}

/** The public half of the key that certificates are signed with: PEM, and its fingerprint. */
export function describeSigningKey(secret: NamedSecret): {
  readonly pem: string;
  readonly fingerprint: string;
} {
  const key = signingKey(secret);
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  return { pem, fingerprint: fingerprintOf(exportPublicKey(key).toString('base64')) };
}

/** SHA-256 of the public key (SubjectPublicKeyInfo, base64), lower-case hex. */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}

function signingKey({ secret }: NamedSecret): KeyObject {
  const seed = hkdfSync('sha256', secret, '', 'legacy-migration-hub certificate', 32);
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function exportPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}
