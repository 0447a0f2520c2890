import type { Token } from './sql-tokens.ts';

const SPACE = /\s/;
const NAME_START = /[A-Za-z_\u0080-\uffff]/;
const NAME_PART = /[A-Za-z0-9_$\u0080-\uffff]/;
const NUMBER = /0x[0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const OPERATORS = ['->>', '<=>', '||', '&&', '<=', '>=', '<>', '!=', '<<', '>>', '->', ':='];
/** Character sets whose text stands in the statement as what it says. */
const INTRODUCER = /^_(?:utf8|utf8mb3|utf8mb4)$/i;

/**
 * Splits the SQL of MySQL or MariaDB into tokens, as the servers print it without ANSI_QUOTES: quotes of both kinds make text,
 * in which a backslash escapes. Null where the text cannot be read for sure.
 */
export function tokenize(sql: string): Token[] | null {
  const tokens: Token[] = [];
  let position = 0;
  while (position < sql.length) {
    if (SPACE.test(sql.charAt(position))) {
      position++;
      continue;
    }
    const token = readToken(sql, position);
    if (token === null) return null;
    position = token.end;
    const previous = tokens.at(-1);
    if (token.kind === 'string' && previous?.kind === 'name') {
      // What follows an introducer is text of that character set; other words do not stand before text.
      if (!INTRODUCER.test(previous.text) && previous.text.startsWith('_')) return null;
      if (INTRODUCER.test(previous.text)) tokens.pop();
    }
    // Text after text is one text to the server.
    if (token.kind === 'string' && tokens.at(-1)?.kind === 'string') return null;
    tokens.push(token);
  }
  return tokens;
}

function readToken(sql: string, start: number): Token | null {
  const first = sql.charAt(start);
  if (first === "'" || first === '"') return readString(sql, start, first);
  if (first === '`') return readName(sql, start);
  const bytes = /^([xXbB])'([0-9A-Fa-f]*)'/.exec(sql.slice(start, start + 200));
  if (bytes !== null) return readBytes(bytes, start);
  if (NAME_START.test(first)) {
    let end = start + 1;
    while (end < sql.length && NAME_PART.test(sql.charAt(end))) end++;
    return { kind: 'name', text: sql.slice(start, end), start, end };
  }
  NUMBER.lastIndex = start;
  const [number] = NUMBER.exec(sql) ?? [];
  if (number !== undefined) {
    const end = start + number.length;
    // A name may begin with a digit.
    if (NAME_PART.test(sql.charAt(end))) return null;
    if (number.startsWith('0x')) return hexToken(number.slice(2), start, end);
    return { kind: 'number', text: number, start, end };
  }
  const isComment = /^(?:#|--|\/\*)/.test(sql.slice(start, start + 2));
  // Two minus signs before a number are no comment to the server. No expression that it prints has either.
  if (isComment || /[@?:$]/.test(first)) return null;
  const operator = OPERATORS.find((candidate) => sql.startsWith(candidate, start)) ?? first;
  return { kind: 'operator', text: operator, start, end: start + operator.length };
}

/** Bits and hexadecimal digits alike come as the hexadecimal digits of whole bytes. */
function readBytes(match: RegExpExecArray, start: number): Token | null {
  const [whole, letter = '', digits = ''] = match;
  const end = start + whole.length;
  if (letter.toLowerCase() === 'x')
    return digits.length % 2 === 0 ? hexToken(digits, start, end) : null;
  if (/[^01]/.test(digits)) return null;
  // Kept as they are: how many there are is part of what they say.
  return { kind: 'blob', text: `b${digits}`, start, end };
}

function hexToken(digits: string, start: number, end: number): Token {
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return { kind: 'blob', text: even.toLowerCase(), start, end };
}

function readName(sql: string, start: number): Token | null {
  let text = '';
  let position = start + 1;
  for (;;) {
    const end = sql.indexOf('`', position);
    if (end < 0) return null;
    text += sql.slice(position, end);
    if (sql.charAt(end + 1) !== '`') return { kind: 'quotedName', text, start, end: end + 1 };
    text += '`';
    position = end + 2;
  }
}

/** The manual, "String Literals". `\%` and `\_` keep their backslash. */
const ESCAPED: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  '%': '\\%',
  _: '\\_',
};

function readString(sql: string, start: number, quote: string): Token | null {
  let text = '';
  let position = start + 1;
  while (position < sql.length) {
    const character = sql.charAt(position);
    const next = sql.charAt(position + 1);
    if (character === '\\') {
      text += ESCAPED[next] ?? next;
      position += 2;
    } else if (character !== quote) {
      text += character;
      position++;
    } else if (next === quote) {
      text += quote;
      position += 2;
    } else {
      return { kind: 'string', text, start, end: position + 1 };
    }
  }
  return null;
}
