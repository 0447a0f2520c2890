import {
  EQUALITY_BINDING,
  ExpressionParser,
  parseWith,
  Unsupported,
  type Expression,
} from './expression-parser.ts';
import { tokenize } from './mysql-expression-tokens.ts';
import { isOperator, isWord, type Token } from './sql-tokens.ts';

/**
 * Parses an expression of MySQL or MariaDB; null for anything that is not known here (LIKE, COLLATE, subqueries, bits, …).
 * `CAST(a AS type)` is a call of `cast` with the type as a text, CURRENT_TIMESTAMP and its like are calls without arguments.
 * Text in `b'…'` is a blob of the digits after the letter `b`.
 */
export function parseExpression(sql: string): Expression | null {
  const tokens = tokenize(sql);
  return tokens === null ? null : parseWith(new MysqlParser(tokens));
}

/** The manual, "Operator Precedence". `||` is OR or CONCAT by a setting: not known. */
const BINDING: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  '=': 4,
  '<=>': 4,
  '<>': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 7,
  '-': 7,
  '*': 8,
  '/': 8,
  '%': 8,
  DIV: 8,
  MOD: 8,
};

const RESERVED =
  'SELECT CASE WHEN THEN ELSE END AND OR XOR NOT IN IS BETWEEN LIKE RLIKE REGEXP SOUNDS ESCAPE COLLATE BINARY EXISTS INTERVAL MATCH DIV MOD FROM WHERE DISTINCT CAST CONVERT USING ROW NEXT PREVIOUS'.split(
    ' ',
  );
const NOW_WORDS =
  'CURRENT_TIMESTAMP LOCALTIMESTAMP LOCALTIME CURRENT_DATE CURRENT_TIME UTC_TIMESTAMP UTC_DATE UTC_TIME'.split(
    ' ',
  );

class MysqlParser extends ExpressionParser {
  protected override readonly bindings = BINDING;
  protected override readonly reserved = RESERVED;
  /** Comparisons without parentheses: IN after one belongs to its right side, IS NULL to the whole. That is refused. */
  readonly #bare = new Set<Expression>();

  protected override numberLiteral(text: string): Expression {
    return { kind: 'literal', type: /^\d+$/.test(text) ? 'integer' : 'real', value: text };
  }

  protected override parsePrefix(): Expression {
    if (this.takeOperator('!')) {
      return { kind: 'unary', operator: 'NOT', operand: this.parsePrefix() };
    }
    const isOpening = isOperator(this.tokens[this.position], '(');
    const inner = super.parsePrefix();
    if (isOpening) this.#bare.delete(inner);
    return inner;
  }

  protected override parseInfix(left: Expression, minimum: number): Expression | null {
    const token = this.tokens[this.position];
    if (isWord(token, 'DIV', 'MOD')) return this.#parseWordOperator(left, minimum, token);
    const isWordInfix = isWord(token, 'IS', 'IN', 'NOT', 'BETWEEN');
    if (isWordInfix && this.#bare.has(left)) throw new Unsupported();
    const whole = super.parseInfix(left, minimum);
    const isComparison =
      token?.kind === 'operator' && this.bindings[token.text] === EQUALITY_BINDING;
    if (isComparison && whole !== null) this.#bare.add(whole);
    return whole;
  }

  #parseWordOperator(
    left: Expression,
    minimum: number,
    token: Token | undefined,
  ): Expression | null {
    const operator = token?.text.toUpperCase() ?? '';
    const binding = BINDING[operator] ?? 0;
    if (binding <= minimum) return null;
    this.position++;
    return { kind: 'binary', operator, left, right: this.parse(binding) };
  }

  protected override parseName(token: Token): Expression {
    const now = NOW_WORDS.find((word) => isWord(token, word));
    if (now !== undefined) {
      const hasList = this.takeOperator('(');
      return { kind: 'call', name: now.toLowerCase(), arguments: hasList ? this.parseList() : [] };
    }
    if (isWord(token, 'CAST') && this.takeOperator('(')) return this.#parseCast();
    // A function's name; as an operator the word stands elsewhere.
    if (isWord(token, 'MOD') && this.takeOperator('(')) {
      return { kind: 'call', name: 'mod', arguments: this.parseList() };
    }
    return super.parseName(token);
  }

  /** After the opening parenthesis. */
  #parseCast(): Expression {
    const operand = this.parse(0);
    this.expectWord('AS');
    const words: string[] = [];
    let depth = 0;
    for (;;) {
      const token = this.tokens[this.position++];
      if (token === undefined || token.kind === 'string') throw new Unsupported();
      if (isOperator(token, '(')) depth++;
      if (isOperator(token, ')') && depth-- === 0) break;
      words.push(token.text.toLowerCase());
    }
    const type = words.join(' ').replaceAll(/ ?([(),]) ?/g, '$1');
    return {
      kind: 'call',
      name: 'cast',
      arguments: [operand, { kind: 'literal', type: 'text', value: type }],
    };
  }
}
