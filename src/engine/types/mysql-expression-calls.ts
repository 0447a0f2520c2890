import type { Expression } from './expression-parser.ts';
import { arithmetic } from './mysql-expression-arithmetic.ts';
import { commonRule, compare } from './mysql-expression-compare.ts';
import {
  asNumber,
  asText,
  commonCharset,
  INT64,
  notConstant,
  NotSure,
  truth,
  type TextRule,
  type Typed,
} from './mysql-expression-values.ts';
import { quotePostgresText } from './sql-text.ts';

/** What calls need to make their parameters. */
export interface ExpressionEmitter {
  value(expression: Expression): Typed;
  condition(expression: Expression): string;
  /** One of several values, of which the types have to agree. `wrap` makes the expression of their SQL. */
  choice(values: readonly Typed[], wrap: (sql: readonly string[]) => string): Typed;
}

type Call = (parameters: readonly Typed[], emitter: ExpressionEmitter) => Typed;

/** A function of the source in PostgreSQL's SQL. Throws NotSure for those that are not surely the same. */
export function emitCall(
  emitter: ExpressionEmitter,
  name: string,
  parameters: readonly Expression[],
): Typed {
  if (name === 'if') return emitIf(emitter, parameters);
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  if (call === undefined) throw new NotSure();
  return call(
    parameters.map((parameter) => emitter.value(parameter)),
    emitter,
  );
}

function emitIf(emitter: ExpressionEmitter, parameters: readonly Expression[]): Typed {
  const [test, yes, no] = parameters;
  if (test === undefined || yes === undefined || no === undefined) throw new NotSure();
  const condition = emitter.condition(test);
  return emitter.choice([emitter.value(yes), emitter.value(no)], ([first = '', second = '']) => {
    return `(CASE WHEN ${condition} THEN ${first} ELSE ${second} END)`;
  });
}

const CALLS: Readonly<Record<string, Call>> = {
  coalesce: (values, emitter) => coalesce(values, emitter),
  ifnull: (values, emitter) => coalesce(exactly(values, 2), emitter),
  nullif: (values) => {
    const [first, second] = pair(values);
    if (first.kind === 'null') throw new NotSure();
    const { sql, ...known } = notConstant(first);
    return {
      ...known,
      sql: `(CASE WHEN ${compare('=', first, second)} THEN NULL ELSE ${sql} END)`,
    };
  },
  isnull: (values) => truth(`(${only(values).sql} IS NULL)`),
  concat: (values) => concat(values),
  abs: (values) => {
    const number = asNumber(only(values));
    const [low, high] = number.range ?? [0n, 0n];
    const sql = `abs(${number.sql})`;
    if (number.kind !== 'integer') return withoutSource(number, sql);
    const greatest = -low > high ? -low : high;
    return { sql, kind: 'integer', range: [0n, greatest], unsigned: number.unsigned === true };
  },
  floor: (values) => wholePart('floor', values),
  ceil: (values) => wholePart('ceil', values),
  ceiling: (values) => wholePart('ceil', values),
  round: (values) => rounded('round', values),
  truncate: (values) => rounded('trunc', exactly(values, 2)),
  mod: (values) => {
    const [first, second] = pair(values);
    return arithmetic('%', asNumber(first), asNumber(second));
  },
  length: (values) => octetLength(only(values)),
  octet_length: (values) => octetLength(only(values)),
  char_length: (values) => length('char_length', pureText(only(values))),
  character_length: (values) => length('char_length', pureText(only(values))),
  lower: (values) => folded('lower', values),
  lcase: (values) => folded('lower', values),
  upper: (values) => folded('upper', values),
  ucase: (values) => folded('upper', values),
  trim: (values) => sameText(only(values), (text) => `btrim(${text}, ' ')`),
  ltrim: (values) => sameText(only(values), (text) => `ltrim(${text}, ' ')`),
  rtrim: (values) => sameText(only(values), (text) => `rtrim(${text}, ' ')`),
  left: (values) => {
    const [text, count] = pair(values);
    return sameText(text, (sql) => `left(${sql}, ${countOf(count)})`);
  },
  right: (values) => {
    const [text, count] = pair(values);
    return sameText(text, (sql) => `right(${sql}, ${countOf(count)})`);
  },
  substr: (values) => substring(values),
  substring: (values) => substring(values),
  mid: (values) => substring(exactly(values, 3)),
  lpad: (values) => padded('lpad', values),
  rpad: (values) => padded('rpad', values),
  replace: (values) => {
    const [text, search, replacement] = exactly(values, 3);
    if (text === undefined || search?.literal?.type !== 'text' || search.literal.value === '')
      throw new NotSure();
    const other = pureText(replacement);
    const joined = sameText(text, (sql) => `replace(${sql}, ${search.sql}, ${other.sql})`);
    return { ...joined, ...joinedText([text, other]) };
  },
  md5: (values) => {
    const text = pureText(only(values));
    // Of the bytes, which are PostgreSQL's for UTF-8 only.
    if (!isUtf8(text)) throw new NotSure();
    return { sql: `md5(${text.sql})`, kind: 'text', charset: 'ascii', rule: BYTES };
  },
  year: (values) => datePart('year', values),
  month: (values) => datePart('month', values),
  day: (values) => datePart('day', values),
  dayofmonth: (values) => datePart('day', values),
  cast: (values) => cast(values),
};

