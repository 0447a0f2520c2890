import type { SQLInputValue } from 'node:sqlite';

import type { ChunkKey, PlannedColumn } from '../../contract.ts';
import { columnOf, type Row } from './query.ts';
import type { TableAccess } from './table-access.ts';

/** How a row that was read fast is found again, to be read exactly. */
export interface RowIdentity {
  /** SQL of the row number, where it has to be selected before the columns; null = columns are enough. */
  readonly rowid: string | null;
  /** Where its values stand in a row. */
  readonly positions: readonly number[];
  readonly kinds: ChunkKey['kinds'];
  /** `… = ? AND …` */
  readonly condition: string;
}

/** The row number, else the primary key that cuts the table; null where neither tells rows apart without doubt. */
export function rowIdentity(
  access: TableAccess,
  columns: readonly PlannedColumn[],
  chunkKey: ChunkKey | null,
): RowIdentity | null {
  if (chunkKey === null) return null;
  const positionOf = (name: string | null, encoder: string): number =>
    columns.findIndex((column) => column.source === name && column.encoder === encoder);

  if (access.rowid !== null) {
    const alias = positionOf(access.rowidAlias, 'bigint');
    return {
      rowid: alias < 0 ? access.rowid : null,
      positions: [Math.max(alias, 0)],
      kinds: ['integer'],
      condition: `${access.rowid} = ?`,
    };
  }
  const positions = chunkKey.columns.map((name, position) =>
    positionOf(name, chunkKey.kinds[position] === 'integer' ? 'bigint' : 'text'),
  );
  if (positions.length === 0 || positions.includes(-1)) return null;
  return {
    rowid: null,
    positions,
    kinds: chunkKey.kinds,
    condition: chunkKey.columns.map((name) => `${columnOf(name)} = ?`).join(' AND '),
  };
}

/** What to bind for `condition`; null where the row's values do not tell it exactly. */
export function identityValues(
  identity: RowIdentity,
  row: Row,
  guarded: boolean,
): SQLInputValue[] | null {
  const values: SQLInputValue[] = [];
  for (const [index, position] of identity.positions.entries()) {
    const value = row[position];
    const isInteger = identity.kinds[index] === 'integer';
    // node:sqlite refuses whole numbers beyond 2^53, except the very smallest.
    if (isInteger && typeof value === 'number' && Number.isSafeInteger(value)) values.push(value);
    // Unguarded, a string is text that SQLite has stored in the column.
    else if (isInteger && guarded && typeof value === 'string') values.push(BigInt(value));
    // U+FFFD also stands for bytes that are no UTF-8.
    else if (!isInteger && typeof value === 'string' && !value.includes('\ufffd'))
      values.push(value);
    else return null;
  }
  return values;
}
