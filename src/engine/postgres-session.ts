import pg from 'pg';

/** What every session of PostgreSQL has in common, whichever end it is on. */

/** By which a session is known on its server. */
export const APPLICATION_NAME = 'legacy-migration-hub';
const CANCEL_TIMEOUT_MS = 3_000;

export interface TlsSettings {
  readonly ssl: 'disable' | 'require' | 'verify-full';
  /** The name that the certificate has to carry under `verify-full`. */
  readonly serverName?: string;
}

export function tlsOptions({ ssl, serverName }: TlsSettings): pg.ClientConfig['ssl'] {
  if (ssl === 'disable') return false;
  if (ssl === 'require') return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ...(serverName ? { servername: serverName } : {}) };
}

/** Stops what a session of ours is doing, on a connection of its own. Throws where that cannot be made. */
export async function cancelBackend(connection: pg.ClientConfig, backend: number): Promise<void> {
  const client = new pg.Client({
    ...connection,
    connectionTimeoutMillis: CANCEL_TIMEOUT_MS,
    query_timeout: CANCEL_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(
      'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2',
      [backend, APPLICATION_NAME],
    );
  } finally {
    await client.end();
  }
}
