import type { Token } from './sql-tokens.ts';

const SPACE = /[ \t\n\f\r]/;
const NAME_START = /[A-Za-z_\u0080-\uffff]/;
const NAME_PART = /[A-Za-z0-9_$\u0080-\uffff]/;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const OPERATORS = ['->>', '||', '<=', '>=', '<>', '!=', '==', '<<', '>>', '->'];

/** Splits SQL into tokens; comments and spaces are left out. Null where the text is no SQL: an open quote or comment. */
export function tokenize(sql: string): Token[] | null {
  const tokens: Token[] = [];
  let position = 0;
  while (position < sql.length) {
    const next = skipBlank(sql, position);
    if (next === null) return null;
    position = next;
    if (position >= sql.length) break;
    const token = readToken(sql, position);
    if (token === null) return null;
    tokens.push(token);
    position = token.end;
  }
  return tokens;
}

function skipBlank(sql: string, from: number): number | null {
  let position = from;
  for (;;) {
    while (position < sql.length && SPACE.test(sql.charAt(position))) position++;
    if (sql.startsWith('--', position)) {
      const end = sql.indexOf('\n', position);
      position = end < 0 ? sql.length : end + 1;
    } else if (sql.startsWith('/*', position)) {
      const end = sql.indexOf('*/', position + 2);
      // SQLite lets a comment run to the end of the text.
      position = end < 0 ? sql.length : end + 2;
    } else {
      return position;
    }
  }
}

function readToken(sql: string, start: number): Token | null {
  const first = sql.charAt(start);
  if (first === "'") return readQuoted(sql, start, { kind: 'string', close: "'" });
  if (first === '"' || first === '`')
    return readQuoted(sql, start, { kind: 'quotedName', close: first });
  if (first === '[') return readQuoted(sql, start, { kind: 'quotedName', close: ']' });
  if ((first === 'x' || first === 'X') && sql.charAt(start + 1) === "'") {
    const quoted = readQuoted(sql, start + 1, { kind: 'blob', close: "'" });
    return quoted === null ? null : { ...quoted, start };
  }
  if (NAME_START.test(first)) {
    let end = start + 1;
    while (end < sql.length && NAME_PART.test(sql.charAt(end))) end++;
    return { kind: 'name', text: sql.slice(start, end), start, end };
  }
  NUMBER.lastIndex = start;
  const [number] = NUMBER.exec(sql) ?? [];
  if (number !== undefined)
    return { kind: 'number', text: number, start, end: start + number.length };
  if (/[?:@$#]/.test(first)) return { kind: 'variable', text: first, start, end: start + 1 };
  const operator = OPERATORS.find((candidate) => sql.startsWith(candidate, start)) ?? first;
  return { kind: 'operator', text: operator, start, end: start + operator.length };
}

function readQuoted(
  sql: string,
  start: number,
  { kind, close }: { readonly kind: Token['kind']; readonly close: string },
): Token | null {
  let text = '';
  let position = start + 1;
  for (;;) {
    const end = sql.indexOf(close, position);
    if (end < 0) return null;
    text += sql.slice(position, end);
    // A doubled quote stands for itself, except in [brackets].
    if (close === ']' || sql.charAt(end + 1) !== close) return { kind, text, start, end: end + 1 };
    text += close;
    position = end + 2;
  }
}
