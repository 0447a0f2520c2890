import type { SQLInputValue, StatementSync } from 'node:sqlite';

import { AppError } from '../../../errors/app-error.ts';
import type { Chunk, EncodedBatch, PlannedColumn, PlannedTable, Policies } from '../../contract.ts';
import { rowKeyValue } from '../../types/sqlite-cells.ts';
import { integerSelect } from '../../types/sqlite-encoder.ts';
import { readsRealsAsText, sqliteEncoder } from '../../types/sqlite-encoders.ts';
import { BatchBuilder } from '../threads/batch-builder.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import { locatorReader, type LocatorReader } from './locator.ts';
import type { OpenDatabase } from './open.ts';
import { columnOf, iterateRows, prepare, type Row } from './query.ts';
import { nullKeySql, orderedSql, rangeSql, type KeyRange, type RangeSql } from './ranges.ts';
import { identityValues, rowIdentity, type RowIdentity } from './row-identity.ts';
import { MAX_LINE_BYTES, RowEncoder, type ExactRow } from './row-encoder.ts';
import { accessTable, type TableAccess } from './table-access.ts';

export interface ChunkRequest {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
  /** Each line comes with its row: all are read exactly. */
  readonly describe?: boolean;
  /** For tests: PostgreSQL's own limit where left out. */
  readonly maxLineBytes?: number;
}

/** Unusual rows are looked up one by one, until so many are unusual that reading all exactly costs less. */
const MIN_UNUSUAL_ROWS = 200;
const UNUSUAL_SHARE = 0.2;

/** Encodes the rows of a chunk, batch by batch, in key order. Reads no further than the batch that it gives. */
export function encodeChunk(
  database: OpenDatabase,
  request: ChunkRequest,
): Generator<EncodedBatch> {
  return new ChunkEncoder(database, request).run();
}

class ChunkEncoder {
  readonly #database: OpenDatabase;
  readonly #request: ChunkRequest;
  readonly #access: TableAccess;
  readonly #columns: readonly PlannedColumn[];
  readonly #keyColumns: readonly string[];
  readonly #identity: RowIdentity | null;
  readonly #locator: LocatorReader;
  readonly #exactSelect: string;
  readonly #batch = new BatchBuilder();
  #ordinal = 0;

