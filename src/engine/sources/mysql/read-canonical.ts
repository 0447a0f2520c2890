import type { CanonicalBatch, Chunk, PlannedTable, Policies } from '../../contract.ts';
import { canonicalSource } from '../../types/mysql-canonical.ts';
import { selectList } from '../../types/mysql-sql.ts';
import { canonicalStep } from './canonical-steps.ts';
import { Cells } from './cells.ts';
import type { MysqlConnection } from './connection.ts';
import { orderSql, rangeSql } from './ranges.ts';
import { keyParts } from './read-chunk.ts';
import { Locators, rowLayout, withoutNumber } from './row-layout.ts';
import { accessTable, plannedColumn } from './table-access.ts';

export interface CanonicalRequest {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
  /** Locators of the rows to leave out. */
  readonly excluding: ReadonlySet<string>;
}

const BATCH_BYTES = 256 * 1024;
const TAB = 0x09;
const NEWLINE = 0x0a;
const NULL_FIELD = Buffer.from('\\N');

/** Renders the rows of a chunk for `full` verification: the server's own SQL makes the fields. */
export async function* readCanonical(
  connection: MysqlConnection,
  request: CanonicalRequest & { readonly signal: AbortSignal },
): AsyncGenerator<CanonicalBatch> {
  const { table, chunk, policies, excluding, signal } = request;
  const access = await accessTable(connection, table.source, signal);
  const layout = rowLayout(access, table);
  // Only what tells the row, and only where there is a row to be left out.
  const identity = layout.keys.map(({ position }) => position);
  const identitySelect =
    excluding.size === 0
      ? []
      : [...identity, ...(layout.hash === null ? [] : [layout.hash])].map(
          (position) => layout.select[position] ?? 'NULL',
        );
  const fields = table.columns.map((column) => {
    const source = plannedColumn(access, column);
    return canonicalSource(source, column, { ...policies, ...column.policies });
  });
  const steps = fields.map(({ step }) => canonicalStep(step));
  const cells = new Cells(fields.length + identitySelect.length);
  const locators = new Locators({
    ...layout,
    keys: layout.keys.map((key, index) => ({ ...key, position: fields.length + index })),
    hash: layout.hash === null ? null : fields.length,
  });

  // Of rows without a key only those are counted of which one is to be left out.
  const first = new Set([...excluding].map(withoutNumber));
  const isExcluded = (row: Cells): boolean =>
    first.has(withoutNumber(locators.first(row))) && excluding.has(locators.locate(row));

  let lines = new LineBuffer();
  let rows = 0;
  const take = (): CanonicalBatch | null => {
    if (rows === 0) return null;
    const batch = { rows, lines: lines.whole() };
    lines = new LineBuffer();
    rows = 0;
    return batch;
  };
  const onRow = (packet: Parameters<Cells['read']>[0]): boolean => {
    cells.read(packet);
    if (excluding.size > 0 && isExcluded(cells)) return false;
    rows++;
    for (const [index, step] of steps.entries()) {
      if (cells.isNull(index)) lines.add(NULL_FIELD, 0, NULL_FIELD.length);
      else if (step === null) lines.add(cells.bytes, cells.start(index), cells.end(index));
      else {
        const field = step(cells.bytes.subarray(cells.start(index), cells.end(index)));
        lines.add(field, 0, field.length);
      }
      lines.addByte(index === steps.length - 1 ? NEWLINE : TAB);
    }
    return lines.size >= BATCH_BYTES;
  };

  const keys = keyParts(access, table);
  const select = selectList([...fields.map((field) => field.sql), ...identitySelect]);
  const sql = `SELECT ${select} FROM ${access.sql} WHERE ${rangeSql(keys, chunk)}${orderSql(keys)}`;
  yield* connection.stream(sql, { onRow, take }, signal);
}

/** Bytes that grow, in memory of their own: they are handed over to another thread. */
class LineBuffer {
  size = 0;
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES + 16 * 1024);

  add(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    source.copy(this.#bytes, this.size, start, end);
    this.size += end - start;
  }

  addByte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.size++] = byte;
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  #reserve(size: number): void {
    if (this.size + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow((this.size + size) * 2);
    this.#bytes.copy(grown, 0, 0, this.size);
    this.#bytes = grown;
  }
}
