import type { Product } from './catalog-product.ts';

const NUMERIC_TYPE =
  /^(?:tinyint|smallint|mediumint|int|integer|bigint|decimal|numeric|float|double|real|year)\b/i;
const MOMENT_TYPE = /^(?:timestamp|datetime)\b/i;
const BINARY_TYPE = /^(?:var)?binary\b/i;

/**
 * A column's default in one form for all servers: an SQL expression, null = none. MariaDB from 10.2.7 on prints expressions,
 * and NULL where there is no default; MySQL prints the bare value, or an expression and says so in EXTRA.
 */
export function defaultExpression({
  text,
  type,
  extra,
  product,
}: {
  readonly text: string | null;
  readonly type: string;
  readonly extra: string;
  readonly product: Product;
}): string | null {
  if (text === null) return null;
  if (product.name === 'MariaDB' && product.isAtLeast(10, 2, 7)) {
    return text.toUpperCase() === 'NULL' ? null : text;
  }

  if (/\bDEFAULT_GENERATED\b/i.test(extra)) return unescapeExpression(text);
  if (MOMENT_TYPE.test(type) && /^current_timestamp(?:\(\d*\))?$/i.test(text)) return text;
  if (/^bit\b/i.test(type) && /^b'[01]*'$/i.test(text)) return text;
  if (NUMERIC_TYPE.test(type)) return text;
  const isHex = BINARY_TYPE.test(type) && product.isAtLeast(8) && /^0x[0-9a-f]*$/i.test(text);
  return isHex ? `x'${text.slice(2)}'` : quoteText(text);
}

/** A string literal of MySQL, for any `sql_mode` but NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  Z: '\x1a',
};

/**
 * MySQL escapes the whole of an expression in information_schema as if it went into a string: `_utf8mb4\'x\'`. Where the first
 * quote has a backslash before it, which no valid expression has, that is undone.
 */
export function unescapeExpression<Text extends string | null | undefined>(text: Text): Text {
  if (typeof text !== 'string' || !/^[^']*\\'/.test(text)) return text;
  return text.replaceAll(/\\([^])/g, (_, character: string) => {
    return ESCAPED[character] ?? character;
  }) as Text;
}
