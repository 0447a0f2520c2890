import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

/** What `pg.Client`, `pg.Pool`, pg-boss and Sequelize all take to reach the hub's database. */
export interface DatabaseConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
}

/** libpq's names. `allow` and `prefer` are left out: they fall back to plain text unnoticed. */
const SSL_MODES = ['disable', 'require', 'no-verify', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = ['sslmode', 'sslrootcert'];

/**
 * Reads a `postgres://` URL with the meaning that libpq gives it. pg's own reader would take `host`
 * and file names from the query, and reads `sslmode=require` otherwise than every other client.
 *
 * @throws {Error} whose message never holds the password
 */
export function parseDatabaseUrl(text: string): DatabaseConnection {
  if (!URL.canParse(text)) throw new Error('is not a URL');

  const url = new URL(text);
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Error('must start with postgres:// or postgresql://');
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.hostname === '') throw new Error('names no host');
  if (url.username === '') throw new Error('names no user');
  if (database === '') throw new Error('names no database');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    ssl: readSsl(url.searchParams),
  };
}

function readSsl(parameters: URLSearchParams): false | ConnectionOptions {
  const unknown = [...parameters.keys()].filter((name) => !PARAMETERS.includes(name));
  if (unknown.length > 0) {
    throw new Error(`has parameters that are not supported: ${unknown.join(', ')}`);
  }

  const mode = SSL_MODES.find((known) => known === (parameters.get('sslmode') ?? 'disable'));
  const rootCertificate = parameters.get('sslrootcert');
  if (!mode) throw new Error(`has an sslmode that is none of ${SSL_MODES.join(', ')}`);
  if (mode === 'disable') return false;
  if (mode === 'no-verify' || (mode === 'require' && !rootCertificate)) {
    return { rejectUnauthorized: false };
  }
  const ca = rootCertificate ? { ca: readFileSync(rootCertificate, 'utf8') } : {};
  // verify-ca trusts the signer, whichever host it signed for; verify-full wants the host's name too.
  return mode === 'verify-full' ? ca : { ...ca, checkServerIdentity: () => undefined };
}
