import { ExpressionParser, parseWith, type Expression } from './expression-parser.ts';
import { tokenize } from './sqlite-tokens.ts';

/** Parses an expression; null for anything that is not known here (LIKE, COLLATE, subqueries, JSON, bits, …). */
export function parseExpression(sql: string): Expression | null {
  const tokens = tokenize(sql);
  return tokens === null ? null : parseWith(new SqliteParser(tokens));
}

/** How strongly an operator binds (https://sqlite.org/lang_expr.html). */
const BINDING: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  '=': 4,
  '==': 4,
  '<>': 4,
  '!=': 4,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '+': 7,
  '-': 7,
  '*': 8,
  '/': 8,
  '%': 8,
  '||': 9,
};
const RESERVED =
  'SELECT CASE WHEN THEN ELSE END AND OR NOT IN IS ISNULL NOTNULL BETWEEN LIKE GLOB REGEXP MATCH ESCAPE COLLATE EXISTS RAISE CAST FROM WHERE DISTINCT'.split(
    ' ',
  );

class SqliteParser extends ExpressionParser {
  protected override readonly bindings = BINDING;
  protected override readonly reserved = RESERVED;

  protected override numberLiteral(text: string): Expression {
    return numberLiteral(text);
  }
}

/** A hexadecimal literal is a 64-bit pattern: its highest bit is the sign. */
function numberLiteral(text: string): Expression {
  if (/^0x/i.test(text)) {
    return { kind: 'literal', type: 'integer', value: String(BigInt.asIntN(64, BigInt(text))) };
  }
  const isWhole = /^\d+$/.test(text) && BigInt(text) < 2n ** 63n;
  return { kind: 'literal', type: isWhole ? 'integer' : 'real', value: text };
}
