import type { SQLInputValue, StatementSync } from 'node:sqlite';

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
  readonly #encoder: RowEncoder;
  readonly #locator: LocatorReader;
  readonly #exactSelect: string;
  readonly #batch = new BatchBuilder();
  #ordinal = 0;

  constructor(database: OpenDatabase, request: ChunkRequest) {
    const { table, policies } = request;
    this.#database = database;
    this.#request = request;
    this.#access = accessTable(database.db, table.source);
    this.#columns = table.columns.filter((column) => column.generatedExpression === null);
    const keyColumns =
      table.rowKey.length === 0 && this.#access.withoutRowid
        ? this.#access.primaryKey
        : table.rowKey;
    this.#encoder = new RowEncoder(table, this.#columns, {
      policies,
      keyColumns,
      maxLineBytes: request.maxLineBytes ?? MAX_LINE_BYTES,
    });
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
    if (canReadFast) yield* this.#readFast(chunk);
    else yield* this.#readExactly(rangeSql(this.#access, table.chunkKey, chunk));
    if (!this.#batch.isEmpty) yield this.#batch.take();
  }

  *#readFast(range: KeyRange): Generator<EncodedBatch> {
    const source = rangeSql(this.#access, this.#request.table.chunkKey, range);
    const alias = this.#columns.findIndex(
      ({ source, encoder }) => source === this.#access.rowidAlias && encoder === 'bigint',
    );
    const offset = alias < 0 ? 1 : 0;
    const select = [
      ...(alias < 0 ? [integerSelect(this.#access.rowid ?? '')] : []),
      ...this.#columns.map(({ source, encoder }) =>
        sqliteEncoder(encoder).fastSelect(columnOf(source)),
      ),
    ];
    const lookUp = this.#prepareLookUp();
    const encoder = this.#encoder;
    const batch = this.#batch;
    let rows = 0;
    let unusual = 0;
    let resumeAt: KeyRange | null = null;
    for (const row of iterateRows(
      this.#database.db,
      `SELECT ${select.join(', ')} ${orderedSql(source)}`,
      source.parameters,
    )) {
      rows++;
      if (!encoder.encodeFast(row, offset, batch)) {
        const rowid = row[alias < 0 ? 0 : alias];
        const exact = this.#exactRow(lookUp.get(bindRowid(rowid)) as unknown as Row);
        encoder.encodeExact(exact, batch);
        if (++unusual >= MIN_UNUSUAL_ROWS && unusual > rows * UNUSUAL_SHARE) {
          const key = this.#keyOf(exact);
          if (key !== null) resumeAt = { lower: key, upper: range.upper };
        }
      }
      if (resumeAt !== null) break;
      if (batch.isFull) yield batch.take();
    }
    if (resumeAt !== null) {
      yield* this.#readExactly(rangeSql(this.#access, this.#request.table.chunkKey, resumeAt));
    }
  }

  *#readExactly(source: RangeSql): Generator<EncodedBatch> {
    const sql = `SELECT ${this.#exactSelect} ${orderedSql(source)}`;
    for (const row of iterateRows(this.#database.db, sql, source.parameters)) {
      this.#encoder.encodeExact(this.#exactRow(row), this.#batch);
      if (this.#batch.isFull) yield this.#batch.take();
    }
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

  /** The row's chunk key, or null where it holds what no range can begin with. */
  #keyOf(row: ExactRow): string[] | null {
    const { chunkKey } = this.#request.table;
    if (chunkKey === null) return null;
    if (chunkKey.columns.length === 0) return row.rowid === null ? null : [row.rowid];
    const values = chunkKey.columns.map((name, position) => {
      const cell = row.cells[this.#columns.findIndex(({ source }) => source === name)];
      return cell !== undefined && cell.type === chunkKey.kinds[position]
        ? rowKeyValue(cell)
        : null;
    });
    return values.every((value) => typeof value === 'string') ? values : null;
  }
}

function bindRowid(value: Row[number] | undefined): SQLInputValue {
  return typeof value === 'string' ? BigInt(value) : (value ?? null);
}
