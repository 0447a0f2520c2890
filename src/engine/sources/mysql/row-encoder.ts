import type {
  DescribedRow,
  PlannedColumn,
  PlannedTable,
  Policies,
  RowKey,
  RowProblem,
  SourceRow,
  ValueAdjustment,
} from '../../contract.ts';
import type { CopyBuffer } from '../../types/copy-text.ts';
import {
  tooLarge,
  type CellEncoder,
  type CellTarget,
  type Problem,
} from '../../types/mysql-encoder.ts';
import { mysqlEncoder } from '../../types/mysql-encoders.ts';
import type { Cells } from './cells.ts';
import type { RowLayout } from './row-layout.ts';
import { rowKeyValue, sourceValue } from './source-value.ts';

/** Larger values stand in a reject with their size only. */
const MAX_REJECTED_VALUE_BYTES = 64 * 1024;

/** Adjustments of a row that has none: most have none. */
const NONE: readonly ValueAdjustment[] = [];

interface EncodedColumn {
  readonly column: PlannedColumn;
  readonly isKey: boolean;
  readonly encode: CellEncoder;
}

/** The encoders of one table's columns, compiled once a chunk. */
export class RowEncoder implements CellTarget {
  out: CopyBuffer;
  /** Of the row encoded last. */
  adjustments: readonly ValueAdjustment[] = NONE;
  readonly #columns: readonly EncodedColumn[];
  readonly #layout: RowLayout;
  readonly #maxLineBytes: number;
  #position = 0;
  #found: ValueAdjustment[] = [];

  constructor(
    table: PlannedTable,
    layout: RowLayout,
    options: {
      readonly policies: Policies;
      readonly out: CopyBuffer;
      readonly maxLineBytes: number;
    },
  ) {
    this.out = options.out;
    this.#layout = layout;
    this.#maxLineBytes = options.maxLineBytes;
    this.#columns = layout.columns.map(({ column, source }) => ({
      column,
      isKey: table.primaryKey?.columns.includes(column.target) ?? false,
      encode: mysqlEncoder(column.encoder).compile({
        declared: source.declared,
        targetType: column.targetType,
        policies: { ...options.policies, ...column.policies },
        maxFieldBytes: options.maxLineBytes,
      }),
    }));
  }

  /** Writes the row as a line, or says why it cannot be stored, with nothing written. */
  encode(cells: Cells): RowProblem | null {
    const { out } = this;
    const columns = this.#columns;
    const from = out.length;
    const { bytes, starts, ends } = cells;
    // Not entries(): this runs for every row.
    for (let index = 0; index < columns.length; index++) {
      const entry = columns[index];
      if (entry === undefined) continue;
      const end = ends[index] ?? -1;
      this.#position = index;
      const problem =
        end >= 0
          ? entry.encode(bytes, starts[index] ?? 0, end, this)
          : this.#writeAbsent(cells, index);
      if (problem !== null) return this.#refuse(from, entry.column, problem);
      out.endField();
    }
    out.endLine(columns.length > 0);
    if (out.length - from > this.#maxLineBytes)
      return this.#refuse(from, this.#largest(cells), tooLarge(out.length - from));
    this.#keepAdjustments();
    return null;
  }

  writeNull(): Problem {
    const entry = this.#columns[this.#position];
    if (entry?.column.nullable !== false) {
      this.out.writeNull();
      return null;
    }
    return entry.isKey
      ? { reasonCode: 'PK_NULL', message: 'The primary key holds NULL' }
      : { reasonCode: 'NULL_NOT_ALLOWED', message: 'NULL in a column that takes none' };
  }

  adjust(rule: ValueAdjustment['rule']): void {
    const column = this.#columns[this.#position]?.column.source ?? '';
    this.#found.push({ column, rule });
  }

  /** Which row it is and what it holds. */
  describe(cells: Cells, locator: string): DescribedRow {
    return { key: this.keyOf(cells, locator), locator, row: this.#rowOf(cells) };
  }

  keyOf(cells: Cells, locator: string): RowKey {
    const { keys } = this.#layout;
    if (keys.length === 0) return { locator };
    return Object.fromEntries(
      keys.map(({ name, source, position }) => [
        name,
        rowKeyValue(sourceValue(cells.view(position), source)),
      ]),
    );
  }

  #writeAbsent(cells: Cells, index: number): Problem {
    // What is too large to be read comes as NULL, with its size elsewhere.
    const guard = this.#layout.columns[index]?.guard ?? null;
    if (guard !== null && !cells.isNull(guard)) return tooLarge(Number(cells.text(guard)));
    return this.writeNull();
  }

  #refuse(
    from: number,
    column: PlannedColumn | undefined,
    problem: NonNullable<Problem>,
  ): RowProblem {
    this.out.length = from;
    this.#keepAdjustments();
    return { column: column?.source ?? '', ...problem };
  }

  #keepAdjustments(): void {
    if (this.#found.length === 0) {
      this.adjustments = NONE;
      return;
    }
    this.adjustments = this.#found;
    this.#found = [];
  }

  #rowOf(cells: Cells): SourceRow {
    return Object.fromEntries(
      this.#layout.columns.map(({ column, source, guard }, position) => {
        const value = cells.view(position);
        if (value === null && guard !== null && !cells.isNull(guard))
          return [column.source, { truncatedFrom: Number(cells.text(guard)) }];
        return [
          column.source,
          value !== null && value.length > MAX_REJECTED_VALUE_BYTES
            ? { truncatedFrom: value.length }
            : sourceValue(value, source),
        ];
      }),
    );
  }

  #largest(cells: Cells): PlannedColumn | undefined {
    const sizes = this.#columns.map((_, index) => cells.end(index) - cells.start(index));
    return this.#columns[sizes.indexOf(Math.max(...sizes))]?.column;
  }
}
