import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { PlannedTable } from '../contract.ts';
import { copiedColumns } from './ddl.ts';
import { columnList, qualifiedName } from './identifiers.ts';

/**
 * One `COPY … FROM STDIN` in text format. `write` waits while the socket is full, so memory stays bounded by what the
 * operating system buffers. `finish` gives the number of rows that PostgreSQL says it has stored.
 */
export class CopyWriter {
  readonly #stream: ReturnType<typeof copyFrom>;
  readonly #finished: Promise<void>;

  /** `before`: SQL that goes to the server in the same message, ahead of the COPY. */
  constructor(session: pg.PoolClient, table: PlannedTable, before = '') {
    const columns = copiedColumns(table).map((column) => column.target);
    const statement = `COPY ${qualifiedName(table)} (${columnList(columns)}) FROM STDIN`;
    this.#stream = session.query(copyFrom(before + statement));
    this.#finished = finished(this.#stream, { readable: false });
    // A failure is met in `write` or `finish`; between two calls nobody listens yet.
    this.#finished.catch(() => undefined);
    // The stream lets go of its connection then, without being destroyed: what is written later would throw for that.
    this.#stream.on('error', () => this.#stream.destroy());
  }

  /** Throws the reason of the signal when it is aborted while the target takes nothing. */
  async write(lines: Uint8Array, signal: AbortSignal): Promise<void> {
    if (lines.length === 0) return;
    if (this.#stream.write(lines)) return;
    await Promise.race([this.#drained(signal), this.#finished]);
  }

  async finish(): Promise<number> {
    this.#stream.end();
    await this.#finished;
    return this.#stream.rowCount;
  }

  async #drained(signal: AbortSignal): Promise<void> {
    try {
      await once(this.#stream, 'drain', { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}
