/** An identifier for PostgreSQL's SQL: always quoted, so that case, spaces and reserved words survive. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant for PostgreSQL's SQL, right under `standard_conforming_strings` on and off. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** `"schema"."table"`. */
export function qualifiedName(table: { readonly schema: string; readonly target: string }): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.target)}`;
}

/** `"a", "b"`. */
export function columnList(columns: readonly string[]): string {
  return columns.map(quoteIdentifier).join(', ');
}
