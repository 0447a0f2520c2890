import { parseDateText } from './date-text.ts';
import { quotePostgresName, quotePostgresText } from './sql-text.ts';
import type { Expression } from './expression-parser.ts';

/** What a PostgreSQL expression yields, as far as the rules here differ by it. */
export type Kind =
  'integer' | 'double' | 'numeric' | 'text' | 'boolean' | 'date' | 'bytea' | 'null' | 'other';

/** An expression of PostgreSQL; `isColumn` where its value is a column's. */
export interface Typed {
  readonly sql: string;
  readonly kind: Kind;
  readonly literal?: Extract<Expression, { kind: 'literal' }>;
}

export interface ColumnType {
  readonly target: string;
  readonly targetType: string;
  /** null or absent = the source compares it byte by byte. */
  readonly collation?: string | null;
}

export type Columns = Readonly<Record<string, ColumnType>>;

/** Thrown inside, caught by `translate`: the meaning would not surely be the same. */
class NotSure extends Error {}

/** The expression in PostgreSQL's SQL, or null where its meaning is not surely the same. */
export function emit(expression: Expression, columns: Columns): Typed | null {
  return guarded(() => new Emitter(columns).value(expression));
}

/** The same as a condition: SQLite takes any number other than 0 for true. */
export function emitCondition(expression: Expression, columns: Columns): string | null {
  return guarded(() => new Emitter(columns).condition(expression));
}

function guarded<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotSure) return null;
    throw error;
  }
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const EQUALITIES = new Set(['=', '<>']);
const NUMBERS: ReadonlySet<Kind> = new Set(['integer', 'double', 'numeric']);

export function kindOf(targetType: string): Kind {
  if (/^(smallint|integer|bigint)$/.test(targetType)) return 'integer';
  if (targetType === 'double precision') return 'double';
  if (targetType.startsWith('numeric')) return 'numeric';
  if (
    targetType === 'text' ||
    targetType === 'boolean' ||
    targetType === 'date' ||
    targetType === 'bytea'
  ) {
    return targetType;
  }
  return 'other';
}

class Emitter {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  condition(expression: Expression): string {
    const { sql, kind } = this.value(expression);
    if (kind === 'boolean' || kind === 'null') return sql;
    if (kind === 'integer' || kind === 'double') return `(${sql} <> 0)`;
    throw new NotSure();
  }

