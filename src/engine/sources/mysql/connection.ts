import net from 'node:net';

import mysql from 'mysql2';
import type { Connection, ConnectionOptions } from 'mysql2';

import { AppError } from '../../../errors/app-error.ts';
import { mapMysqlError } from './errors.ts';
import { RowFlow, type RawQuery, type RowConsumer } from './row-flow.ts';

/** How to reach a MySQL or MariaDB. `host` has been resolved and checked by the caller; it is dialled as it stands. */
export interface MysqlLocation {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: 'disable' | 'require' | 'verify-full';
  /** The name that the certificate has to carry under `verify-full`. */
  readonly serverName?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Neither a lane that waits for its next chunk nor a slow consumer may lose its session. */
const SESSION_TIMEOUT_SECONDS = 86_400;
/** How long a statement waits for somebody else's lock: the source's own work goes first. */
const LOCK_WAIT_SECONDS = 10;

/**
 * Session settings on which reading rests: text in UTF-8, moments in UTC, expressions printed in one way, no time limit on a
 * statement, nothing written.
 */
const SESSION_SETTINGS = [
  "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_mode = ''",
  `SET SESSION net_write_timeout = ${String(SESSION_TIMEOUT_SECONDS)}, SESSION net_read_timeout = ${String(SESSION_TIMEOUT_SECONDS)}, SESSION wait_timeout = ${String(SESSION_TIMEOUT_SECONDS)}`,
  `SET SESSION lock_wait_timeout = ${String(LOCK_WAIT_SECONDS)}, SESSION innodb_lock_wait_timeout = ${String(LOCK_WAIT_SECONDS)}`,
  'SET SESSION sql_big_selects = 1, SESSION max_join_size = DEFAULT, SESSION sql_select_limit = DEFAULT',
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
];
/** One of the two is known to each server. */
const TIME_LIMITS = [
  'SET SESSION max_statement_time = 0',
  'SET SESSION max_execution_time = 0',
] as const;

/** Values of a row as the server prints them: bytes, or null. */
export type RawRow = readonly (Buffer | null)[];

/** One session of the server, opened at the first use. One statement at a time. */
export class MysqlConnection {
  readonly #location: MysqlLocation;
  #opening: Promise<Connection> | null = null;
  readonly #reconnects: boolean;
  #isClosed = false;
  #lost: AppError | null = null;
  #flow: RowFlow | null = null;

  /** `reconnects`: nothing is held that a new session would not have, so a lost one is replaced at the next use. */
  constructor(
    location: MysqlLocation,
    { reconnects = false }: { readonly reconnects?: boolean } = {},
  ) {
    this.#location = location;
    this.#reconnects = reconnects;
  }

  get database(): string {
    return this.#location.database;
  }

