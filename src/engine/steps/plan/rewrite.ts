/** `'…'` and `E'…'`, `"…"`, a word, white space, or any other character. Source: PostgreSQL manual, "Lexical Structure". */
const TOKENS =
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\s+|[\s\S]/gu;

/** Gives the new text of a name, or null where it is to stay. */
type Replace = (name: string) => string | null;

/**
 * Replaces quoted identifiers in a type's definition. What is text or has a schema before it stays. In a composite type the
 * names of its attributes stay too: they stand behind a parenthesis or a comma.
 */
export function rewriteIdentifiers(
  definition: string,
  { replace, isComposite }: { readonly replace: Replace; readonly isComposite: boolean },
): string {
  let last = '';
  return eachToken(definition, (token) => {
    const before = last;
    if (token.trim() !== '') last = token;
    if (!token.startsWith('"') || before === '.') return token;
    if (isComposite && (before === '(' || before === ',')) return token;
    return replace(unquote(token)) ?? token;
  });
}

/** Replaces the types of casts (`::mood`, `::"Mood"[]`) and the names of sequences (`'orders_seq'::regclass`). */
export function rewriteReferences(
  expression: string,
  { type, sequence }: { readonly type: Replace; readonly sequence: Replace },
): string {
  const tokens = expression.match(TOKENS) ?? [];
  return tokens
    .map((token, index) => {
      if (tokens[index - 1] === ':' && tokens[index - 2] === ':') {
        if (tokens[index + 1] === '.') return token;
        return type(unquote(token)) ?? token;
      }
      const isRegclass = tokens.slice(index + 1, index + 4).join('') === '::regclass';
      if (!isRegclass || !token.startsWith("'")) return token;
      const named = token.slice(1, -1).replaceAll("''", "'");
      const target = sequence(unquote(named));
      return target === null ? token : `'${target.replaceAll("'", "''")}'`;
    })
    .join('');
}

function eachToken(text: string, map: (token: string) => string): string {
  return (text.match(TOKENS) ?? []).map(map).join('');
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
