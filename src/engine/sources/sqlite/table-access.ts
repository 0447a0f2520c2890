import type { DatabaseSync } from 'node:sqlite';

import { AppError } from '../../../errors/app-error.ts';
import { parseCreateTable } from './ddl.ts';
import { allRows, firstRow, quoteName, quoteText } from './query.ts';

/** How the rows of a table are reached. */
export interface TableAccess {
  readonly name: string;
  /** `main."name" AS t` */
  readonly from: string;
  readonly columns: readonly AccessColumn[];
  readonly primaryKey: readonly string[];
  readonly withoutRowid: boolean;
  /** SQL of the row number: null where the table has none, or its columns take all three of its names. */
  readonly rowid: string | null;
  /** The INTEGER PRIMARY KEY column that is the row number. */
  readonly rowidAlias: string | null;
}

export interface AccessColumn {
  readonly name: string;
  readonly declaredType: string;
  readonly notNull: boolean;
  readonly defaultExpression: string | null;
  readonly generated: 'virtual' | 'stored' | null;
}

const HIDDEN = { virtual: 2, stored: 3 } as const;
const ROWID_NAMES = ['rowid', '_rowid_', 'oid'];

/** Reads it anew each time, since the file can change between two calls. Throws SOURCE_CHANGED where the table is gone. */
export function accessTable(db: DatabaseSync, name: string): TableAccess {
  const [sql] = firstRow(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", [
    name,
  ]);
  if (typeof sql !== 'string') throw new AppError('SOURCE_CHANGED', { table: name });
  const rows = allRows(
    db,
    `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(${quoteText(name)}, 'main')`,
  );
  const columns = rows.map(([column, type, notNull, defaultExpression, , hidden]): AccessColumn => {
    return {
      name: String(column),
      declaredType: String(type),
      notNull: notNull === 1,
      defaultExpression: typeof defaultExpression === 'string' ? defaultExpression : null,
      generated: hidden === HIDDEN.virtual ? 'virtual' : hidden === HIDDEN.stored ? 'stored' : null,
    };
  });
  const primaryKey = rows
    .filter(([, , , , position]) => Number(position) > 0)
    .sort((a, b) => Number(a[4]) - Number(b[4]))
    .map(([column]) => String(column));

  const { withoutRowid } = parseCreateTable(sql);
  const rowidAlias = withoutRowid ? null : findRowidAlias(db, name, primaryKey, columns);
  const freeName = ROWID_NAMES.find(
    (candidate) => !columns.some((column) => column.name.toLowerCase() === candidate),
  );
  const rowidName = rowidAlias === null ? freeName : quoteName(rowidAlias);
  return {
    name,
    from: `main.${quoteName(name)} AS t`,
    columns,
    primaryKey,
    withoutRowid,
    rowid: withoutRowid || rowidName === undefined ? null : `t.${rowidName}`,
    rowidAlias,
  };
}

/** An INTEGER PRIMARY KEY is the row number itself, and then has no index of its own. */
function findRowidAlias(
  db: DatabaseSync,
  table: string,
  primaryKey: readonly string[],
  columns: readonly AccessColumn[],
): string | null {
  const [only, ...others] = primaryKey;
  if (only === undefined || others.length > 0) return null;
  const column = columns.find(({ name }) => name === only);
  if (column?.declaredType.toUpperCase() !== 'INTEGER') return null;
  const [index] = firstRow(
    db,
    `SELECT 1 FROM pragma_index_list(${quoteText(table)}, 'main') WHERE origin = 'pk'`,
  );
  return index === undefined ? only : null;
}
