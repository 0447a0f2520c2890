import {
  REFERENTIAL_ACTIONS,
  type Check,
  type ForeignKey,
  type Index,
  type IndexMethod,
  type IndexPart,
} from '../../contract.ts';
import { unescapeExpression } from './catalog-default.ts';
import type { Product } from './catalog-product.ts';
import { compareText, type TextRow } from './catalog-query.ts';

const PRIMARY = 'PRIMARY';

/** Index expressions are MySQL's, from 8.0.13 on. */
export function indexesSql(product: Product): string {
  const hasExpressions = product.name === 'MySQL' && product.isAtLeast(8, 0, 13);
  return `
    SELECT TABLE_NAME AS table_name, INDEX_NAME AS name, NON_UNIQUE AS non_unique, SEQ_IN_INDEX AS position,
      COLUMN_NAME AS column_name, COLLATION AS direction, SUB_PART AS prefix, INDEX_TYPE AS method,
      ${hasExpressions ? 'EXPRESSION' : 'NULL'} AS expression
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;
}

/** The columns of the primary key, from a table's rows of `indexesSql`. */
export function readPrimaryKey(rows: readonly TextRow[]): string[] | null {
  const names = rows.filter(({ name }) => name === PRIMARY).map((row) => row.column_name ?? '');
  return names.length === 0 ? null : names;
}

/**
 * All other indexes. A primary key on the beginnings of values stands here as well: that they are unique says more than that
 * the values are. It has no name of its own, `''`.
 */
export function readIndexes(rows: readonly TextRow[]): Index[] {
  const byName = Map.groupBy(rows, (row) => row.name ?? '');
  return [...byName]
    .map(([name, parts]) => readIndex(name, parts))
    .filter(({ name, parts }) => name !== PRIMARY || parts.some((part) => part.prefixLength))
    .map((index) => (index.name === PRIMARY ? { ...index, name: '' } : index))
    .sort((a, b) => compareText(a.name, b.name));
}

function readIndex(name: string, rows: readonly TextRow[]): Index {
  const [first] = rows;
  const method = methodOf(first?.method ?? '');
  const index = {
    name,
    unique: first?.non_unique === '0',
    parts: rows.map((row) => readPart(row, method)),
    where: null,
  };
  return method === 'btree' ? index : { ...index, method };
}

/** HASH serves the unique indexes of MariaDB's long columns and tables in memory: what it finds, a btree finds. */
function methodOf(type: string): IndexMethod {
  if (type === 'FULLTEXT') return 'fulltext';
  return type === 'SPATIAL' || type === 'RTREE' ? 'spatial' : 'btree';
}

function readPart(row: TextRow, method: IndexMethod): IndexPart {
  const part = {
    column: row.column_name ?? null,
    expression: unescapeExpression(row.expression) ?? null,
    descending: row.direction === 'D',
    collation: null,
  };
  // A spatial index says 32, the bytes of a rectangle.
  const hasPrefix = method === 'btree' && row.prefix !== null && row.prefix !== undefined;
  return hasPrefix ? { ...part, prefixLength: Number(row.prefix) } : part;
}

export const FOREIGN_KEY_COLUMNS_SQL = `
  SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, COLUMN_NAME AS column_name,
    REFERENCED_TABLE_SCHEMA AS parent_database, REFERENCED_TABLE_NAME AS parent, REFERENCED_COLUMN_NAME AS parent_column
  FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
  ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`;

export const FOREIGN_KEY_ACTIONS_SQL = `
  SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, UPDATE_RULE AS on_update, DELETE_RULE AS on_delete
  FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?`;

/** A table's foreign keys. One into another database refers to `database.table`, which no table of this one is called. */
export function readForeignKeys(
  database: string,
  columns: readonly TextRow[],
  actions: readonly TextRow[],
): ForeignKey[] {
  const byName = Map.groupBy(columns, (row) => row.name ?? '');
  return [...byName]
    .map(([name, rows]): ForeignKey => {
      const action = actions.find((row) => row.name === name);
      return {
        name,
        columns: rows.map((row) => row.column_name ?? ''),
        references: {
          table: parentOf(database, rows[0]),
          columns: rows.map((row) => row.parent_column ?? ''),
        },
        onUpdate: actionOf(action?.on_update),
        onDelete: actionOf(action?.on_delete),
      };
    })
    .sort((a, b) => compareText(a.name ?? '', b.name ?? ''));
}

function parentOf(database: string, row: TextRow | undefined): string {
  const parent = row?.parent ?? '';
  const isHere = row?.parent_database?.toLowerCase() === database.toLowerCase();
  return isHere ? parent : `${row?.parent_database ?? ''}.${parent}`;
}

function actionOf(text: string | null | undefined): ForeignKey['onUpdate'] {
  return REFERENTIAL_ACTIONS.find((action) => action === text) ?? 'NO ACTION';
}

/** null where the server has no CHECK constraints, or none that it would enforce. */
export function checksSql(product: Product): string | null {
  if (product.name === 'MariaDB') {
    if (!product.isAtLeast(10, 2, 22)) return null;
    // The level came with 10.5.10. Before, a column's own check bears the column's name.
    const level = product.isAtLeast(10, 5, 10) ? 'LEVEL' : 'NULL';
    return `
      SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause, ${level} AS level
      FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?`;
  }
  if (!product.isAtLeast(8, 0, 16)) return null;
  return `
    SELECT t.TABLE_NAME AS table_name, c.CONSTRAINT_NAME AS name, c.CHECK_CLAUSE AS clause, 'Table' AS level
    FROM information_schema.CHECK_CONSTRAINTS AS c
    JOIN information_schema.TABLE_CONSTRAINTS AS t
      ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
    WHERE c.CONSTRAINT_SCHEMA = ? AND t.CONSTRAINT_TYPE = 'CHECK' AND t.ENFORCED = 'YES'`;
}

/** Names of the columns that MariaDB was told to make JSON, from a table's rows of `checksSql` and of its columns. */
export function jsonColumns(
  checks: readonly TextRow[],
  columns: readonly TextRow[],
): ReadonlySet<string> {
  const names = columns
    .filter(({ type }) => type?.toLowerCase() === 'longtext')
    .map((row) => row.name ?? '')
    .filter((name) => checks.some((check) => isJsonCheck(check, name)));
  return new Set(names);
}

/** The table's own checks: the one that makes a column JSON is said by its type. */
export function readChecks(checks: readonly TextRow[], json: ReadonlySet<string>): Check[] {
  return checks
    .filter((check) => ![...json].some((name) => isJsonCheck(check, name)))
    .map((check) => ({
      name: check.level === 'Column' ? null : (check.name ?? null),
      expression: unescapeExpression(check.clause) ?? '',
    }))
    .sort(
      (a, b) => compareText(a.name ?? '', b.name ?? '') || compareText(a.expression, b.expression),
    );
}

function isJsonCheck(check: TextRow, column: string): boolean {
  const isOwn = check.level === 'Column' || (check.level === null && check.name === column);
  return isOwn && check.clause === `json_valid(\`${column.replaceAll('`', '``')}\`)`;
}
