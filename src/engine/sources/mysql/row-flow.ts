import type { Socket } from 'node:net';

import mysql from 'mysql2';

/** The part of a row packet of mysql2 that is read here: text rows are length-coded strings (protocol manual, "Text Resultset Row"). */
export interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

/** What is done with the rows of an answer. */
export interface RowConsumer<Item> {
  /** Takes what it needs of the packet at once. True: there is something to be taken over. */
  readonly onRow: (packet: RowPacket) => boolean;
  /** What the consumer gets then, and after the last row; null = nothing. */
  readonly take: () => Item | null;
}

type State = (this: RawQuery, packet: RowPacket, connection: unknown) => unknown;

/** The inside of mysql2's query command: rows are taken where it would parse them into JavaScript values. */
export interface RawQuery {
  row: State;
  done(): null;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end', listener: () => void): this;
}

/** The rows of one answer on their way from the socket to a consumer that may be slower than the server. */
export class RowFlow {
  readonly query: RawQuery;
  readonly #onRow: (packet: RowPacket) => boolean;
  readonly #socket: Socket;
  #wake: () => void = () => undefined;
  #wantsTurn = false;
  #isCancelled = false;
  #isOver = false;
  #failure: Error | null = null;

  constructor(sql: string, socket: Socket, onRow: (packet: RowPacket) => boolean) {
    this.#onRow = onRow;
    this.#socket = socket;
    this.query = newQuery(sql);
    const receive = (packet: RowPacket): void => this.#receive(packet);
    this.query.row = function row(packet) {
      if (packet.isEOF()) return this.done();
      receive(packet);
      return this.row;
    };
    this.query.on('error', (error) => this.end(error));
    this.query.on('end', () => this.end(null));
  }

  /** The answer has come to its end, or the session to its own. */
  end(error: Error | null): void {
    this.#failure ??= error;
    this.#isOver = true;
    this.#wake();
  }

  /** Makes whoever waits look again. */
  readonly wake = (): void => this.#wake();

  /** Waits until there is something to be taken over: false after the last row. Throws what has gone wrong. */
  async turn(signal: AbortSignal): Promise<boolean> {
    while (!this.#wantsTurn && !this.#isOver && this.#failure === null && !signal.aborted)
      await this.#wait();
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
    const isAnother = this.#wantsTurn;
    this.#wantsTurn = false;
    return isAnother;
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Reads the rest of the answer and forgets it. The session is of no use before. */
  async drain(stop: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    this.#isCancelled = true;
    this.#socket.resume();
    await stop();
    await this.#untilOver();
  }

  async #untilOver(): Promise<void> {
    while (!this.#isOver) await this.#wait();
  }

  #receive(packet: RowPacket): void {
    if (this.#isCancelled) return;
    try {
      if (!this.#onRow(packet)) return;
      this.#wantsTurn = true;
      this.#socket.pause();
    } catch (error) {
      this.#failure = error as Error;
      this.#isCancelled = true;
    }
    this.#wake();
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Exported by mysql2 for this purpose; its types forget it. */
function newQuery(sql: string): RawQuery {
  const commands = mysql as unknown as {
    createQuery(sql: string, values: null, callback: null, config: object): RawQuery;
  };
  return commands.createQuery(sql, null, null, {});
}
