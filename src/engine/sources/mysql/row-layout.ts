import { createHash } from 'node:crypto';

import type { PlannedColumn, PlannedTable } from '../../contract.ts';
import { asUtf8, readExpression, type SqlColumn } from '../../types/mysql-sql.ts';
import type { Cells } from './cells.ts';
import { plannedColumn, type TableAccess } from './table-access.ts';

/** PostgreSQL reads a line of COPY into one piece of memory, which it limits to 1 GiB (MaxAllocSize). */
export const MAX_LINE_BYTES = 0x3fffffff - 1024;

/** What a row of the answer holds, and where: the columns that are copied first, then what tells the row. */
export interface RowLayout {
  /** Expressions of the SELECT, all of them. */
  readonly select: readonly string[];
  readonly columns: readonly {
    readonly column: PlannedColumn;
    readonly source: SqlColumn;
    /** Position of the value's size where it is too large to be read; null = it never is. */
    readonly guard: number | null;
  }[];
  /** The key that tells the row; empty = the hash of all its values does. */
  readonly keys: readonly {
    readonly name: string;
    readonly source: SqlColumn;
    readonly position: number;
  }[];
  /** Position of that hash; null = there is a key. */
  readonly hash: number | null;
}

/** Only these can hold what PostgreSQL cannot. */
const HUGE_TYPES = new Set(['longtext', 'longblob', 'json']);

export function rowLayout(access: TableAccess, table: PlannedTable): RowLayout {
  const copied = table.columns
    .filter((column) => column.generatedExpression === null)
    .map((column) => ({ column, source: plannedColumn(access, column) }));
  const select: string[] = [];
  const guards: { readonly index: number; readonly sql: string }[] = [];
  for (const [index, { source }] of copied.entries()) {
    const value = readExpression(source);
    const limit = sizeLimit(source);
    if (limit === null) {
      select.push(value);
      continue;
    }
    const isTooLarge = `OCTET_LENGTH(${source.sql}) > ${String(limit)}`;
    select.push(`CASE WHEN ${isTooLarge} THEN NULL ELSE ${value} END`);
    guards.push({ index, sql: `CASE WHEN ${isTooLarge} THEN OCTET_LENGTH(${source.sql}) END` });
  }
  const positions = new Map<number, number>();
  for (const { index, sql } of guards) {
    positions.set(index, select.length);
    select.push(sql);
  }
  const keys = keyNames(access, table).map((name) => {
    const known = copied.findIndex(({ column }) => column.source === name);
    const own = copied[known];
    if (own !== undefined) return { name, source: own.source, position: known };
    const source = access.columns.get(name);
    if (source === undefined) throw new Error(`no column ${name}`);
    select.push(readExpression(source));
    return { name, source, position: select.length - 1 };
  });
  const hash = keys.length === 0 ? select.length : null;
  if (hash !== null) select.push(rowHash(access));
  return {
    select,
    columns: copied.map((entry, index) => ({ ...entry, guard: positions.get(index) ?? null })),
    keys,
    hash,
  };
}

/** The layout of rows that did not come from the server. */
export function typedLayout(
  table: PlannedTable,
  sourceOf: (column: PlannedColumn) => SqlColumn,
): RowLayout {
  const columns = table.columns
    .filter((column) => column.generatedExpression === null)
    .map((column) => ({ column, source: sourceOf(column), guard: null }));
  return { select: [], columns, keys: [], hash: null };
}

/** Names of the columns that tell a row: the primary key, else the key that cuts the chunks. */
export function keyNames(access: TableAccess, table: PlannedTable): readonly string[] {
  if (table.rowKey.length > 0) return table.rowKey;
  if (access.primaryKey.length > 0) return access.primaryKey;
  return table.chunkKey?.columns ?? [];
}

/** Bytes from which on a value can surely not be stored; null = it never has so many. */
export function sizeLimit({ declared, family }: SqlColumn): number | null {
  if (!HUGE_TYPES.has(declared.name)) return null;
  return family === 'binary' ? Math.floor((MAX_LINE_BYTES - 3) / 2) : MAX_LINE_BYTES;
}

/** Of a row without a key: the same for rows that are the same, whichever statement reads them. */
function rowHash(access: TableAccess): string {
  const values = [...access.columns.values()].map((column) => {
    const { sql, family } = column;
    // HEX rounds numbers.
    const isText = family === 'text' || family === 'json' || family === 'enum' || family === 'set';
    const bytes = isText ? asUtf8(column) : sql;
    const value =
      family === 'binary' || family === 'geometry' || isText
        ? bytes
        : `CAST(${family === 'float' || family === 'double' ? `${sql} * 1e0` : family === 'bit' ? `${sql} + 0` : sql} AS CHAR)`;
    return `COALESCE(MD5(${value}), '-')`;
  });
  return `MD5(CONCAT_WS(',', ${values.join(', ')}))`;
}

/** Tells rows apart: by their key, and rows without one by what they hold and the how-manyeth of these they are. */
export class Locators {
  readonly #layout: RowLayout;
  readonly #seen = new Map<string, number>();

  constructor(layout: RowLayout) {
    this.#layout = layout;
  }

  /** Call it once for each row that is to be told. */
  locate(cells: Cells): string {
    const { hash, keys } = this.#layout;
    if (hash === null) return keyLocator(keys.map(({ position }) => cells.view(position)));
    const name = cells.text(hash);
    const number = (this.#seen.get(name) ?? 0) + 1;
    this.#seen.set(name, number);
    return `${name}#${String(number)}`;
  }

  /** The locator that the first of the rows like this one would have. */
  first(cells: Cells): string {
    const { hash, keys } = this.#layout;
    if (hash === null) return keyLocator(keys.map(({ position }) => cells.view(position)));
    return `${cells.text(hash)}#1`;
  }
}

/** Long keys by their hash: a locator is stored with each reject. */
export function keyLocator(values: readonly (Buffer | null)[]): string {
  const text = JSON.stringify(values.map((value) => value?.toString('latin1') ?? null));
  return text.length <= 200 ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A locator less the how-manyeth of its like the row is. */
export function withoutNumber(locator: string): string {
  return locator.replace(/#\d+$/, '');
}
