import { isOperator, isWord, type Token } from './sql-tokens.ts';

/** The part of the sources' expressions that has a meaning in PostgreSQL too. A `real` is a number with a point or an exponent. */
export type Expression =
  | {
      readonly kind: 'literal';
      readonly type: 'integer' | 'real' | 'text' | 'blob' | 'null' | 'boolean';
      readonly value: string;
    }
  | { readonly kind: 'column'; readonly name: string; readonly quoted: boolean }
  | { readonly kind: 'now'; readonly what: 'CURRENT_TIMESTAMP' | 'CURRENT_DATE' | 'CURRENT_TIME' }
  | { readonly kind: 'unary'; readonly operator: '-' | 'NOT'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'isNull'; readonly operand: Expression; readonly negated: boolean }
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'case';
      readonly base: Expression | null;
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | null;
    }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

export class Unsupported extends Error {}

/** What the parser makes of all its tokens; null for anything that it does not know. */
export function parseWith(parser: ExpressionParser): Expression | null {
  try {
    return parser.parseAll();
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

const NOT_BINDING = 3;
export const EQUALITY_BINDING = 4;
export const SIGN_BINDING = 9;

const NOW_WORDS = ['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME'] as const;
/** Deep nesting is a stack overflow to come; SQLite's own limit is 1000. */
const MAX_DEPTH = 200;

/**
 * Reads an expression by the strength of its operators (a Pratt parser). Each source's own parser says what its operators,
 * numbers and names are; what it does not know is refused.
 */
export abstract class ExpressionParser {
  /** How strongly each operator binds: equality 4, comparisons up to 5, signs 9. */
  protected abstract readonly bindings: Readonly<Record<string, number>>;
  /** Words that no name can be, and that would otherwise be taken for one. */
  protected abstract readonly reserved: readonly string[];
  protected readonly tokens: readonly Token[];
  protected position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  protected abstract numberLiteral(text: string): Expression;

  parseAll(): Expression {
    const expression = this.parse(0);
    if (this.position < this.tokens.length) throw new Unsupported();
    return expression;
  }

  protected parse(minimum: number): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Unsupported();
    let left = this.parsePrefix();
    for (;;) {
      const next = this.parseInfix(left, minimum);
      if (next === null) break;
      left = next;
    }
    this.#depth--;
    return left;
  }

  protected parsePrefix(): Expression {
    if (this.takeWord('NOT')) {
      return { kind: 'unary', operator: 'NOT', operand: this.parse(NOT_BINDING) };
    }
    if (this.takeOperator('-')) {
      return { kind: 'unary', operator: '-', operand: this.parse(SIGN_BINDING) };
    }
    if (this.takeOperator('+')) return this.parse(SIGN_BINDING);
    if (this.takeOperator('(')) {
      const inner = this.parse(0);
      this.expectOperator(')');
      return inner;
    }
    return this.parseOperand();
  }

  /** The next operator and what stands right of it, or null where what follows binds no stronger than `minimum`. */
  protected parseInfix(left: Expression, minimum: number): Expression | null {
    const token = this.tokens[this.position];
    if (token === undefined) return null;
    if (isWord(token, 'ISNULL', 'NOTNULL', 'IS', 'IN', 'NOT', 'BETWEEN')) {
      return minimum >= EQUALITY_BINDING ? null : this.parseWordInfix(left);
    }
    const operator = token.kind === 'name' ? token.text.toUpperCase() : token.text;
    const binding =
      token.kind === 'operator' || isWord(token, 'AND', 'OR') ? this.bindings[operator] : undefined;
    if (binding === undefined || binding <= minimum) return null;
    this.position++;
    return { kind: 'binary', operator, left, right: this.parse(binding) };
  }

  protected parseWordInfix(left: Expression): Expression {
    if (this.takeWord('ISNULL')) return { kind: 'isNull', operand: left, negated: false };
    if (this.takeWord('NOTNULL')) return { kind: 'isNull', operand: left, negated: true };
    if (this.takeWord('IS')) {
      const negated = this.takeWord('NOT');
      this.expectWord('NULL');
      return { kind: 'isNull', operand: left, negated };
    }
    const negated = this.takeWord('NOT');
    if (negated && this.takeWord('NULL')) return { kind: 'isNull', operand: left, negated: true };
    if (this.takeWord('BETWEEN')) {
      const low = this.parse(EQUALITY_BINDING);
      this.expectWord('AND');
      return { kind: 'between', operand: left, low, high: this.parse(EQUALITY_BINDING), negated };
    }
    this.expectWord('IN');
    this.expectOperator('(');
    return { kind: 'in', operand: left, list: this.parseList(), negated };
  }

  protected parseOperand(): Expression {
    const token = this.tokens[this.position++];
    if (token === undefined) throw new Unsupported();
    switch (token.kind) {
      case 'number':
        return this.numberLiteral(token.text);
      case 'string':
        return { kind: 'literal', type: 'text', value: token.text };
      case 'blob':
        return { kind: 'literal', type: 'blob', value: token.text };
      case 'quotedName':
        return { kind: 'column', name: token.text, quoted: true };
      case 'name':
        return this.parseName(token);
      case 'operator':
      case 'variable':
        throw new Unsupported();
    }
  }

  protected parseName(token: Token): Expression {
    if (isWord(token, 'CASE')) return this.parseCase();
    if (isWord(token, 'NULL')) return { kind: 'literal', type: 'null', value: '' };
    if (isWord(token, 'TRUE', 'FALSE')) {
      return { kind: 'literal', type: 'boolean', value: token.text.toUpperCase() };
    }
    const now = NOW_WORDS.find((word) => isWord(token, word));
    if (now !== undefined) return { kind: 'now', what: now };
    if (isWord(token, ...this.reserved)) throw new Unsupported();
    if (this.takeOperator('(')) {
      return { kind: 'call', name: token.text.toLowerCase(), arguments: this.parseList() };
    }
    return { kind: 'column', name: token.text, quoted: false };
  }

  protected parseCase(): Expression {
    const base = isWord(this.tokens[this.position], 'WHEN') ? null : this.parse(0);
    const branches: { when: Expression; then: Expression }[] = [];
    while (this.takeWord('WHEN')) {
      const when = this.parse(0);
      this.expectWord('THEN');
      branches.push({ when, then: this.parse(0) });
    }
    const otherwise = this.takeWord('ELSE') ? this.parse(0) : null;
    this.expectWord('END');
    if (branches.length === 0) throw new Unsupported();
    return { kind: 'case', base, branches, otherwise };
  }

  /** After the opening parenthesis. */
  protected parseList(): Expression[] {
    if (this.takeOperator(')')) return [];
    const items = [this.parse(0)];
    while (this.takeOperator(',')) items.push(this.parse(0));
    this.expectOperator(')');
    return items;
  }

  protected takeWord(word: string): boolean {
    const found = isWord(this.tokens[this.position], word);
    if (found) this.position++;
    return found;
  }

  protected takeOperator(operator: string): boolean {
    const found = isOperator(this.tokens[this.position], operator);
    if (found) this.position++;
    return found;
  }

  protected expectWord(word: string): void {
    if (!this.takeWord(word)) throw new Unsupported();
  }

  protected expectOperator(operator: string): void {
    if (!this.takeOperator(operator)) throw new Unsupported();
  }
}