  /** True once a session that was open is gone, with all that it held. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Rows by column name, numbers and text alike as bytes. For small answers. */
  async query(
    sql: string,
    parameters: readonly string[] = [],
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>[]> {
    const connection = await this.#open();
    const stop = this.#stopOnAbort(connection, signal);
    try {
      return await new Promise((resolve, reject) => {
        connection.query(
          { sql, values: [...parameters], typeCast: false },
          (error: Error | null, rows: unknown) => {
            if (error !== null) reject(error);
            else resolve(Array.isArray(rows) ? (rows as Readonly<Record<string, unknown>>[]) : []);
          },
        );
      });
    } finally {
      await stop();
      signal?.throwIfAborted();
    }
  }

  /** Rows as lists of bytes. For small answers. */
  async rows(sql: string, signal?: AbortSignal): Promise<RawRow[]> {
    const connection = await this.#open();
    const stop = this.#stopOnAbort(connection, signal);
    try {
      return await new Promise((resolve, reject) => {
        connection.query(
          { sql, typeCast: false, rowsAsArray: true },
          (error: Error | null, rows: unknown) => {
            if (error !== null) reject(error);
            else resolve(Array.isArray(rows) ? (rows as RawRow[]) : []);
          },
        );
      });
    } finally {
      await stop();
      signal?.throwIfAborted();
    }
  }

  /** The values of the first row as text. */
  async firstTexts(sql: string, signal?: AbortSignal): Promise<(string | null)[]> {
    const [row = []] = await this.rows(sql, signal);
    return row.map((value) => value?.toString('utf8') ?? null);
  }

  /** Runs a statement that answers no rows. */
  async run(sql: string): Promise<void> {
    await this.query(sql);
  }

  /**
   * Hands the rows to a consumer as the server sends them. The socket rests while the consumer is busy, so a slow one holds
   * the server back.
   */
  async *stream<Item>(
    sql: string,
    { onRow, take }: RowConsumer<Item>,
    signal: AbortSignal,
  ): AsyncGenerator<Item> {
    const connection = await this.#open();
    const { stream } = connection as unknown as { readonly stream: net.Socket };
    const flow = new RowFlow(sql, stream, onRow);
    this.#flow = flow;
    signal.addEventListener('abort', flow.wake, { once: true });
    try {
      (connection as unknown as { query(command: RawQuery): void }).query(flow.query);
      for (;;) {
        const isAnother = await flow.turn(signal);
        const item = take();
        if (item !== null) yield item;
        if (!isAnother) return;
        flow.resume();
      }
    } finally {
      signal.removeEventListener('abort', flow.wake);
      await flow.drain(() => this.#kill(connection));
      this.#flow = null;
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#isClosed = true;
    this.#opening = null;
    this.#lost ??= new AppError('SOURCE_UNREACHABLE', { reason: 'it has been closed' });
    const connection = await opening?.catch(() => null);
    connection?.destroy();
  }

  async #open(): Promise<Connection> {
    if (this.#lost !== null) {
      if (this.#isClosed || !this.#reconnects) throw this.#lost;
      this.#lost = null;
      this.#opening = null;
    }
    this.#opening ??= this.#connect();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const connection = await dial(this.#location);
    const lose = (error: AppError): void => {
      this.#lost ??= error;
      this.#flow?.end(error);
    };
    connection.on('error', (error: unknown) =>
      lose(mapMysqlError(error, 'the source', this.database)),
    );
    connection.on('end', () => lose(connectionLost()));
    const run = (sql: string): Promise<void> =>
      new Promise((resolve, reject) => {
        connection.query(sql, (error: Error | null) =>
          error === null ? resolve() : reject(error),
        );
      });
    try {
      for (const settings of SESSION_SETTINGS) await run(settings);
      for (const limit of TIME_LIMITS) await run(limit).catch(() => undefined);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  /** Ends the running statement when the signal aborts; answers what has to be awaited when the statement is over. */
  #stopOnAbort(connection: Connection, signal: AbortSignal | undefined): () => Promise<void> {
    let killing: Promise<void> | null = null;
    const abort = (): void => {
      killing = this.#kill(connection);
    };
    signal?.addEventListener('abort', abort, { once: true });
    return async () => {
      signal?.removeEventListener('abort', abort);
      await killing;
    };
  }

  /** A statement can only be ended from another session. */
  async #kill(connection: Connection): Promise<void> {
    try {
      const other = await dial(this.#location);
      await new Promise<void>((resolve) => {
        other.query(`KILL QUERY ${String(connection.threadId)}`, () => resolve());
      });
      other.destroy();
    } catch {
      // Then its rows are read to their end.
    }
  }
}

function connectionLost(): AppError {
  return new AppError('SOURCE_UNREACHABLE', { reason: 'the connection was lost' });
}

async function dial(location: MysqlLocation): Promise<Connection> {
  const connection = mysql.createConnection(connectionOptions(location));
  try {
    return await new Promise<Connection>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect((error: Error | null) => {
        connection.removeListener('error', reject);
        if (error === null) resolve(connection);
        else reject(error);
      });
    });
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

function connectionOptions(location: MysqlLocation): ConnectionOptions {
  const { host, port, database, user, password, ssl, serverName } = location;
  return {
    // With TLS this is only the name that the certificate is compared with: what is dialled is the address below.
    host: ssl === 'verify-full' && serverName !== undefined ? serverName : host,
    port,
    user,
    password,
    database,
    stream: () => {
      const socket = net.connect({ host, port });
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 60_000);
      return socket;
    },
    connectTimeout: CONNECT_TIMEOUT_MS,
    charset: 'UTF8MB4_GENERAL_CI',
    // The server must not ask for files of this machine, nor take more than one statement at a time.
    flags: ['-LOCAL_FILES', '-MULTI_STATEMENTS'],
    multipleStatements: false,
    // No code is made out of the names of columns.
    disableEval: true,
    ...(ssl === 'disable'
      ? {}
      : {
          ssl: {
            minVersion: 'TLSv1.2',
            rejectUnauthorized: ssl === 'verify-full',
            verifyIdentity: ssl === 'verify-full',
          },
        }),
  };
}
