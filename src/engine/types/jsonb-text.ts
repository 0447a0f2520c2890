import { numericText, OUT_OF_RANGE } from './numeric-text.ts';

/** Why a JSON text is no `jsonb`. */
export type JsonbProblem = 'syntax' | 'nul' | 'duplicateKey' | 'number' | 'tooDeep' | 'surrogate';

export type JsonbText = { readonly text: string } | { readonly problem: JsonbProblem };

/** PostgreSQL's stack takes some thousands of levels; no JSON of MySQL has more than a hundred. */
const MAX_DEPTH = 1000;

class Unfit extends Error {
  readonly problem: JsonbProblem;

  constructor(problem: JsonbProblem) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * A JSON text as PostgreSQL prints it from a `jsonb`: keys by length in bytes, then byte by byte; a space after `:` and `,`;
 * numerals as `numeric` prints them, every digit kept. Two equal keys in an object are a problem, because `jsonb` would keep
 * only the last. Rules: `jsonb_util.c`, `escape_json`.
 */
export function jsonbText(json: string): JsonbText {
  try {
    const reader = new Reader(json);
    const text = reader.readDocument();
    return { text };
  } catch (error) {
    if (error instanceof Unfit) return { problem: error.problem };
    throw error;
  }
}

interface Entry {
  readonly key: string;
  /** UTF-8. */
  readonly bytes: Buffer;
  readonly value: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN_NUMBER = /^(?:0|-?[1-9]\d*)$/;
/** Inside a string, up to what needs a look: quote, backslash, control character. */
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const LITERALS = ['true', 'false', 'null'] as const;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): string {
    const value = this.#readValue(0);
    this.#skipBlank();
    if (this.#position !== this.#text.length) throw new Unfit('syntax');
    return value;
  }

  #readValue(depth: number): string {
    if (depth > MAX_DEPTH) throw new Unfit('tooDeep');
    this.#skipBlank();
    const first = this.#text[this.#position];
    if (first === '{') return this.#readObject(depth);
    if (first === '[') return this.#readArray(depth);
    if (first === '"') return escapeText(this.#readString());
    for (const literal of LITERALS) {
      if (!this.#text.startsWith(literal, this.#position)) continue;
      this.#position += literal.length;
      return literal;
    }
    return this.#readNumber();
  }

  #readObject(depth: number): string {
    const entries: Entry[] = [];
    this.#position++;
    this.#skipBlank();
    if (this.#takes('}')) return '{}';
    do {
      this.#skipBlank();
      const key = this.#readString();
      this.#skipBlank();
      if (!this.#takes(':')) throw new Unfit('syntax');
      entries.push({ key, bytes: Buffer.from(key, 'utf8'), value: this.#readValue(depth + 1) });
      this.#skipBlank();
    } while (this.#takes(','));
    if (!this.#takes('}')) throw new Unfit('syntax');
    entries.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
    const parts = entries.map(({ key, value }, index) => {
      if (index > 0 && entries[index - 1]?.key === key) throw new Unfit('duplicateKey');
      return `${escapeText(key)}: ${value}`;
    });
    return `{${parts.join(', ')}}`;
  }

  #readArray(depth: number): string {
    const values: string[] = [];
    this.#position++;
    this.#skipBlank();
    if (this.#takes(']')) return '[]';
    do {
      values.push(this.#readValue(depth + 1));
      this.#skipBlank();
    } while (this.#takes(','));
    if (!this.#takes(']')) throw new Unfit('syntax');
    return `[${values.join(', ')}]`;
  }

  #readNumber(): string {
    NUMBER.lastIndex = this.#position;
    const [text] = NUMBER.exec(this.#text) ?? [];
    if (text === undefined) throw new Unfit('syntax');
    this.#position += text.length;
    if (PLAIN_NUMBER.test(text) && text.length < 1000) return text;
    const rendered = numericText(text, null);
    if (rendered === null || rendered === OUT_OF_RANGE) throw new Unfit('number');
    return rendered;
  }

  #readString(): string {
    if (!this.#takes('"')) throw new Unfit('syntax');
    let value = '';
    for (;;) {
      PLAIN_TEXT.lastIndex = this.#position;
      const [plain = ''] = PLAIN_TEXT.exec(this.#text) ?? [];
      value += plain;
      this.#position += plain.length;
      if (this.#takes('"')) break;
      if (!this.#takes('\\')) throw new Unfit('syntax');
      value += this.#readEscape();
    }
    if (!value.isWellFormed()) throw new Unfit('surrogate');
    return value;
  }

  #readEscape(): string {
    const letter = this.#text[this.#position++] ?? '';
    if (letter !== 'u') {
      const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
      if (character === undefined) throw new Unfit('syntax');
      return character;
    }
    const hex = this.#text.slice(this.#position, this.#position + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw new Unfit('syntax');
    this.#position += 4;
    if (hex === '0000') throw new Unfit('nul');
    return String.fromCharCode(parseInt(hex, 16));
  }

  #skipBlank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#position++;
    }
  }

  #takes(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }
}

const ESCAPED = /["\\\u0000-\u001f]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapeText(text: string): string {
  const escaped = text.replace(
    ESCAPED,
    (found) => SHORT_ESCAPES[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
