/**
 * Runs one statement and answers its rows by column name. Text may come as a string or as the UTF-8 bytes of it, numbers as
 * either; the session's `sql_mode` must be without ANSI_QUOTES and NO_BACKSLASH_ESCAPES, which change how expressions print.
 */
export type CatalogQuery = (
  sql: string,
  parameters: readonly string[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** A row with all its values as text. */
export type TextRow = Readonly<Record<string, string | null>>;

export async function textRows(
  query: CatalogQuery,
  sql: string,
  parameters: readonly string[] = [],
): Promise<TextRow[]> {
  const rows = await query(sql, parameters);
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)])),
  );
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  // What is left are numbers.
  return typeof value === 'string' ? value : (value as number | bigint).toString();
}

/** null where there is nothing but an empty text. */
export function presentText(text: string | null | undefined): string | null {
  return text === '' || text === undefined ? null : text;
}

/** The rows of each table, by its exact name: the server's own comparison takes `Über` and `uber` for one. */
export function groupByTable(rows: readonly TextRow[]): ReadonlyMap<string, TextRow[]> {
  return Map.groupBy(rows, (row) => row.table_name ?? '');
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** By code unit: the machine's language must not change a catalog. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
