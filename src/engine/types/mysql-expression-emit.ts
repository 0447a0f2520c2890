import type { Expression } from './expression-parser.ts';
import { arithmetic, digitsOf, type Range } from './mysql-expression-arithmetic.ts';
import { emitCall, type ExpressionEmitter } from './mysql-expression-calls.ts';
import { commonRule, compare } from './mysql-expression-compare.ts';
import {
  asDouble,
  asNumber,
  columnValue,
  commonCharset,
  findColumn,
  INT64,
  literalValue,
  notConstant,
  NotSure,
  truth,
  type Columns,
  type Kind,
  type Typed,
} from './mysql-expression-values.ts';

/** The expression in PostgreSQL's SQL, or null where its meaning is not surely the same. */
export function emit(expression: Expression, columns: Columns): Typed | null {
  return sureOrNull(() => new Emitter(columns).value(expression));
}

/** The same as a condition: any number other than 0 is true. */
export function emitCondition(expression: Expression, columns: Columns): string | null {
  return sureOrNull(() => new Emitter(columns).condition(expression));
}

export function sureOrNull<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotSure) return null;
    throw error;
  }
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '<=>': 'IS NOT DISTINCT FROM',
};

class Emitter implements ExpressionEmitter {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  condition(expression: Expression): string {
    const value = this.value(expression);
    if (value.kind === 'boolean' || value.kind === 'null') return value.sql;
    return `(${asNumber(value).sql} <> 0)`;
  }

  value(expression: Expression): Typed {
    switch (expression.kind) {
      case 'literal':
        return literalValue(expression);
      case 'column':
        return columnValue(findColumn(this.#columns, expression.name));
      case 'now':
        throw new NotSure();
      case 'unary':
        return this.#unary(expression);
      case 'binary':
        return this.#binary(expression);
      case 'isNull':
        return truth(
          `(${this.value(expression.operand).sql} IS ${expression.negated ? 'NOT ' : ''}NULL)`,
        );
      case 'between': {
        const operand = this.value(expression.operand);
        const low = compare('>=', operand, this.value(expression.low));
        const high = compare('<=', operand, this.value(expression.high));
        return truth(`(${expression.negated ? 'NOT ' : ''}(${low} AND ${high}))`);
      }
      case 'in': {
        const operand = this.value(expression.operand);
        const tests = expression.list.map((item) => compare('=', operand, this.value(item)));
        if (tests.length === 0) throw new NotSure();
        return truth(`(${expression.negated ? 'NOT ' : ''}(${tests.join(' OR ')}))`);
      }
      case 'case':
        return this.#case(expression);
      case 'call':
        return emitCall(this, expression.name, expression.arguments);
    }
  }

  choice(values: readonly Typed[], wrap: (sql: readonly string[]) => string): Typed {
    const kind = commonKind(values);
    const same =
      kind === 'numeric' || kind === 'integer' || kind === 'double'
        ? values.map((value) => (value.kind === 'null' ? value : asKind(value, kind)))
        : values;
    const sql = wrap(same.map((value) => notConstant(value).sql));
    const known = same.filter((value) => value.kind !== 'null');
    const rule = commonRule(known);
    return {
      sql,
      kind,
      ...(kind === 'integer' ? { range: union(known) } : {}),
      ...(kind === 'numeric' ? { digits: widest(known) } : {}),
      printsOtherwise: known.some(({ printsOtherwise }) => printsOtherwise === true),
      unsigned: known.every(({ unsigned }) => unsigned === true),
      ...(rule === undefined ? {} : { rule }),
      ...(kind === 'text' ? { charset: commonCharset(known) } : {}),
    };
  }

  #unary({ operator, operand }: Extract<Expression, { kind: 'unary' }>): Typed {
    if (operator === 'NOT') return truth(`(NOT ${this.condition(operand)})`);
    const number = asNumber(this.value(operand));
    if (number.unsigned) throw new NotSure();
    const sql = `(- ${number.sql})`;
    if (number.kind !== 'integer')
      return { sql, kind: number.kind, ...(number.digits ? { digits: number.digits } : {}) };
    const [low, high] = number.range ?? INT64;
    return {
      sql: `${sql}${number.literal ? '::bigint' : ''}`,
      kind: 'integer',
      range: [-high, -low],
    };
  }

  #binary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>): Typed {
    if (operator === 'AND' || operator === 'OR') {
      return truth(`(${this.condition(left)} ${operator} ${this.condition(right)})`);
    }
    const [a, b] = [this.value(left), this.value(right)];
    const comparison = COMPARISONS[operator];
    if (comparison !== undefined) return truth(compare(comparison, a, b));
    return arithmetic(operator, asNumber(a), asNumber(b));
  }

  #case({ base, branches, otherwise }: Extract<Expression, { kind: 'case' }>): Typed {
    const tested = base === null ? null : this.value(base);
    const tests = branches.map(({ when }) =>
      tested === null ? this.condition(when) : compare('=', tested, this.value(when)),
    );
    const results = branches.map(({ then }) => this.value(then));
    const last = otherwise === null ? [] : [this.value(otherwise)];
    return this.choice([...results, ...last], (sql) => {
      const arms = tests.map((test, index) => `WHEN ${test} THEN ${sql[index] ?? ''}`);
      const end = otherwise === null ? '' : ` ELSE ${sql.at(-1) ?? ''}`;
      return `(CASE ${arms.join(' ')}${end} END)`;
    });
  }
}

function union(values: readonly Typed[]): Range {
  const ranges = values.map(({ range }) => range ?? INT64);
  const [first = INT64] = ranges;
  return ranges.reduce<Range>(
    ([low, high], [a, b]) => [a < low ? a : low, b > high ? b : high],
    first,
  );
}

function widest(values: readonly Typed[]): readonly [number, number] {
  const digits = values.map(digitsOf);
  const scale = Math.max(...digits.map(([, fraction]) => fraction));
  return [Math.max(...digits.map(([all, fraction]) => all - fraction)) + scale, scale];
}

function commonKind(values: readonly Typed[]): Kind {
  const kinds = new Set(values.map(({ kind }) => kind).filter((kind) => kind !== 'null'));
  const [only] = kinds;
  if (only === undefined || only === 'other' || only === 'enum') throw new NotSure();
  if (kinds.size === 1) return only;
  const isNumber = [...kinds].every((kind) =>
    ['integer', 'numeric', 'double', 'boolean'].includes(kind),
  );
  if (!isNumber) throw new NotSure();
  if (kinds.has('double')) return 'double';
  return kinds.has('numeric') ? 'numeric' : 'integer';
}

function asKind(value: Typed, kind: Kind): Typed {
  return kind === 'double' ? asDouble(value) : asNumber(value);
}
