import net from 'node:net';

import mysql from 'mysql2';
import type { Connection, ConnectionOptions } from 'mysql2';

import { AppError } from '../../../errors/app-error.ts';
import { mapMysqlError } from './errors.ts';

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

/** The part of a row packet of mysql2 that is read here: text rows are length-coded strings (protocol manual, "Text Resultset Row"). */
export interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
  eofStatusFlags(): number;
}

type State = (this: RawQuery, packet: RowPacket, connection: unknown) => unknown;

/** The inside of mysql2's query command: rows are taken where it would parse them into JavaScript values. */
interface RawQuery {
  row: State;
  done(): null;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end', listener: () => void): this;
}

/** One session of the server, opened at the first use. One statement at a time. */
export class MysqlConnection {
  readonly #location: MysqlLocation;
  #opening: Promise<Connection> | null = null;
  #lost: AppError | null = null;

  constructor(location: MysqlLocation) {
    this.#location = location;
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
          (error: unknown, rows: unknown) => {
            if (error !== null) reject(error as Error);
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
          (error: unknown, rows: unknown) => {
            if (error !== null) reject(error as Error);
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
   * Hands each row packet to `onRow`, which must take what it needs at once, and gives the turn to the consumer whenever
   * `onRow` answers true. The socket rests meanwhile, so a slow consumer holds the server back.
   */
  async *stream(
    sql: string,
    onRow: (packet: RowPacket) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<undefined> {
    const connection = await this.#open();
    const socket = (connection as unknown as { stream: net.Socket }).stream;
    const query = newQuery(sql);
    let wake: () => void = () => undefined;
    let wantsTurn = false;
    let failure: Error | null = null;
    let isOver = false;
    let isCancelled = false;
    const end = (error: Error | null): void => {
      failure ??= error;
      isOver = true;
      wake();
    };
    query.row = function row(packet) {
      if (packet.isEOF()) return this.done();
      if (isCancelled) return this.row;
      try {
        if (onRow(packet)) {
          wantsTurn = true;
          socket.pause();
          wake();
        }
      } catch (error) {
        failure = error as Error;
        isCancelled = true;
        wake();
      }
      return this.row;
    };
    query.on('error', (error) => end(error));
    query.on('end', () => end(null));
    const abort = (): void => wake();
    signal.addEventListener('abort', abort, { once: true });
    try {
      (connection as unknown as { query(command: RawQuery): void }).query(query);
      for (;;) {
        while (!wantsTurn && !isOver && failure === null && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        signal.throwIfAborted();
        if (failure !== null) throw failure as Error;
        if (wantsTurn) {
          wantsTurn = false;
          yield undefined;
          socket.resume();
          continue;
        }
        return;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      // The rest of the answer is on its way: the session is of no use before its end has been read.
      if (!isOver) {
        isCancelled = true;
        socket.resume();
        await this.#kill(connection);
        while (!isOver) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    this.#lost ??= new AppError('SOURCE_UNREACHABLE', { reason: 'it has been closed' });
    const connection = await opening?.catch(() => null);
    connection?.destroy();
  }

  async #open(): Promise<Connection> {
    if (this.#lost !== null) throw this.#lost;
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
    connection.on('error', (error: unknown) => {
      this.#lost ??= mapMysqlError(error, 'the source', this.database);
    });
    connection.on('end', () => {
      this.#lost ??= new AppError('SOURCE_UNREACHABLE', { reason: 'the connection was lost' });
    });
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

/** Exported by mysql2 for this purpose; its types forget it. */
function newQuery(sql: string): RawQuery {
  const { createQuery } = mysql as unknown as {
    createQuery(sql: string, values: null, callback: null, config: object): RawQuery;
  };
  return createQuery(sql, null, null, {});
}

async function dial(location: MysqlLocation): Promise<Connection> {
  const connection = mysql.createConnection(connectionOptions(location));
  try {
    return await new Promise<Connection>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect((error: unknown) => {
        connection.removeListener('error', reject);
        if (error === null || error === undefined) resolve(connection);
        else reject(error as Error);
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
