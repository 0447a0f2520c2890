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
  readonly #failure: Promise<never>;

  constructor(session: pg.PoolClient, table: PlannedTable) {
    const columns = copiedColumns(table).map((column) => column.target);
    const statement = `COPY ${qualifiedName(table)} (${columnList(columns)}) FROM STDIN`;
    this.#stream = session.query(copyFrom(statement));
    this.#failure = finished(this.#stream, { readable: false }).then(
      () => new Promise<never>(() => undefined),
    );
    // The failure is met in `write` or `finish`; between two calls nobody listens yet.
    this.#failure.catch(() => undefined);
  }

  async write(lines: Uint8Array): Promise<void> {
    if (lines.length === 0) return;
    if (this.#stream.write(lines)) return;
    await Promise.race([once(this.#stream, 'drain'), this.#failure]);
  }

  async finish(): Promise<number> {
    this.#stream.end();
    await finished(this.#stream, { readable: false });
    return this.#stream.rowCount;
  }
}
