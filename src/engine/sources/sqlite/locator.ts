import type { Cell } from '../../types/sqlite-cells.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import type { Row } from './query.ts';
import type { TableAccess } from './table-access.ts';

/**
 * What identifies a row inside the file: its number; where the table has none, its primary key, typed and without loss;
 * where the number has no name left, its place in the table.
 */
export interface LocatorReader {
  readonly select: readonly string[];
  /** Reads it from a row that begins with `select`; `ordinal` counts the table's rows from 1. */
  read(row: Row, ordinal: number): string;
}

export function locatorReader(access: TableAccess): LocatorReader {
  if (access.rowid !== null)
    return { select: [`CAST(${access.rowid} AS TEXT)`], read: ([rowid]) => String(rowid) };
  if (!access.withoutRowid) return { select: [], read: (_, ordinal) => `#${String(ordinal)}` };
  return {
    select: exactSelect(access.primaryKey.map((name) => ({ name, realsAsText: false }))),
    read: (row) => exactCells(row, 0, 'UTF-8').map(encodeCell).join('.'),
  };
}

function encodeCell(cell: Cell): string {
  switch (cell.type) {
    case 'null':
      return 'n';
    case 'integer':
      return `i${String(cell.value)}`;
    case 'real':
      return `r${Object.is(cell.value, -0) ? '-0' : String(cell.value)}`;
    case 'text':
      return `t${Buffer.from(cell.bytes).toString('hex')}`;
    case 'blob':
      return `b${Buffer.from(cell.bytes).toString('hex')}`;
  }
}
