import type { SQLInputValue, StatementSync } from 'node:sqlite';

import { AppError } from '../../../errors/app-error.ts';
import type { Chunk, EncodedBatch, PlannedColumn, PlannedTable, Policies } from '../../contract.ts';
import { rowKeyValue } from '../../types/sqlite-cells.ts';
import { integerSelect } from '../../types/sqlite-encoder.ts';
import { sqliteEncoder } from '../../types/sqlite-encoders.ts';
import { BatchBuilder } from './batch-builder.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import { locatorReader, type LocatorReader } from './locator.ts';
import type { OpenDatabase } from './open.ts';
import { columnOf, iterateRows, prepare, type Row } from './query.ts';
import { nullKeySql, orderedSql, rangeSql, type KeyRange, type RangeSql } from './ranges.ts';
import { MAX_LINE_BYTES, RowEncoder, type ExactRow } from './row-encoder.ts';
import { accessTable, type TableAccess } from './table-access.ts';

export interface ChunkRequest {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
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
    this.#locator = locatorReader(this.#access);
    this.#exactSelect = [
      ...this.#locator.select,
      ...exactSelect(
        this.#columns.map(({ source, encoder }) => ({
          name: source,
          realsAsText: encoder === 'text',
        })),
      ),
    ].join(', ');
  }

  *run(): Generator<EncodedBatch> {
    const { table, chunk } = this.#request;
    const nullKeys = nullKeySql(this.#access, table.chunkKey, chunk);
    if (nullKeys !== null) yield* this.#readExactly(nullKeys);
    // SQLite converts UTF-16 to UTF-8 without a sign of what it could not convert.
    const canReadFast =
      this.#access.rowid !== null && table.chunkKey !== null && this.#database.encoding === 'UTF-8';
    if (canReadFast) yield* this.#readFast(chunk, false);
    else yield* this.#readExactly(rangeSql(this.#access, table.chunkKey, chunk));
    if (!this.#batch.isEmpty) yield this.#batch.take();
  }

  /** Takes the values as node:sqlite gives them, and looks up exactly those rows of which that does not tell enough. */
  *#readFast(range: KeyRange, guarded: boolean): Generator<EncodedBatch> {
    const select = this.#fastSelect(guarded);
    const source = rangeSql(this.#access, this.#request.table.chunkKey, range);
    const rows = iterateRows(
      this.#database.db,
      `SELECT ${select.sql} ${orderedSql(source)}`,
      source.parameters,
    );
    const lookUp = this.#prepareLookUp();
    const encoder = this.#newEncoder(guarded);
    const batch = this.#batch;
    let read = 0;
    let unusual = 0;
    let lastRowid: Row[number] = null;
    try {
      for (;;) {
        const row = nextRow(rows);
        if (row === null) return;
        if (row === UNREADABLE || isInexact(row[select.rowidAt])) break;
        read++;
        lastRowid = row[select.rowidAt] ?? null;
        if (!encoder.encodeFast(row, select.offset, batch)) {
          encoder.encodeExact(
            this.#exactRow(lookUp.get(bindRowid(lastRowid)) as unknown as Row),
            batch,
          );
          if (++unusual >= MIN_UNUSUAL_ROWS && unusual > read * UNUSUAL_SHARE) break;
        }
        if (batch.isFull) yield batch.take();
      }
    } finally {
      rows.return?.();
    }
    const lower = read === 0 ? range.lower : this.#keyOf(lookUp, lastRowid);
    yield* this.#readOn({ lower, upper: range.upper }, guarded);
  }

  /** The rest of a range, in the next more careful way. */
  *#readOn(rest: KeyRange, guarded: boolean): Generator<EncodedBatch> {
    if (!guarded) yield* this.#readFast(rest, true);
    else yield* this.#readExactly(rangeSql(this.#access, this.#request.table.chunkKey, rest));
  }

  /** The row number first, unless a column is the row number. */
  #fastSelect(guarded: boolean): {
    readonly sql: string;
    readonly offset: number;
    readonly rowidAt: number;
  } {
    const aliasAt = this.#columns.findIndex(
      ({ source, encoder }) => source === this.#access.rowidAlias && encoder === 'bigint',
    );
    const rowid = this.#access.rowid ?? '';
    const values = this.#columns.map(({ source, encoder }) => {
      const column = columnOf(source);
      return guarded ? (sqliteEncoder(encoder).guardedSelect?.(column) ?? column) : column;
    });
    if (aliasAt >= 0) return { sql: values.join(', '), offset: 0, rowidAt: aliasAt };
    const number = guarded ? integerSelect(rowid) : rowid;
    return { sql: [number, ...values].join(', '), offset: 1, rowidAt: 0 };
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
    });
  }

  #prepareLookUp(): StatementSync {
    const { db } = this.#database;
    return prepare(
      db,
      `SELECT ${this.#exactSelect} FROM ${this.#access.from} WHERE ${this.#access.rowid ?? ''} = ?`,
    );
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
  #keyOf(lookUp: StatementSync, rowid: Row[number]): string[] {
    const row = this.#exactRow(lookUp.get(bindRowid(rowid)) as unknown as Row);
    const { chunkKey, source } = this.#request.table;
    if (chunkKey === null || row.rowid === null)
      throw new Error('rows without a key are not read fast');
    if (chunkKey.columns.length === 0) return [row.rowid];
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

/** node:sqlite refuses whole numbers beyond 2^53, except the very smallest. */
function isInexact(value: Row[number] | undefined): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value);
}

function bindRowid(value: Row[number] | undefined): SQLInputValue {
  return typeof value === 'string' ? BigInt(value) : (value ?? null);
}