  constructor(database: OpenDatabase, request: ChunkRequest) {
    const { table } = request;
    this.#database = database;
    this.#request = request;
    this.#access = accessTable(database.db, table.source);
    this.#columns = table.columns.filter((column) => column.generatedExpression === null);
    this.#keyColumns =
      table.rowKey.length === 0 && this.#access.withoutRowid
        ? this.#access.primaryKey
        : table.rowKey;
    this.#identity = rowIdentity(this.#access, this.#columns, table.chunkKey);
    this.#locator = locatorReader(this.#access);
    this.#exactSelect = [
      ...this.#locator.select,
      ...exactSelect(
        this.#columns.map((column) => ({
          name: column.source,
          realsAsText: readsRealsAsText(column),
        })),
      ),
    ].join(', ');
  }

  *run(): Generator<EncodedBatch> {
    const { table, chunk } = this.#request;
    const nullKeys = nullKeySql(this.#access, table.chunkKey, chunk);
    if (nullKeys !== null) yield* this.#readExactly(nullKeys);
    // SQLite converts UTF-16 to UTF-8 without a sign of what it could not convert.
    const isFast = this.#database.encoding === 'UTF-8' && this.#request.describe !== true;
    if (isFast && this.#identity !== null) yield* this.#readFast(chunk, this.#identity, false);
    else yield* this.#readExactly(rangeSql(this.#access, table.chunkKey, chunk));
    if (!this.#batch.isEmpty) yield this.#batch.take();
  }

  /** Takes the values as node:sqlite gives them, and looks up exactly those rows of which that does not tell enough. */
  *#readFast(range: KeyRange, identity: RowIdentity, guarded: boolean): Generator<EncodedBatch> {
    const source = rangeSql(this.#access, this.#request.table.chunkKey, range);
    const rows = iterateRows(
      this.#database.db,
      `SELECT ${this.#fastSelect(identity, guarded)} ${orderedSql(source)}`,
      source.parameters,
    );
    const offset = identity.rowid === null ? 0 : 1;
    const lookUp = this.#prepareLookUp(identity);
    const encoder = this.#newEncoder(guarded);
    const batch = this.#batch;
    let read = 0;
    let unusual = 0;
    let last: SQLInputValue[] | null = null;
    try {
      for (;;) {
        const row = nextRow(rows);
        if (row === null) return;
        const key = row === UNREADABLE ? null : identityValues(identity, row, guarded);
        if (row === UNREADABLE || key === null) break;
        read++;
        last = key;
        if (!encoder.encodeFast(row, offset, batch)) {
          encoder.encodeExact(this.#lookUpRow(lookUp, key), batch);
          if (++unusual >= MIN_UNUSUAL_ROWS && unusual > read * UNUSUAL_SHARE) break;
        }
        if (batch.isFull) yield batch.take();
      }
    } finally {
      rows.return?.();
    }
    const lower = last === null ? range.lower : this.#keyOf(this.#lookUpRow(lookUp, last));
    const rest = { lower, upper: range.upper };
    if (!guarded) yield* this.#readFast(rest, identity, true);
    else yield* this.#readExactly(rangeSql(this.#access, this.#request.table.chunkKey, rest));
  }

  #fastSelect({ rowid }: RowIdentity, guarded: boolean): string {
    const values = this.#columns.map(({ source, encoder }) => {
      const column = columnOf(source);
      return guarded ? (sqliteEncoder(encoder).guardedSelect?.(column) ?? column) : column;
    });
    const number = rowid === null ? [] : [guarded ? integerSelect(rowid) : rowid];
    return [...number, ...values].join(', ');
  }

  *#readExactly(source: RangeSql): Generator<EncodedBatch> {
    const sql = `SELECT ${this.#exactSelect} ${orderedSql(source)}`;
    const encoder = this.#newEncoder(true);
    for (const row of iterateRows(this.#database.db, sql, source.parameters)) {
      encoder.encodeExact(this.#exactRow(row), this.#batch);
      if (this.#batch.isFull) yield this.#batch.take();
    }
  }

  #newEncoder(guarded: boolean): RowEncoder {
    const { table, policies, maxLineBytes = MAX_LINE_BYTES } = this.#request;
    return new RowEncoder(table, this.#columns, {
      policies,
      keyColumns: this.#keyColumns,
      maxLineBytes,
      guarded,
      describes: this.#request.describe ?? false,
    });
  }

  #prepareLookUp({ condition }: RowIdentity): StatementSync {
    const { db } = this.#database;
    return prepare(db, `SELECT ${this.#exactSelect} FROM ${this.#access.from} WHERE ${condition}`);
  }

  #lookUpRow(lookUp: StatementSync, key: readonly SQLInputValue[]): ExactRow {
    return this.#exactRow(lookUp.get(...key) as unknown as Row);
  }

  #exactRow(row: Row): ExactRow {
    const locator = this.#locator.read(row, ++this.#ordinal);
    return {
      cells: exactCells(row, this.#locator.select.length, this.#database.encoding),
      locator,
      rowid: this.#access.rowid === null ? null : locator,
    };
  }

  /** The chunk key of the row after which to read on. */
  #keyOf(row: ExactRow): string[] {
    const { chunkKey, source } = this.#request.table;
    if (chunkKey === null) throw new Error('rows without a key are not read fast');
    if (chunkKey.columns.length === 0) return [row.rowid ?? ''];
    return chunkKey.columns.map((name, position) => {
      const cell = row.cells[this.#columns.findIndex((column) => column.source === name)];
      const isUsable = cell !== undefined && cell.type === chunkKey.kinds[position];
      const value = isUsable ? rowKeyValue(cell) : null;
      if (typeof value === 'string') return value;
      throw new AppError('SOURCE_CHANGED', { table: source });
    });
  }
}

const UNREADABLE = 'unreadable';
/** A whole number beyond 2^53, or a text longer than a JavaScript string can be. */
const UNREADABLE_CODES = new Set(['ERR_OUT_OF_RANGE', 'ERR_STRING_TOO_LONG']);

function nextRow(rows: IterableIterator<Row>): Row | null | typeof UNREADABLE {
  try {
    const next = rows.next();
    return next.done === true ? null : next.value;
  } catch (error) {
    if (UNREADABLE_CODES.has((error as NodeJS.ErrnoException).code ?? '')) return UNREADABLE;
    throw error;
  }
}
