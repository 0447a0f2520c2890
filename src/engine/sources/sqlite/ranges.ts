import type { SQLInputValue } from 'node:sqlite';

import type { Chunk, ChunkKey, KeyTuple } from '../../contract.ts';
import { columnOf } from './query.ts';
import type { TableAccess } from './table-access.ts';

/** Rows between two keys: lower exclusive, upper inclusive, null = open. */
export interface KeyRange {
  readonly lower: KeyTuple | null;
  readonly upper: KeyTuple | null;
}

export interface RangeSql {
  /** `FROM …` */
  readonly from: string;
  /** What follows WHERE; `TRUE` for all rows. */
  readonly condition: string;
  /** ` ORDER BY …`, or nothing. */
  readonly order: string;
  readonly parameters: readonly SQLInputValue[];
}

/** `FROM … WHERE … ORDER BY …` */
export function orderedSql({ from, condition, order }: RangeSql): string {
  return `${from} WHERE ${condition}${order}`;
}

/** The rows of a range, in key order. Without a key all rows, in the table's own order. */
export function rangeSql(access: TableAccess, key: ChunkKey | null, range: KeyRange): RangeSql {
  const from = `FROM ${access.from}`;
  if (key === null) return { from, condition: 'TRUE', order: '', parameters: [] };
  const columns = keyColumns(access, key);
  const tuple = rowValue(columns);
  const marks = rowValue(columns.map(() => '?'));
  const conditions = [
    ...(range.lower === null ? [] : [`${tuple} > ${marks}`]),
    ...(range.upper === null ? [] : [`${tuple} <= ${marks}`]),
  ];
  return {
    from,
    condition: conditions.length === 0 ? 'TRUE' : conditions.join(' AND '),
    order: ` ORDER BY ${columns.join(', ')}`,
    parameters: [...bindKey(key, range.lower), ...bindKey(key, range.upper)],
  };
}

/**
 * Rows whose key holds NULL are in no range. The scan found none, or the key would not be used; rows that have come since
 * then belong to the first of several chunks, so that every row is in exactly one.
 */
export function nullKeySql(
  access: TableAccess,
  key: ChunkKey | null,
  chunk: Chunk,
): RangeSql | null {
  if (
    key === null ||
    key.columns.length === 0 ||
    access.withoutRowid ||
    chunk.lower !== null ||
    chunk.upper === null
  )
    return null;
  const nullable = key.columns.filter(
    (name) =>
      name !== access.rowidAlias &&
      access.columns.some((column) => column.name === name && !column.notNull),
  );
  if (nullable.length === 0) return null;
  return {
    from: `FROM ${access.from}`,
    condition: nullable.map((name) => `${columnOf(name)} IS NULL`).join(' OR '),
    order: '',
    parameters: [],
  };
}

/** SQL of the key's columns; the row number where it has none. */
export function keyColumns(access: TableAccess, key: ChunkKey): string[] {
  if (key.columns.length > 0) return key.columns.map(columnOf);
  if (access.rowid === null) throw new Error(`table ${access.name} has no row number`);
  return [access.rowid];
}

export function bindKey(key: ChunkKey, tuple: KeyTuple | null): SQLInputValue[] {
  return (tuple ?? []).map((value, position) =>
    key.kinds[position] === 'text' ? value : BigInt(value),
  );
}

export function rowValue(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;
}
