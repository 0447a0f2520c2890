import type { ForeignKey, RowKey, Table, TableScan } from '../../contract.ts';
import { sameName } from './names.ts';
import type { OpenDatabase } from './open.ts';
import { columnOf, firstRow, quoteName } from './query.ts';
import type { TableAccess } from './table-access.ts';

/** Rows whose foreign key points nowhere, for each key that has any. A key with a NULL in it points nowhere on purpose. */
export function findOrphans(
  { db }: OpenDatabase,
  request: {
    readonly access: TableAccess;
    readonly table: Table;
    readonly readKeys: (condition: string) => RowKey[];
  },
): TableScan['orphans'] {
  const { access, table, readKeys } = request;
  return table.foreignKeys.flatMap((foreignKey, number) => {
    if (foreignKey.columns.length === 0) return [];
    const condition = isOrphan(foreignKey, existingColumns(db, foreignKey));
    const rows = Number(firstRow(db, `SELECT count(*) FROM ${access.from} WHERE ${condition}`)[0]);
    return rows === 0 ? [] : [{ foreignKey: number, rows, samples: readKeys(condition) }];
  });
}

/** The parent's columns, or null where they, or the parent, do not exist: then every row is an orphan. */
function existingColumns(
  db: OpenDatabase['db'],
  { columns, references }: ForeignKey,
): readonly string[] | null {
  const [sql] = firstRow(
    db,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)",
    [references.table],
  );
  if (sql === undefined || references.columns.length !== columns.length) return null;
  const known = db.prepare(`SELECT name FROM pragma_table_xinfo(?, 'main')`).all(references.table);
  const exist = references.columns.every((column) =>
    known.some(({ name }) => sameName(String(name), column)),
  );
  return exist ? references.columns : null;
}

function isOrphan(foreignKey: ForeignKey, parentColumns: readonly string[] | null): string {
  const notNull = foreignKey.columns.map((name) => `${columnOf(name)} IS NOT NULL`).join(' AND ');
  if (parentColumns === null) return notNull;
  // The parent's column stands on the left: its collation decides, as it does for SQLite's own foreign keys.
  const matches = parentColumns.map(
    (name, position) => `p.${quoteName(name)} = ${columnOf(foreignKey.columns[position] ?? '')}`,
  );
  return `${notNull} AND NOT EXISTS (SELECT 1 FROM main.${quoteName(foreignKey.references.table)} AS p WHERE ${matches.join(' AND ')})`;
}
