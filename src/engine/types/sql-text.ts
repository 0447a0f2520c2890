/** An identifier for PostgreSQL's SQL. */
export function quotePostgresName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant for PostgreSQL's SQL, right under `standard_conforming_strings` on and off. */
export function quotePostgresText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
