import type { RowKey } from '../../contract.ts';
import { readExpression, selectList } from '../../types/mysql-sql.ts';
import type { MysqlConnection } from './connection.ts';
import { keyPart, orderSql } from './ranges.ts';
import { rowKeyValue, sourceValue } from './source-value.ts';
import type { TableAccess } from './table-access.ts';

export const MAX_SAMPLES = 5;

/** Keys of a few rows: of the table under a condition, or of what stands after FROM. */
export type KeyReader = (
  where: { readonly condition: string } | { readonly from: string },
) => Promise<RowKey[]>;

/** Keys for a person; none where the table has no primary key. */
export async function readRowKeys(
  connection: MysqlConnection,
  request: {
    readonly access: TableAccess;
    readonly condition?: string;
    readonly from?: string;
    readonly signal: AbortSignal;
  },
): Promise<RowKey[]> {
  const { access, condition = 'TRUE', from = access.sql, signal } = request;
  if (access.primaryKey.length === 0) return [];
  const keys = access.primaryKey.map((name) => {
    const source = access.columns.get(name);
    if (source === undefined) throw new Error(`no column ${name}`);
    return { name, source };
  });
  const select = selectList(keys.map(({ source }) => readExpression(source)));
  const order = orderSql(keys.map(({ source }) => keyPart(source, 'opaque')));
  const rows = await connection.rows(
    `SELECT ${select} FROM ${from} WHERE ${condition}${order} LIMIT ${String(MAX_SAMPLES)}`,
    signal,
  );
  return rows.map((row) =>
    Object.fromEntries(
      keys.map(({ name, source }, index) => [
        name,
        rowKeyValue(sourceValue(row[index] ?? null, source)),
      ]),
    ),
  );
}