const BYTES: TextRule = { pads: false, isOrdered: true };

function only(values: readonly Typed[]): Typed {
  const [first] = exactly(values, 1);
  if (first === undefined) throw new NotSure();
  return first;
}

function pair(values: readonly Typed[]): readonly [Typed, Typed] {
  const [first, second] = exactly(values, 2);
  if (first === undefined || second === undefined) throw new NotSure();
  return [first, second];
}

function exactly(values: readonly Typed[], count: number): readonly Typed[] {
  if (values.length !== count) throw new NotSure();
  return values;
}

function coalesce(values: readonly Typed[], emitter: ExpressionEmitter): Typed {
  if (values.length < 2) throw new NotSure();
  return emitter.choice(values, (sql) => `coalesce(${sql.join(', ')})`);
}

function concat(values: readonly Typed[]): Typed {
  if (values.length === 0) throw new NotSure();
  const texts = values.map(asText);
  const sql = `(${texts.map((text) => text.sql).join(' || ')})`;
  return { sql, kind: 'text', ...joinedText(texts) };
}

/** Rule and character set of a text that is made of others. */
function joinedText(texts: readonly Typed[]): Pick<Typed, 'rule' | 'charset'> {
  return { rule: commonRule(texts) ?? null, charset: commonCharset(texts) };
}

function pureText(value: Typed | undefined): Typed {
  if (value?.kind !== 'text') throw new NotSure();
  return value;
}

function sameText(value: Typed, wrap: (sql: string) => string): Typed {
  const { sql, charset = '', rule } = pureText(value);
  return { sql: wrap(sql), kind: 'text', charset, rule: rule ?? null };
}

function withoutSource({ kind, digits, unsigned }: Typed, sql: string): Typed {
  return { sql, kind, ...(digits ? { digits } : {}), unsigned: unsigned === true };
}

/** Of a double the whole part stays a double. */
function wholePart(name: 'floor' | 'ceil', values: readonly Typed[]): Typed {
  const number = asNumber(only(values));
  if (number.kind === 'integer') return number;
  const { digits } = number;
  return {
    ...withoutSource(number, `${name}(${number.sql})`),
    ...(digits ? { digits: [digits[0] - digits[1] + 1, 0] as const } : {}),
  };
}

