import { AppError } from '../../../errors/app-error.ts';
import { familyOf, parseDeclaredType } from '../../types/mysql-declared.ts';
import { quoteMysqlName, quoteMysqlText, type SqlColumn } from '../../types/mysql-sql.ts';
import type { MysqlConnection } from './connection.ts';

/** A table as it is now, for whoever reads it. */
export interface TableAccess {
  readonly name: string;
  /** The quoted name. */
  readonly sql: string;
  readonly columns: ReadonlyMap<string, SqlColumn>;
  readonly primaryKey: readonly string[];
}

/** Throws SOURCE_CHANGED where the table is gone. */
export async function accessTable(
  connection: MysqlConnection,
  name: string,
  signal?: AbortSignal,
): Promise<TableAccess> {
  const where = `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteMysqlText(name)}`;
  const rows = await connection.rows(
    `SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
    signal,
  );
  if (rows.length === 0) throw new AppError('SOURCE_CHANGED', { table: name });
  const key = await connection.rows(
    `SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE ${where} AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
    signal,
  );
  return {
    name,
    sql: quoteMysqlName(name),
    columns: new Map(
      rows.map(([column, type, collation]) => {
        const text = column?.toString('utf8') ?? '';
        const declared = parseDeclaredType(type?.toString('utf8') ?? '');
        return [
          text,
          {
            sql: quoteMysqlName(text),
            declared,
            family: familyOf(declared),
            collation: collation?.toString('utf8') ?? null,
          },
        ];
      }),
    ),
    primaryKey: key.map(([column]) => column?.toString('utf8') ?? ''),
  };
}

/**
 * The column as the plan knows it: MariaDB's JSON is a LONGTEXT with a CHECK, which only the catalog has seen. Throws
 * SOURCE_CHANGED where it is not there, or is of another type now.
 */
export function plannedColumn(
  access: TableAccess,
  column: { readonly source: string; readonly declaredType: string },
): SqlColumn {
  const found = access.columns.get(column.source);
  if (found === undefined) throw new AppError('SOURCE_CHANGED', { table: access.name });
  const declared = parseDeclaredType(column.declaredType);
  if (declared.name === found.declared.name) return { ...found, declared };
  if (declared.name === 'json' && found.family === 'text')
    return { ...found, declared, family: 'json' };
  throw new AppError('SOURCE_CHANGED', { table: access.name });
}
