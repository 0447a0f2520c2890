import { randomBytes } from 'node:crypto';

import { decryptSecret, encryptSecret } from '../../../src/services/secrets.ts';

const OLD = { kid: 'old', secret: randomBytes(32) };
const NEW = { kid: 'new', secret: randomBytes(32) };

describe('encryptSecret', () => {
  it('can be undone for the same connection', () => {
    const encrypted = encryptSecret('pa\u00dfword', 'connection', [OLD]);

    expect(encrypted.keyId).toBe('old');
    expect(decryptSecret(encrypted, 'connection', [OLD])).toBe('pa\u00dfword');
  });

  it('gives another ciphertext each time', () => {
    const first = encryptSecret('password', 'connection', [OLD]);
    const second = encryptSecret('password', 'connection', [OLD]);

    expect(first.ciphertext.equals(second.ciphertext)).toBe(false);
  });

  it('K8: encrypts with the first key and still reads what an older one has encrypted', () => {
    const encrypted = encryptSecret('password', 'connection', [OLD]);

    expect(decryptSecret(encrypted, 'connection', [NEW, OLD])).toBe('password');
    expect(encryptSecret('password', 'connection', [NEW, OLD]).keyId).toBe('new');
  });
});

describe('decryptSecret', () => {
  const encrypted = encryptSecret('password', 'connection', [OLD]);

  it('refuses a ciphertext that was copied from another connection', () => {
    expect(() => decryptSecret(encrypted, 'other', [OLD])).toThrow(/cannot be decrypted/);
  });

  it('names the key that is missing', () => {
    expect(() => decryptSecret(encrypted, 'connection', [NEW])).toThrow(/its key old/);
  });

  it('refuses a ciphertext of which one bit has changed, and a cut one', () => {
    const changed = Buffer.from(encrypted.ciphertext);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const cut = encrypted.ciphertext.subarray(0, 20);

    for (const ciphertext of [changed, cut, Buffer.alloc(0)]) {
      expect(() => decryptSecret({ ciphertext, keyId: 'old' }, 'connection', [OLD])).toThrow(
        /cannot be decrypted/,
      );
    }
  });
});
