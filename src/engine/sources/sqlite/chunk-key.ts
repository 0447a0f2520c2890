import type { DatabaseSync } from 'node:sqlite';

import type { ChunkKey, ColumnScan, KeyTuple, Table } from '../../contract.ts';
import type { TextEncoding } from '../../types/sqlite-cells.ts';
import { allRows, firstRow } from './query.ts';
import { bindKey, keyColumns, rowValue } from './ranges.ts';
import type { TableAccess } from './table-access.ts';

/** Text keys of more characters are no good bounds. */
const MAX_KEY_CHARACTERS = 1000;

/**
 * The key by which a table is cut: its primary key where that orders all rows as PostgreSQL will, else the row number,
 * else none.
 */
export function chooseChunkKey(request: {
  readonly access: TableAccess;
  readonly table: Table;
  readonly scans: Readonly<Record<string, ColumnScan>>;
  readonly encoding: TextEncoding;
}): ChunkKey | null {
  const { access, table, scans, encoding } = request;
  const kinds = access.primaryKey.map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    const scan = scans[name];
    if (column === undefined || scan === undefined || column.collation !== null) return null;
    const { facts } = scan;
    const values = (facts.integer ?? 0) + (facts.real ?? 0) + (facts.text ?? 0) + (facts.blob ?? 0);
    if ((facts.null ?? 0) > 0) return null;
    if ((facts.integer ?? 0) === values && /INT/i.test(column.declaredType)) return 'integer';
    // UTF-16 sorts otherwise than UTF-8.
    const isClean =
      encoding === 'UTF-8' && (facts.nul ?? 0) === 0 && (facts.invalidUtf8 ?? 0) === 0;
    if (
      values > 0 &&
      (facts.text ?? 0) === values &&
      isClean &&
      (scan.maxLength ?? 0) <= MAX_KEY_CHARACTERS
    )
      return 'text';
    return values > 0 && (facts.integer ?? 0) === values ? 'integer' : null;
  });
  const usable = kinds.filter((kind) => kind !== null);
  if (usable.length > 0 && usable.length === kinds.length)
    return { columns: access.primaryKey, kinds: usable };
  return access.rowid === null ? null : { columns: [], kinds: ['integer'] };
}

/** Upper bounds of all ranges of `rows` rows but the last, ascending, taken from the key's index. */
export function walkBounds(
  db: DatabaseSync,
  request: { readonly access: TableAccess; readonly key: ChunkKey; readonly rows: number },
): KeyTuple[] {
  const { access, key, rows } = request;
  const columns = keyColumns(access, key);
  const select = columns
    .map((column, position) =>
      key.kinds[position] === 'integer' ? `CAST(${column} AS TEXT)` : column,
    )
    .join(', ');
  const order = columns.join(', ');
  const marks = rowValue(columns.map(() => '?'));
  const bounds: KeyTuple[] = [];
  for (;;) {
    const last = bounds.at(-1) ?? null;
    const where = last === null ? '' : ` WHERE ${rowValue(columns)} > ${marks}`;
    const sql = `SELECT ${select} FROM ${access.from}${where} ORDER BY ${order} LIMIT 1 OFFSET ${String(rows - 1)}`;
    const [bound] = allRows(db, sql, bindKey(key, last));
    if (bound === undefined) return bounds;
    const tuple = bound.map(String);
    const [more] = firstRow(
      db,
      `SELECT 1 FROM ${access.from} WHERE ${rowValue(columns)} > ${marks} LIMIT 1`,
      bindKey(key, tuple),
    );
    if (more === undefined) return bounds;
    bounds.push(tuple);
  }
}