/** Decimals are rounded half away from zero on both sides; how doubles are depends on the machine. */
function rounded(name: 'round' | 'trunc', values: readonly Typed[]): Typed {
  const [value, places] = values;
  if (value === undefined || values.length > 2) throw new NotSure();
  const number = asNumber(value);
  const count = places === undefined ? 0 : Number(countOf(places));
  if (number.kind === 'integer') return number;
  if (number.kind !== 'numeric' || number.digits === undefined) throw new NotSure();
  const [all, scale] = number.digits;
  if (count >= scale) return number;
  return {
    ...withoutSource(number, `${name}(${number.sql}, ${String(count)})`),
    digits: [all - scale + count + 1, count],
  };
}

/** A count that is written down. */
function countOf({ literal }: Typed): string {
  if (literal?.type !== 'integer' || !/^\d{1,6}$/.test(literal.value)) throw new NotSure();
  return literal.value;
}

function isUtf8({ charset }: Typed): boolean {
  return charset === 'utf8mb4' || charset === 'utf8' || charset === 'ascii';
}

function octetLength(value: Typed): Typed {
  if (value.kind === 'bytea') return length('octet_length', value);
  const text = pureText(value);
  if (!isUtf8(text)) throw new NotSure();
  return length('octet_length', text);
}

function length(name: string, { sql }: Typed): Typed {
  return { sql: `${name}(${sql})::bigint`, kind: 'integer', range: [0n, 2n ** 32n] };
}

/** The letters of ASCII alone are folded alike by all collations but the Turkish ones. */
function folded(name: 'lower' | 'upper', values: readonly Typed[]): Typed {
  const text = pureText(only(values));
  if (text.charset !== 'ascii') throw new NotSure();
  return sameText(text, (sql) => `${name}(${sql} COLLATE "C")`);
}

function substring(values: readonly Typed[]): Typed {
  const [text, start, count] = values;
  if (text === undefined || start === undefined || values.length > 3) throw new NotSure();
  const places = [start, ...(count === undefined ? [] : [count])].map(countOf);
  if (Number(places[0]) < 1) throw new NotSure();
  return sameText(text, (sql) => `substr(${[sql, ...places].join(', ')})`);
}

function padded(name: 'lpad' | 'rpad', values: readonly Typed[]): Typed {
  const [value, count, filler] = exactly(values, 3);
  if (value === undefined || count === undefined || filler?.literal?.type !== 'text')
    throw new NotSure();
  if (filler.literal.value === '') throw new NotSure();
  const text = asText(value);
  const sql = `${name}(${text.sql}, ${countOf(count)}, ${quotePostgresText(filler.literal.value)})`;
  return { sql, kind: 'text', ...joinedText([text, filler]) };
}

const PART_RANGES = { year: 9999n, month: 12n, day: 31n } as const;

function datePart(part: keyof typeof PART_RANGES, values: readonly Typed[]): Typed {
  const moment = only(values);
  if (moment.kind !== 'date' && moment.kind !== 'timestamp') throw new NotSure();
  const sql = `extract(${part} FROM ${moment.sql})::bigint`;
  return { sql, kind: 'integer', range: [0n, PART_RANGES[part]] };
}

function cast(values: readonly Typed[]): Typed {
  const [value, type] = pair(values);
  const name = (type.literal?.value ?? '').replace(/ ?\bcharset [a-z0-9]+$/, '');
  if (name === 'signed' || name === 'signed integer') {
    const number = asNumber(value);
    if (number.kind !== 'integer' || (number.range?.[1] ?? 0n) > INT64[1]) throw new NotSure();
    return { ...number, unsigned: false };
  }
  // Its collation is that of a session.
  if (name === 'char') return { ...sameText(asText(value), (sql) => sql), rule: null };
  const width = /^char\((\d{1,6})\)$/.exec(name)?.[1];
  if (width !== undefined)
    return { ...sameText(asText(value), (sql) => `left(${sql}, ${width})`), rule: null };
  if (name === 'date' && value.kind === 'timestamp')
    return { sql: `(${value.sql})::date`, kind: 'date' };
  if (name === 'date' && value.kind === 'date') return value;
  throw new NotSure();
}
