/** Pieces of PostgreSQL's SQL: `'…'` and `E'…'`, `"…"`, a word, a number, white space, `::`, or any other character. */
const TOKENS =
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\d[\d.]*(?:[eE][+-]?\d+)?|\s+|::|[\s\S]/gu;

export function tokensOf(sql: string): readonly string[] {
  return sql.match(TOKENS) ?? [];
}

export function isQuotedName(token: string | undefined): boolean {
  return token?.startsWith('"') === true;
}

export function isText(token: string | undefined): boolean {
  return token?.endsWith("'") === true && token.length > 1;
}

/** The name behind a quoted or plain identifier. */
export function nameOf(token: string): string {
  return isQuotedName(token) ? token.slice(1, -1).replaceAll('""', '"') : token;
}

/** The characters of a string constant; null where it has escapes. */
export function textOf(token: string): string | null {
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : null;
}

/** `schema.name`, `"schema"."name"` or `name`, as its parts; null where the text is no such name. */
export function partsOfName(text: string): readonly string[] | null {
  const pattern = /^(?:"(?:[^"]|"")*"|[^".\s()]+)(?:\.(?:"(?:[^"]|"")*"|[^".\s()]+))*$/u;
  if (!pattern.test(text)) return null;
  return (text.match(/"(?:[^"]|"")*"|[^".]+/gu) ?? []).map(nameOf);
}

/** The last token before `index` that is no white space. */
export function tokenBefore(tokens: readonly string[], index: number): string | undefined {
  for (let at = index - 1; at >= 0; at -= 1) {
    if (tokens[at]?.trim() !== '') return tokens[at];
  }
  return undefined;
}
