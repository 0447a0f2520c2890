import pg from 'pg';
import { APPLICATION_NAME, cancelBackend, tlsOptions } from '../postgres-session.ts';
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

/**
 * The server looks every few seconds whether its client is still there. Without it, a backend that builds an index goes on
 * for hours after its worker has died, and the next worker waits for it.
 */
const CLIENT_CHECK = `
  SELECT set_config('client_connection_check_interval', '5s', false)
   WHERE current_setting('client_connection_check_interval', true) IS NOT NULL`;

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A target database: a small pool of sessions, all with the engine's settings. What the server or the connection throws
 * becomes an AppError with a TARGET_ code; what else the given work throws passes through.
 */
export class Target {
  readonly database: string;
  readonly #pool: pg.Pool;
  readonly #connection: pg.ClientConfig;
  readonly #backends = new WeakMap<pg.ClientBase, number>();
  readonly #cancelling = new Set<Promise<void>>();

  constructor(location: TargetLocation, options: { readonly sessions: number }) {
    this.database = location.database;
    this.#connection = {
      host: location.host,
      port: location.port,
      database: location.database,
      user: location.user,
      password: location.password,
      ssl: tlsOptions(location),
      application_name: APPLICATION_NAME,
    };
    this.#pool = new pg.Pool({
      ...this.#connection,
      max: options.sessions,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      // pg-pool awaits this, and closes a session whose settings were refused; its types do not say so.
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- see above
      onConnect: async (client) => {
        this.#backends.set(client, await applySettings(client));
      },
    });
    // An idle session that the server closes emits here; the next query opens another one.
    this.#pool.on('error', () => undefined);
  }

  /** Runs one statement on any session. `what` names it in an error; `signal` as in `withSession`. */
  async query<Row extends pg.QueryResultRow>(
    what: string,
    text: string,
    values: readonly unknown[] = [],
    signal?: AbortSignal,
  ): Promise<Row[]> {
    return await this.withSession(
      what,
      async (session) => (await session.query<Row>(text, [...values])).rows,
      signal,
    );
  }

  /**
   * Lends a session. One that ended in an error is closed rather than returned: its state is unknown. When `signal` aborts,
   * the session is closed under the work's feet and its statement cancelled, so that no backend goes on alone; what fails
   * for that is thrown as the signal's reason. Work that waits for other things than the session has to heed the signal
   * itself.
   */
  async withSession<Result>(
    what: string,
    work: (session: pg.PoolClient) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const session = await this.#borrow(signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw mapTargetError(error, { what, database: this.database });
    });
    // Without a listener a connection that dies while it is lent out would end the process.
    const ignore = (): void => undefined;
    session.on('error', ignore);
    const abort = (): void => this.#closeBusy(session);
    signal?.addEventListener('abort', abort, { once: true });
    let failed = true;
    try {
      const result = await work(session);
      failed = signal?.aborted ?? false;
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      throw isTargetError(error) ? mapTargetError(error, { what, database: this.database }) : error;
    } finally {
      signal?.removeEventListener('abort', abort);
      session.off('error', ignore);
      session.release(failed);
    }
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. `signal` as in `withSession`. */
  async inTransaction<Result>(
    what: string,
    work: (session: pg.PoolClient) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    return await this.withSession(
      what,
      async (session) => {
        await session.query('BEGIN');
        const result = await work(session);
        await session.query('COMMIT');
        return result;
      },
      signal,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.end(), ...this.#cancelling]);
  }

  async #borrow(signal: AbortSignal | undefined): Promise<pg.PoolClient> {
    signal?.throwIfAborted();
    const connecting = this.#pool.connect();
    if (signal === undefined) return await connecting;
    try {
      return await orAborted(connecting, signal);
    } catch (error) {
      connecting.then(
        (session) => session.release(),
        () => undefined,
      );
      throw error;
    }
  }

  /** Closes a session whatever it is doing, which fails the query that waits on it, and tells the server to stop too. */
  #closeBusy(session: pg.PoolClient): void {
    const backend = this.#backends.get(session);
    session.end().catch(() => undefined);
    if (backend === undefined) return;
    const cancelling = cancelBackend(this.#connection, backend)
      .catch(() => undefined)
      .finally(() => this.#cancelling.delete(cancelling));
    this.#cancelling.add(cancelling);
  }
}

/** Gives the server's own number of the session. A pooler in between would tell another one. */
async function applySettings(client: pg.ClientBase): Promise<number> {
  await client.query(SESSION_SETTINGS);
  await client.query(CLIENT_CHECK).catch((error: unknown) => {
    // A server on a system that cannot tell refuses any value but 0.
    if (!(error instanceof pg.DatabaseError)) throw error;
  });
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** Does not wait any longer once the signal is aborted. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