  value(expression: Expression): Typed {
    switch (expression.kind) {
      case 'literal':
        return literal(expression);
      case 'column':
        return this.#column(expression);
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
        const [low, high] = [
          this.#compare('>=', expression.operand, expression.low),
          this.#compare('<=', expression.operand, expression.high),
        ];
        return truth(`(${expression.negated ? 'NOT ' : ''}(${low} AND ${high}))`);
      }
      case 'in':
        return this.#inList(expression);
      case 'case':
        return this.#case(expression);
      case 'call':
        return this.#call(expression.name, expression.arguments);
    }
  }

  /** SQLite matches names without case. A quoted name that is no column is a text to it: not sure. */
  #column({ name }: { readonly name: string }): Typed {
    const key =
      Object.keys(this.#columns).find((candidate) => candidate === name) ??
      Object.keys(this.#columns).find(
        (candidate) => candidate.toLowerCase() === name.toLowerCase(),
      );
    const column = key === undefined ? undefined : this.#columns[key];
    if (column === undefined) throw new NotSure();
    const kind = kindOf(column.targetType);
    // Its equality is another than PostgreSQL's.
    if (kind === 'text' && (column.collation ?? null) !== null) throw new NotSure();
    const name_ = quotePostgresName(column.target);
    return { sql: column.targetType === 'smallint' ? `${name_}::bigint` : name_, kind };
  }

  #unary({ operator, operand }: Extract<Expression, { kind: 'unary' }>): Typed {
    if (operator === 'NOT') return truth(`(NOT ${this.condition(operand)})`);
    const value = this.value(operand);
    if (!NUMBERS.has(value.kind)) throw new NotSure();
    return { sql: `(- ${value.sql})`, kind: value.kind };
  }

  #binary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>): Typed {
    if (operator === 'AND' || operator === 'OR') {
      return truth(`(${this.condition(left)} ${operator} ${this.condition(right)})`);
    }
    const comparison = COMPARISONS[operator];
    if (comparison !== undefined) return truth(this.#compare(comparison, left, right));
    if (operator === '||') {
      return { sql: `(${this.#text(left)} || ${this.#text(right)})`, kind: 'text' };
    }
    return this.#arithmetic(operator, this.value(left), this.value(right));
  }

  #compare(operator: string, leftExpression: Expression, rightExpression: Expression): string {
    const [left, right] = alike(this.value(leftExpression), this.value(rightExpression));
    const isText = left.kind === 'text' || right.kind === 'text';
    // Byte by byte, as SQLite's BINARY.
    const collate = isText && !EQUALITIES.has(operator) ? ' COLLATE "C"' : '';
    return `(${left.sql} ${operator} ${right.sql}${collate})`;
  }

  #arithmetic(operator: string, left: Typed, right: Typed): Typed {
    const kinds = [left.kind, right.kind];
    if (!kinds.every((kind) => kind === 'integer' || kind === 'double')) throw new NotSure();
    // PostgreSQL reckons small constants in 32 bits.
    const [a, b] =
      left.literal !== undefined && right.literal !== undefined
        ? [`${left.sql}::bigint`, right.sql]
        : [left.sql, right.sql];
    const kind = kinds.includes('double') ? 'double' : 'integer';
    if (operator === '+' || operator === '-' || operator === '*')
      return { sql: `(${a} ${operator} ${b})`, kind };
    // Division by zero is NULL in SQLite.
    if (operator === '/') return { sql: `(${a} / nullif(${b}, 0))`, kind };
    if (operator === '%' && kind === 'integer') return { sql: `(${a} % nullif(${b}, 0))`, kind };
    throw new NotSure();
  }

  #inList({ operand, list, negated }: Extract<Expression, { kind: 'in' }>): Typed {
    if (list.length === 0) throw new NotSure();
    const value = this.value(operand);
    const items = list.map((item) => {
      const [left, right] = alike(value, this.value(item));
      if (left.sql !== value.sql) throw new NotSure();
      return right.sql;
    });
    return truth(`(${value.sql} ${negated ? 'NOT ' : ''}IN (${items.join(', ')}))`);
  }

  #case({ base, branches, otherwise }: Extract<Expression, { kind: 'case' }>): Typed {
    const results = [
      ...branches.map(({ then }) => this.value(then)),
      ...(otherwise === null ? [] : [this.value(otherwise)]),
    ];
    const kind = commonKind(results);
    const arms = branches.map(({ when }, position) => {
      const test = base === null ? this.condition(when) : this.#compare('=', base, when);
      return `WHEN ${test} THEN ${results[position]?.sql ?? 'NULL'}`;
    });
    const last = otherwise === null ? '' : ` ELSE ${results.at(-1)?.sql ?? 'NULL'}`;
    return { sql: `(CASE ${arms.join(' ')}${last} END)`, kind };
  }

  #call(name: string, parameters: readonly Expression[]): Typed {
    const [first, second, third] = parameters;
    const count = parameters.length;
    if (first === undefined) throw new NotSure();
    switch (name) {
      case 'coalesce':
      case 'ifnull': {
        if (count < 2) throw new NotSure();
        const values = parameters.map((parameter) => this.value(parameter));
        return {
          sql: `coalesce(${values.map(({ sql }) => sql).join(', ')})`,
          kind: commonKind(values),
        };
      }
      case 'nullif': {
        if (second === undefined || count !== 2) throw new NotSure();
        const [left, right] = alike(this.value(first), this.value(second));
        return { sql: `nullif(${left.sql}, ${right.sql})`, kind: left.kind };
      }
      case 'abs': {
        const value = this.value(first);
        if (count !== 1 || (value.kind !== 'integer' && value.kind !== 'double'))
          throw new NotSure();
        return { sql: `abs(${value.sql})`, kind: value.kind };
      }
      case 'length':
        if (count !== 1) throw new NotSure();
        return { sql: `length(${this.#pureText(first)})::bigint`, kind: 'integer' };
      case 'lower':
      case 'upper':
        // SQLite folds the letters of ASCII only, and so does PostgreSQL under "C".
        if (count !== 1) throw new NotSure();
        return { sql: `${name}(${this.#pureText(first)} COLLATE "C")`, kind: 'text' };
      case 'trim':
        if (count !== 1) throw new NotSure();
        return { sql: `btrim(${this.#pureText(first)}, ' ')`, kind: 'text' };
      case 'ltrim':
      case 'rtrim':
        if (count !== 1) throw new NotSure();
        return { sql: `${name}(${this.#pureText(first)}, ' ')`, kind: 'text' };
      case 'substr':
      case 'substring': {
        const numbers = [second, third].filter((number) => number !== undefined);
        if (count > 3 || second === undefined || !isPositive(second) || !numbers.every(isCount))
          throw new NotSure();
        const places = numbers.map((number) => (number.kind === 'literal' ? number.value : ''));
        return { sql: `substr(${[this.#pureText(first), ...places].join(', ')})`, kind: 'text' };
      }
      case 'instr':
        if (second === undefined || count !== 2) throw new NotSure();
        return {
          sql: `strpos(${this.#pureText(first)}, ${this.#pureText(second)})::bigint`,
          kind: 'integer',
        };
      case 'replace': {
        const isSearchGiven =
          second?.kind === 'literal' && second.type === 'text' && second.value !== '';
        if (third === undefined || count !== 3 || !isSearchGiven) throw new NotSure();
        return {
          sql: `replace(${[first, second, third].map((part) => this.#pureText(part)).join(', ')})`,
          kind: 'text',
        };
      }
      default:
        throw new NotSure();
    }
  }

  /** Text, or a whole number as its digits. */
  #text(expression: Expression): string {
    const { sql, kind } = this.value(expression);
    if (kind === 'text') return sql;
    if (kind === 'integer') return `(${sql})::text`;
    throw new NotSure();
  }

  #pureText(expression: Expression): string {
    const { sql, kind } = this.value(expression);
    if (kind !== 'text') throw new NotSure();
    return sql;
  }
}

