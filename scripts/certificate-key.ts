import { loadEnv } from '../src/config/load-env.ts';
import { describeSigningKey } from '../src/services/certificate-signature.ts';

/** Prints the public key that this hub signs certificates with: what `certificate:verify --key FILE` takes. */
try {
  const [key] = loadEnv().connectionKeys;
  if (!key) throw new Error('CONNECTION_KEYS has no key');
  const { pem, fingerprint } = describeSigningKey(key);
  process.stdout.write(pem);
  process.stderr.write(`fingerprint ${fingerprint}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
