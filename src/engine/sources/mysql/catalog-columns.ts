import type { Column } from '../../contract.ts';
import { defaultExpression, quoteText, unescapeExpression } from './catalog-default.ts';
import type { Product } from './catalog-product.ts';
import {
  presentText,
  quoteName,
  textRows,
  type CatalogQuery,
  type TextRow,
} from './catalog-query.ts';

export const COLUMNS_SQL = `
  SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable,
    COLUMN_DEFAULT AS default_text, COLLATION_NAME AS collation_name, EXTRA AS extra,
    GENERATION_EXPRESSION AS generation, COLUMN_COMMENT AS comment
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;

/** One column from its row of `COLUMNS_SQL`. `isJson`: it is one of MariaDB's JSON columns, which are LONGTEXT with a CHECK. */
export function readColumn(row: TextRow, product: Product, isJson: boolean): Column {
  const extra = row.extra ?? '';
  const generation = product.name === 'MySQL' ? unescapeExpression(row.generation) : row.generation;
  const isGenerated = /\b(?:STORED|VIRTUAL|PERSISTENT)\b/i.test(extra);
  const type = isJson ? 'json' : (row.type ?? '');
  return {
    name: row.name ?? '',
    declaredType: type,
    nullable: row.nullable === 'YES',
    defaultExpression: isGenerated
      ? null
      : defaultExpression({ text: row.default_text ?? null, type, extra, product }),
    collation: isJson || row.collation_name === 'binary' ? null : (row.collation_name ?? null),
    generated: isGenerated
      ? { expression: generation ?? '', stored: !/\bVIRTUAL\b/i.test(extra) }
      : null,
    onUpdate: /\bon update (current_timestamp(?:\(\d*\))?)/i.exec(extra)?.[1] ?? null,
    comment: presentText(row.comment),
  };
}

export function isAutoIncrement(row: TextRow): boolean {
  return /\bauto_increment\b/i.test(row.extra ?? '');
}

/**
 * MariaDB prints defaults as UTF-8 of three bytes at most, with `?` for all else: characters beyond, and the bytes of binary
 * columns. The function DEFAULT gives the value itself; of the table no more than one row is read.
 */
export async function withExactDefaults(
  query: CatalogQuery,
  { database, table }: { readonly database: string; readonly table: string },
  columns: readonly Column[],
): Promise<readonly Column[]> {
  const inexact = columns.filter(isInexact);
  if (inexact.length === 0) return columns;

  const values = inexact.map(({ name, declaredType }, index) => {
    const value = `default(t.${quoteName(name)})`;
    const bytes = isBinary(declaredType) ? value : `convert(${value} USING utf8mb4)`;
    return `hex(${bytes}) AS value${String(index)}`;
  });
  const [row] = await textRows(
    query,
    `SELECT ${values.join(', ')} FROM (SELECT 1 AS one) AS o LEFT JOIN ${quoteName(database)}.${quoteName(table)} AS t ON TRUE LIMIT 1`,
  );
  return columns.map((column) => {
    const hex = row?.[`value${String(inexact.indexOf(column))}`];
    if (typeof hex !== 'string') return column;
    const exact = isBinary(column.declaredType)
      ? `x'${hex}'`
      : quoteText(Buffer.from(hex, 'hex').toString('utf8'));
    return { ...column, defaultExpression: exact };
  });
}

function isInexact({ declaredType, defaultExpression: text }: Column): boolean {
  return text?.startsWith("'") === true && (isBinary(declaredType) || text.includes('?'));
}

function isBinary(declaredType: string): boolean {
  return /^(?:var)?binary\b|blob$/i.test(declaredType);
}
