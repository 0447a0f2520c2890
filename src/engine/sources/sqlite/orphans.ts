import type { ForeignKey, RowKey, Table, TableScan } from '../../contract.ts';
import { parseCreateTable } from './ddl.ts';
import { sameName } from './names.ts';
import type { OpenDatabase } from './open.ts';
import { allRows, columnOf, firstRow, quoteName, quoteText } from './query.ts';
import { rangeSql, type KeyRange } from './ranges.ts';
import type { TableAccess } from './table-access.ts';

/** Rows whose foreign key points nowhere, for each key that has any. A key with a NULL in it points nowhere on purpose. */
export function findOrphans(
  { db }: OpenDatabase,
  request: {
    readonly access: TableAccess;
    readonly table: Table;
    /** The ranges of the row number that make up the table. */
    readonly ranges: readonly KeyRange[];
    readonly readKeys: (condition: string) => RowKey[];
  },
): TableScan['orphans'] {
  const { access, table, readKeys } = request;
  return table.foreignKeys.flatMap((foreignKey, number) => {
    if (foreignKey.columns.length === 0) return [];
    const parent = findParent(db, foreignKey);
    const condition = isOrphan(foreignKey, parent);
    // Without an index every statement reads the whole parent: then one statement has to do.
    const ranges = parent?.isIndexed === false ? [{ lower: null, upper: null }] : request.ranges;
    const key = access.rowid === null ? null : ({ columns: [], kinds: ['integer'] } as const);
    let rows = 0;
    for (const range of ranges) {
      const { from, condition: inRange, parameters } = rangeSql(access, key, range);
      rows += Number(
        firstRow(db, `SELECT count(*) ${from} WHERE ${inRange} AND ${condition}`, parameters)[0],
      );
    }
    return rows === 0 ? [] : [{ foreignKey: number, rows, samples: readKeys(condition) }];
  });
}

interface Parent {
  readonly columns: readonly { readonly name: string; readonly collation: string }[];
  readonly isIndexed: boolean;
}

/** Null where the parent, or one of its columns, does not exist: then every row is an orphan. */
function findParent(db: OpenDatabase['db'], { columns, references }: ForeignKey): Parent | null {
  const [sql] = firstRow(
    db,
    "SELECT sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)",
    [references.table],
  );
  if (typeof sql !== 'string' || references.columns.length !== columns.length) return null;
  const known = allRows(
    db,
    `SELECT name, pk FROM pragma_table_xinfo(${quoteText(references.table)}, 'main')`,
  );
  const found = references.columns.map((name) =>
    known.find(([column]) => sameName(String(column), name)),
  );
  if (found.includes(undefined)) return null;
  const { columns: written } = parseCreateTable(sql);
  return {
    columns: references.columns.map((name) => {
      return {
        name,
        collation: written.find((column) => sameName(column.name, name))?.collation ?? 'BINARY',
      };
    }),
    isIndexed: leadsAnIndex(db, references.table, references.columns[0] ?? ''),
  };
}

/** The first column is the first of the primary key or of an index. */
function leadsAnIndex(db: OpenDatabase['db'], table: string, column: string): boolean {
  const leading = allRows(
    db,
    `SELECT i.name FROM pragma_index_list(${quoteText(table)}, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS i WHERE i.seqno = 0 AND l.partial = 0
     UNION ALL SELECT name FROM pragma_table_xinfo(${quoteText(table)}, 'main') WHERE pk = 1 AND upper(type) = 'INTEGER'`,
  );
  return leading.some(([name]) => typeof name === 'string' && sameName(name, column));
}

/** By the collation of the parent's column, as SQLite's own foreign keys compare. */
function isOrphan(foreignKey: ForeignKey, parent: Parent | null): string {
  const children = foreignKey.columns.map(columnOf);
  const notNull = children.map((child) => `${child} IS NOT NULL`).join(' AND ');
  if (parent === null) return notNull;
  const from = `main.${quoteName(foreignKey.references.table)} AS p`;
  if (parent.isIndexed) {
    // The column on the left decides on the collation.
    const matches = parent.columns.map(
      ({ name }, position) => `p.${quoteName(name)} = ${children[position] ?? ''}`,
    );
    return `${notNull} AND NOT EXISTS (SELECT 1 FROM ${from} WHERE ${matches.join(' AND ')})`;
  }
  const left = children.map(
    (child, position) =>
      `${child} COLLATE ${quoteName(parent.columns[position]?.collation ?? 'BINARY')}`,
  );
  const right = parent.columns.map(({ name }) => `p.${quoteName(name)}`);
  const leftSql = left.length === 1 ? (left[0] ?? '') : `(${left.join(', ')})`;
  return `${notNull} AND (${leftSql} IN (SELECT ${right.join(', ')} FROM ${from})) IS NOT TRUE`;
}
