import type {
  DescribedRow,
  PlannedColumn,
  PlannedTable,
  Policies,
  Reject,
  RowKey,
  ValueAdjustment,
} from '../../contract.ts';
import { cellSize, rowKeyValue, sourceValue, type Cell } from '../../types/sqlite-cells.ts';
import {
  tooLarge,
  type CellTarget,
  type FastValue,
  type Problem,
} from '../../types/sqlite-encoder.ts';
import { sqliteEncoder } from '../../types/sqlite-encoders.ts';
import type { BatchBuilder } from '../threads/batch-builder.ts';
import type { Row } from './query.ts';

/** PostgreSQL reads a line of COPY into one piece of memory, which it limits to 1 GiB (MaxAllocSize). */
export const MAX_LINE_BYTES = 0x3fffffff - 1024;

/** Larger values stand in a reject with their size only. */
const MAX_REJECTED_VALUE_BYTES = 64 * 1024;

interface EncodedColumn {
  readonly column: PlannedColumn;
  readonly isKey: boolean;
  readonly fast: (value: Exclude<FastValue, null>, out: BatchBuilder['out']) => boolean;
  readonly exact: (cell: Exclude<Cell, { type: 'null' }>, target: CellTarget) => Problem;
}

/** A row as read exactly, with what identifies it. */
export interface ExactRow {
  readonly cells: readonly Cell[];
  readonly locator: string;
  readonly rowid: string | null;
}

/** The encoders of one table's columns, compiled once a chunk. */
export class RowEncoder {
  readonly #columns: readonly EncodedColumn[];
  readonly #keyColumns: readonly string[];
  readonly #maxLineBytes: number;
  readonly #describes: boolean;

  constructor(
    table: PlannedTable,
    columns: readonly PlannedColumn[],
    options: {
      readonly policies: Policies;
      readonly keyColumns: readonly string[];
      readonly maxLineBytes: number;
      readonly guarded: boolean;
      /** Rows that are written exactly are described too. */
      readonly describes?: boolean;
    },
  ) {
    this.#describes = options.describes ?? false;
    this.#maxLineBytes = options.maxLineBytes;
    this.#keyColumns = options.keyColumns;
    this.#columns = columns.map((column) => {
      const encoder = sqliteEncoder(column.encoder);
      const encoderOptions = {
        policies: { ...options.policies, ...column.policies },
        targetType: column.targetType,
        maxFieldBytes: options.maxLineBytes,
      };
      return {
        column,
        isKey: table.primaryKey?.columns.includes(column.target) ?? false,
        fast: encoder.compileFast({ ...encoderOptions, guarded: options.guarded }),
        exact: encoder.compileExact(encoderOptions),
      };
    });
  }

  /** Writes a plain row, whose values begin at `offset`. False, with nothing written, where one needs the exact way. */
  encodeFast(row: Row, offset: number, batch: BatchBuilder): boolean {
    const { out } = batch;
    const start = out.length;
    let position = offset;
    for (const { fast, column } of this.#columns) {
      const value = row[position++] as FastValue;
      if (value === null) {
        if (!column.nullable) return this.#undo(batch, start);
        out.writeNull();
      } else if (!fast(value, out)) {
        return this.#undo(batch, start);
      }
      out.endField();
    }
    out.endLine(this.#columns.length > 0);
    if (out.length - start > this.#maxLineBytes) return this.#undo(batch, start);
    batch.addRow();
    return true;
  }

  /** Writes any row, or adds it to the rejects. */
  encodeExact(row: ExactRow, batch: BatchBuilder): void {
    const { out } = batch;
    const start = out.length;
    const adjustments: ValueAdjustment[] = [];
    for (const [position, entry] of this.#columns.entries()) {
      const cell = row.cells[position] ?? { type: 'null' };
      const target: CellTarget = {
        out,
        writeNull: () => writeNull(entry, batch),
        adjust: (rule) => adjustments.push({ column: entry.column.source, rule }),
      };
      const problem = cell.type === 'null' ? target.writeNull() : entry.exact(cell, target);
      if (problem !== null) {
        this.#reject(row, { batch, start, column: entry.column, problem });
        return;
      }
      out.endField();
    }
    out.endLine(this.#columns.length > 0);
    if (out.length - start > this.#maxLineBytes) {
      this.#reject(row, {
        batch,
        start,
        column: this.#largest(row),
        problem: tooLarge(out.length - start),
      });
      return;
    }
    batch.addRow();
    if (this.#describes) batch.addDescription({ ...this.#describe(row), adjustments });
    if (adjustments.length > 0) batch.addAdjustments(adjustments, this.#keyOf(row));
  }

  #undo(batch: BatchBuilder, start: number): false {
    batch.out.length = start;
    return false;
  }

  #reject(
    row: ExactRow,
    found: {
      readonly batch: BatchBuilder;
      readonly start: number;
      readonly column: PlannedColumn | undefined;
      readonly problem: NonNullable<Problem>;
    },
  ): void {
    found.batch.out.length = found.start;
    const reject: Reject = {
      ...this.#describe(row),
      column: found.column?.source ?? '',
      ...found.problem,
    };
    const bytes = row.cells.reduce(
      (sum, cell) => sum + Math.min(cellSize(cell), MAX_REJECTED_VALUE_BYTES),
      256,
    );
    found.batch.addReject(reject, bytes);
  }

  #describe(row: ExactRow): DescribedRow {
    return {
      key: this.#keyOf(row),
      locator: row.locator,
      row: fromEntries(
        this.#columns.map(({ column }, position) => {
          const cell = row.cells[position] ?? { type: 'null' };
          const size = cellSize(cell);
          return [
            column.source,
            size > MAX_REJECTED_VALUE_BYTES ? { truncatedFrom: size } : sourceValue(cell),
          ];
        }),
      ),
    };
  }

  #keyOf(row: ExactRow): RowKey {
    if (this.#keyColumns.length === 0) return { rowid: row.rowid ?? row.locator };
    return fromEntries(
      this.#keyColumns.map((name) => {
        const position = this.#columns.findIndex(({ column }) => column.source === name);
        return [name, rowKeyValue(row.cells[position] ?? { type: 'null' })];
      }),
    );
  }

  #largest(row: ExactRow): PlannedColumn | undefined {
    const sizes = row.cells.map(cellSize);
    return this.#columns[sizes.indexOf(Math.max(...sizes))]?.column;
  }
}

function writeNull({ column, isKey }: EncodedColumn, batch: BatchBuilder): Problem {
  if (column.nullable) {
    batch.out.writeNull();
    return null;
  }
  return isKey
    ? { reasonCode: 'PK_NULL', message: 'The primary key holds NULL' }
    : { reasonCode: 'NULL_NOT_ALLOWED', message: `NULL in a column that takes none` };
}

/** Also right for a column that is called `__proto__`. */
function fromEntries<Value>(
  entries: readonly (readonly [string, Value])[],
): Readonly<Record<string, Value>> {
  return Object.fromEntries(entries);
}
