import type { ForeignKey, Table, TableScan } from '../../contract.ts';
import { quoteMysqlName } from '../../types/mysql-sql.ts';
import type { MysqlConnection } from './connection.ts';
import type { KeyReader } from './row-keys.ts';
import { accessTable, type TableAccess } from './table-access.ts';

/**
 * Rows whose foreign key points nowhere, for each key that has any. A key with a NULL in it points nowhere on purpose. Text
 * that refers to its parent only because the server does not see spaces at the end counts too: PostgreSQL sees them, under
 * any collation.
 */
export async function findOrphans(
  connection: MysqlConnection,
  request: {
    readonly access: TableAccess;
    readonly table: Table;
    readonly readKeys: KeyReader;
    readonly signal: AbortSignal;
  },
): Promise<TableScan['orphans']> {
  const { access, table, readKeys, signal } = request;
  const orphans: TableScan['orphans'][number][] = [];
  for (const [number, foreignKey] of table.foreignKeys.entries()) {
    if (foreignKey.columns.length === 0) continue;
    const parent = await findParent(connection, foreignKey, signal);
    const from = orphansSql(foreignKey, access, parent);
    const [count] = await connection.firstTexts(`SELECT COUNT(*) FROM ${from}`, signal);
    if (Number(count) === 0) continue;
    orphans.push({
      foreignKey: number,
      rows: Number(count),
      samples: await readKeys({ from: `(SELECT t.* FROM ${from}) AS t` }),
    });
  }
  return orphans;
}

/** Null where the parent, or one of its columns, does not exist: then every row is an orphan. */
async function findParent(
  connection: MysqlConnection,
  { references, columns }: ForeignKey,
  signal: AbortSignal,
): Promise<TableAccess | null> {
  const parent = await accessTable(connection, references.table, signal).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'SOURCE_CHANGED') return null;
    throw error;
  });
  const isWhole =
    references.columns.length === columns.length &&
    references.columns.every((name) => parent?.columns.has(name));
  return isWhole ? parent : null;
}

/** What stands after FROM: the child as `t`, joined to the parents that it has not. */
function orphansSql(
  { columns, references }: ForeignKey,
  access: TableAccess,
  parent: TableAccess | null,
): string {
  const children = columns.map((name) => `t.${quoteMysqlName(name)}`);
  const notNull = children.map((child) => `${child} IS NOT NULL`).join(' AND ');
  if (parent === null) return `${access.sql} AS t WHERE ${notNull}`;
  const parents = references.columns.map((name) => `p.${quoteMysqlName(name)}`);
  const matches = parents.flatMap((other, index) => {
    const own = children[index] ?? '';
    const isText = access.columns.get(columns[index] ?? '')?.family === 'text';
    return [
      `${other} = ${own}`,
      ...(isText ? [`${spacesAtEnd(other)} = ${spacesAtEnd(own)}`] : []),
    ];
  });
  // Not NOT EXISTS: MariaDB remembers its answers by the collation of the child, which does not see the spaces.
  return `${access.sql} AS t LEFT JOIN ${parent.sql} AS p ON ${matches.join(' AND ')} WHERE ${notNull} AND ${parents[0] ?? 'NULL'} IS NULL`;
}

function spacesAtEnd(column: string): string {
  return `(CHAR_LENGTH(${column}) - CHAR_LENGTH(RTRIM(${column})))`;
}