function truth(sql: string): Typed {
  return { sql, kind: 'boolean' };
}

function literal(expression: Extract<Expression, { kind: 'literal' }>): Typed {
  const { type, value } = expression;
  switch (type) {
    case 'integer':
      return { sql: value, kind: 'integer', literal: expression };
    case 'real':
      // PostgreSQL would take it for numeric, and reckon in decimals.
      return { sql: `'${value}'::double precision`, kind: 'double', literal: expression };
    case 'text':
      if (value.includes('\0')) throw new NotSure();
      return { sql: quotePostgresText(value), kind: 'text', literal: expression };
    case 'blob':
      return { sql: `'\\x${value}'::bytea`, kind: 'bytea', literal: expression };
    case 'null':
      return { sql: 'NULL', kind: 'null', literal: expression };
    case 'boolean':
      return { sql: value, kind: 'boolean', literal: expression };
  }
}

/** The two sides of a comparison, where both sides compare as in SQLite; a literal takes the kind of the other side. */
function alike(left: Typed, right: Typed): [Typed, Typed] {
  if (left.kind === 'null' || right.kind === 'null') return [left, right];
  if (left.literal !== undefined && right.literal === undefined)
    return [literalAs(left, right.kind), right];
  if (right.literal !== undefined && left.literal === undefined)
    return [left, literalAs(right, left.kind)];
  if (left.kind === right.kind && left.kind !== 'other') return [left, right];
  // A whole number beside a double is compared exactly by SQLite, and as a double by PostgreSQL.
  throw new NotSure();
}

function literalAs(value: Typed, kind: Kind): Typed {
  const { literal: constant } = value;
  if (constant === undefined) throw new NotSure();
  if (kind === 'boolean') {
    if (constant.type === 'boolean') return value;
    if (constant.type === 'integer' && (constant.value === '0' || constant.value === '1')) {
      return truth(constant.value === '1' ? 'TRUE' : 'FALSE');
    }
    throw new NotSure();
  }
  if (NUMBERS.has(kind)) {
    if (constant.type === 'integer') return value;
    if (constant.type === 'boolean') return { sql: constant.value === 'TRUE' ? '1' : '0', kind };
    if (constant.type === 'real' && kind !== 'integer')
      return kind === 'double' ? value : { sql: constant.value, kind };
    // Whether SQLite reads text beside it as a number depends on the column's declaration.
    throw new NotSure();
  }
  if (
    kind === 'date' &&
    constant.type === 'text' &&
    parseDateText(constant.value).form === 'isoDate'
  ) {
    return { sql: `DATE ${value.sql}`, kind };
  }
  if (value.kind !== kind) throw new NotSure();
  return value;
}

function commonKind(values: readonly Typed[]): Kind {
  const kinds = new Set(values.map(({ kind }) => kind).filter((kind) => kind !== 'null'));
  const [only] = kinds;
  if (kinds.size !== 1 || only === undefined) throw new NotSure();
  return only;
}

function isCount(expression: Expression): boolean {
  return (
    expression.kind === 'literal' &&
    expression.type === 'integer' &&
    /^\d{1,9}$/.test(expression.value)
  );
}

function isPositive(expression: Expression): boolean {
  return isCount(expression) && expression.kind === 'literal' && expression.value !== '0';
}
