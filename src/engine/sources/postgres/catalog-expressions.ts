import {
  isQuotedName,
  isText,
  nameOf,
  partsOfName,
  textOf,
  tokenBefore,
  tokensOf,
} from '../../types/postgres-tokens.ts';
import { quotePostgresName, quotePostgresText } from '../../types/sql-text.ts';

/** `schema` and `name` as one key. */
export function objectKey(schema: string, name: string): string {
  return `${quotePostgresName(schema)}.${quotePostgresName(name)}`;
}

/** What of the source is moved too: `objectKey` → name in the catalog. */
export interface MovedObjects {
  readonly types: ReadonlyMap<string, string>;
  readonly sequences: ReadonlyMap<string, string>;
}

/**
 * Expressions as the catalog has them. The server has written them with all identifiers quoted, so that a column is never taken
 * for a word of SQL; here functions and types of its own lose their quotes again, and types and sequences that are moved too
 * lose their schema, which will be another one.
 */
export class ExpressionWriter {
  readonly #keywords: ReadonlySet<string>;
  readonly #moved: MovedObjects;

  constructor(keywords: readonly string[], moved: MovedObjects) {
    this.#keywords = new Set(keywords);
    this.#moved = moved;
  }

  write(sql: string): string {
    const tokens = tokensOf(sql);
    const written: string[] = [];
    for (let index = 0; index < tokens.length; index += 1) {
      const token = tokens[index] ?? '';
      const before = tokenBefore(tokens, index);
      const after = tokens[index + 1];
      if (isText(token) && after === '::' && nameOf(tokens[index + 2] ?? '') === 'regclass') {
        written.push(this.#sequence(token));
        continue;
      }
      if (isQuotedName(token) && before === '::' && after === '.') {
        const moved = this.#moved.types.get(
          objectKey(nameOf(token), nameOf(tokens[index + 2] ?? '')),
        );
        if (moved !== undefined) {
          written.push(quotePostgresName(moved));
          index += 2;
          continue;
        }
      }
      const isOwn = before !== '.' && after !== '.' && (after === '(' || before === '::');
      written.push(isQuotedName(token) && isOwn ? this.#unquoted(token) : token);
    }
    return written.join('');
  }

  /** Every server reads it the same without its quotes. */
  #unquoted(token: string): string {
    const name = nameOf(token);
    return /^[a-z_][a-z0-9_]*$/.test(name) && !this.#keywords.has(name) ? name : token;
  }

  #sequence(token: string): string {
    const [schema, name, ...others] = partsOfName(textOf(token) ?? '') ?? [];
    if (schema === undefined || name === undefined || others.length > 0) return token;
    const moved = this.#moved.sequences.get(objectKey(schema, name));
    return moved === undefined ? token : quotePostgresText(quotePostgresName(moved));
  }
}
