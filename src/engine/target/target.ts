import pg from 'pg';
import { isTargetError, mapTargetError } from './errors.ts';

/** How to reach a target. `host` has been resolved and checked by the caller; it is dialled as it stands. */
export interface TargetLocation {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: 'disable' | 'require' | 'verify-full';
  /** The name that the certificate has to carry under `verify-full`. */
  readonly serverName?: string;
}

/** How long a statement waits for somebody else's lock. */
export const LOCK_TIMEOUT = '30s';

/**
 * Session settings on which the engine's correctness rests: values are compared as text, so both sides of a comparison
 * must print dates, floats and bytes in one way whatever the server's or the role's defaults are. With keepalives the
 * server notices within two minutes that a worker's machine is gone, and lets go of the chunk it was writing.
 */
const SESSION_SETTINGS = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';
  SET extra_float_digits = 1; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;
  SET default_transaction_isolation = 'read committed'; SET statement_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '${LOCK_TIMEOUT}'; SET synchronous_commit = on;
  SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6`;

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A target database: a small pool of sessions, all with the engine's settings. What the server or the connection throws
 * becomes an AppError with a TARGET_ code; what else the given work throws passes through.
 */
export class Target {
  readonly database: string;
  readonly #pool: pg.Pool;

  constructor(location: TargetLocation, options: { readonly sessions: number }) {
    this.database = location.database;
    this.#pool = new pg.Pool({
      host: location.host,
      port: location.port,
      database: location.database,
      user: location.user,
      password: location.password,
      ssl: tlsOptions(location),
      max: options.sessions,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'legacy-migration-hub',
      keepAlive: true,
      // pg-pool awaits this, and closes a session whose settings were refused; its types do not say so.
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- see above
      onConnect: applySettings,
    });
    // An idle session that the server closes emits here; the next query opens another one.
    this.#pool.on('error', () => undefined);
  }

  /** Runs one statement on any session. `what` names it in an error. */
  async query<Row extends pg.QueryResultRow>(
    what: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return await this.withSession(
      what,
      async (session) => (await session.query<Row>(text, [...values])).rows,
    );
  }

  /** Lends a session. One that ended in an error is closed rather than returned: its state is unknown. */
  async withSession<Result>(
    what: string,
    work: (session: pg.PoolClient) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.#pool.connect().catch((error: unknown) => {
      throw mapTargetError(error, { what, database: this.database });
    });
    // Without a listener a connection that dies while it is lent out would end the process.
    const ignore = (): void => undefined;
    session.on('error', ignore);
    let failed = true;
    try {
      const result = await work(session);
      failed = false;
      return result;
    } catch (error) {
      throw isTargetError(error) ? mapTargetError(error, { what, database: this.database }) : error;
    } finally {
      session.off('error', ignore);
      session.release(failed);
    }
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  async inTransaction<Result>(
    what: string,
    work: (session: pg.PoolClient) => Promise<Result>,
  ): Promise<Result> {
    return await this.withSession(what, async (session) => {
      await session.query('BEGIN');
      const result = await work(session);
      await session.query('COMMIT');
      return result;
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

async function applySettings(client: pg.ClientBase): Promise<void> {
  await client.query(SESSION_SETTINGS);
}

function tlsOptions(location: TargetLocation): pg.PoolConfig['ssl'] {
  if (location.ssl === 'disable') return false;
  if (location.ssl === 'require') return { rejectUnauthorized: false };
  return {
    rejectUnauthorized: true,
    ...(location.serverName ? { servername: location.serverName } : {}),
  };
}
