import type { Column } from '../../contract.ts';
import { familyOf, parseDeclaredType } from '../../types/mysql-declared.ts';
import { quoteText } from './catalog-default.ts';
import { quoteName, textRows, type CatalogQuery } from './catalog-query.ts';

/**
 * MariaDB prints characters beyond the first 65,536 in the labels of ENUM and SET as `?`. The rows have them as they are: for
 * a column with such a label they are read once. A label that no row holds stays as it is printed, and no value needs it.
 */
export async function withExactLabels(
  query: CatalogQuery,
  { database, table }: { readonly database: string; readonly table: string },
  columns: readonly Column[],
): Promise<readonly Column[]> {
  const exact: Column[] = [];
  for (const column of columns) {
    const declared = parseDeclaredType(column.declaredType);
    const family = familyOf(declared);
    const hasLabels = family === 'enum' || family === 'set';
    if (!hasLabels || !declared.labels.some((label) => label.includes('?'))) {
      exact.push(column);
      continue;
    }
    const name = quoteName(column.name);
    const rows = await textRows(
      query,
      `SELECT DISTINCT CAST(${name} + 0 AS CHAR) AS position, hex(convert(${name} USING utf8mb4)) AS label FROM ${quoteName(database)}.${quoteName(table)} WHERE ${name} <> ''`,
    );
    const found = new Map(
      rows.flatMap(({ position, label }) =>
        membersOf(family, position ?? '0', Buffer.from(label ?? '', 'hex').toString('utf8')),
      ),
    );
    const labels = declared.labels.map((label, index) => found.get(index) ?? label);
    const declaredType = `${declared.name}(${labels.map(quoteText).join(',')})`;
    exact.push({ ...column, declaredType });
  }
  return exact;
}

/** Which labels a value is made of, by their place in the declaration: an ENUM is a number, a SET a bit for each member. */
function membersOf(family: 'enum' | 'set', position: string, text: string): [number, string][] {
  if (family === 'enum') return [[Number(position) - 1, text]];
  const bits = BigInt(position);
  const places = Array.from({ length: 64 }, (_, place) => place).filter(
    (place) => (bits >> BigInt(place)) % 2n === 1n,
  );
  const members = text.split(',');
  return places.length === members.length
    ? places.map((place, index) => [place, members[index] ?? ''])
    : [];
}
