import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { APPLICATION_NAME, cancelBackend, tlsOptions } from '../../postgres-session.ts';
import { mapPostgresError } from './errors.ts';

/** How to reach a PostgreSQL. `host` has been resolved and checked by the caller; it is dialled as it stands. */
export interface PostgresLocation {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: 'disable' | 'require' | 'verify-full';
  /** The name that the certificate has to carry under `verify-full`. */
  readonly serverName?: string;
  /** The schema whose tables are moved; left out = `public`. */
  readonly schema?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What every transaction begins with. The first lines make values print as they do in the engine's sessions with the target,
 * since lines go there as they are; an empty search path makes expressions name the schema of all that is not PostgreSQL's
 * own; with row security off, a table of which the account sees only some rows is an error instead of a loss. SET LOCAL, so
 * that it also holds behind a pooler that lends connections by transaction.
 */
const SETTINGS = `
  SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
  SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on;
  SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off; SET LOCAL row_security = off;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '30s';
  SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0`;

/** SQL_ASCII is no encoding: bytes come as they are, and are looked at here. */
const LATE_SETTINGS = `
  SELECT set_config('client_encoding',
      CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true),
    (SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout')`;

/** The server, as far as this process holds connections to it. */
export class PostgresServer {
  readonly location: PostgresLocation;
  readonly #cancelling = new Set<Promise<void>>();

  constructor(location: PostgresLocation) {
    this.location = location;
  }

  get schema(): string {
    return this.location.schema ?? 'public';
  }

  /** Throws AppError. */
  async connect(): Promise<PostgresSession> {
    const client = new pg.Client({ ...this.#config(), keepAlive: true });
    // Without a listener a connection that dies between two statements would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      client.end().catch(() => undefined);
      throw mapPostgresError(error, 'the source', this.location);
    }
    return new PostgresSession(client, (backend) => this.#cancel(backend));
  }

  /**
   * Runs `work` in a session and transaction of its own. When `signal` aborts, the session is closed under the work's feet, its
   * statement cancelled, and the signal's reason thrown.
   */
  async read<Result>(
    what: string,
    signal: AbortSignal,
    work: (session: PostgresSession) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const session = await this.connect();
    try {
      return await this.guard(session, what, signal, async () => {
        await session.begin();
        return await work(session);
      });
    } finally {
      session.end();
    }
  }

  /** Runs `work` with a session; an abort closes the session. */
  async guard<Result>(
    session: PostgresSession,
    what: string,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const abort = (): void => session.kill();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw mapPostgresError(error, what, this.location);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Waits for what is still being cancelled. */
  async close(): Promise<void> {
    await Promise.all(this.#cancelling);
  }

  #config(): pg.ClientConfig {
    const { host, port, database, user, password } = this.location;
    return {
      host,
      port,
      database,
      user,
      password,
      ssl: tlsOptions(this.location),
      application_name: APPLICATION_NAME,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    };
  }

  /** On a connection of its own. Where it fails, the server notices at its next write that nobody reads. */
  #cancel(backend: number): void {
    const cancelling = cancelBackend(this.#config(), backend)
      .catch(() => undefined)
      .finally(() => this.#cancelling.delete(cancelling));
    this.#cancelling.add(cancelling);
  }
}

/** One connection. Throws what `pg` throws. */
export class PostgresSession {
  readonly #client: pg.Client;
  readonly #cancel: (backend: number) => void;
  #isOver = false;

  constructor(client: pg.Client, cancel: (backend: number) => void) {
    this.#client = client;
    this.#cancel = cancel;
    client.on('end', () => {
      this.#isOver = true;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins a read-only transaction that sees one moment: that of `snapshot`, or the present one. */
  async begin(snapshot?: string): Promise<void> {
    const join =
      snapshot === undefined ? '' : `SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}';`;
    await this.#client.query(
      `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${join} ${SETTINGS}`,
    );
    await this.#client.query(LATE_SETTINGS);
  }

  async rollback(): Promise<void> {
    await this.#client.query('ROLLBACK');
  }

  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return (await this.#client.query<Row>(text, [...values])).rows;
  }

  /** Rows of a query as lines of COPY's text format, with back-pressure to the socket. Has to be read to its end. */
  copyOut(select: string): AsyncIterable<Buffer> {
    const stream = this.#client.query(copyTo(`COPY (${select}) TO STDOUT`));
    // A session that is closed after the reader has left would end the process without a listener.
    stream.on('error', () => undefined);
    return stream;
  }

  /** Closes the connection whatever it is doing, and tells the server to stop too. */
  kill(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { processID } = this.#client as unknown as { readonly processID: number | null };
    destroySocket(this.#client);
    if (processID !== null) this.#cancel(processID);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.end().catch(() => undefined);
  }
}

/** `end` would wait for the statement that is running. */
function destroySocket(client: pg.Client): void {
  const { connection } = client as unknown as {
    readonly connection: { readonly stream: { destroy(): void } };
  };
  connection.stream.destroy();
}
