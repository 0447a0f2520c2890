import { dateText, parseDateText, timestampText, timeText } from './date-text.ts';
import { float8Text } from './float8-text.ts';
import { numericModifier, numericText, OUT_OF_RANGE } from './numeric-text.ts';
import { quotePostgresText } from './sql-text.ts';
import { emit, kindOf } from './sqlite-expression-emit.ts';
import type { Expression } from './expression-parser.ts';
import { parseExpression } from './sqlite-expression-parser.ts';

const NOW_IN_UTC = `(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')`;

/** A column's default as PostgreSQL's, for the type that the column has become; null where there is no sure equivalent. */
export function translateDefault(sql: string, targetType: string): string | null {
  const expression = parseExpression(sql);
  if (expression === null) return null;
  const constant = constantOf(expression);
  if (constant !== null) return constantDefault(constant, targetType);
  const now = nowOf(expression);
  if (now !== null) return nowDefault(now, targetType);
  const emitted = emit(expression, {});
  if (emitted === null) return null;
  return emitted.kind === kindOf(targetType) && emitted.kind !== 'numeric' ? emitted.sql : null;
}

interface Constant {
  readonly type: 'number' | 'text' | 'blob' | 'null';
  readonly value: string;
}

function constantOf(expression: Expression): Constant | null {
  if (expression.kind === 'unary' && expression.operator === '-') {
    const inner = constantOf(expression.operand);
    return inner?.type === 'number' && !inner.value.startsWith('-')
      ? { type: 'number', value: `-${inner.value}` }
      : null;
  }
  // A name in a default is a text to SQLite: DEFAULT "abc" and DEFAULT abc.
  if (expression.kind === 'column') return { type: 'text', value: expression.name };
  if (expression.kind !== 'literal') return null;
  switch (expression.type) {
    case 'integer':
    case 'real':
      return { type: 'number', value: expression.value };
    case 'boolean':
      return { type: 'number', value: expression.value === 'TRUE' ? '1' : '0' };
    case 'text':
    case 'blob':
    case 'null':
      return { type: expression.type, value: expression.value };
  }
}

function constantDefault({ type, value }: Constant, targetType: string): string | null {
  if (type === 'null') return 'NULL';
  if (type === 'blob') return targetType === 'bytea' ? `'\\x${value}'::bytea` : null;
  if (value.includes('\0')) return null;
  switch (kindOf(targetType)) {
    case 'integer':
    case 'numeric':
    case 'double':
      return numberDefault(value, targetType);
    case 'boolean':
      return booleanDefault(value);
    case 'text':
      // SQLite's text of 1.50 is another than what was typed.
      return type === 'text' || /^-?\d{1,18}$/.test(value) ? quotePostgresText(value) : null;
    case 'date':
    case 'other':
      return type === 'text' ? dateDefault(value, targetType) : null;
    case 'bytea':
    case 'null':
      return null;
  }
}

const INTEGER_RANGES: Readonly<Record<string, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};

function numberDefault(value: string, targetType: string): string | null {
  const range = INTEGER_RANGES[targetType];
  if (range === undefined) {
    if (targetType === 'double precision') return doubleDefault(value);
    const text = numericText(value, numericModifier(targetType));
    return text === OUT_OF_RANGE ? null : text;
  }
  // 1.0 in an INTEGER column is 1.
  const text = numericText(value, { precision: 19, scale: 0 });
  if (text === null || text === OUT_OF_RANGE) return null;
  const number = BigInt(text);
  return number >= -range && number < range ? text : null;
}

function doubleDefault(value: string): string | null {
  if (numericText(value, null) === null) return null;
  return `'${float8Text(Number(value))}'::double precision`;
}

function booleanDefault(value: string): string | null {
  if (['1', 'true', 't'].includes(value.toLowerCase())) return 'TRUE';
  return ['0', 'false', 'f'].includes(value.toLowerCase()) ? 'FALSE' : null;
}

function dateDefault(value: string, targetType: string): string | null {
  const { form, days, microseconds } = parseDateText(value);
  if (targetType === 'date' && form === 'isoDate') return `DATE '${dateText(days)}'`;
  if (targetType === 'time' && form === 'timeOfDay') return `TIME '${timeText(microseconds)}'`;
  if (targetType === 'timestamp' && (form === 'isoDate' || form === 'isoDateTime')) {
    return `TIMESTAMP '${timestampText(days, microseconds, '')}'`;
  }
  if (targetType === 'timestamptz' && form === 'isoDateTimeOffset') {
    return `TIMESTAMPTZ '${timestampText(days, microseconds, '+00')}'`;
  }
  return null;
}

type Now = 'CURRENT_TIMESTAMP' | 'CURRENT_DATE' | 'CURRENT_TIME' | 'epoch';

/** The present moment, in one of the ways to ask for it. `localtime` depends on a machine that is left behind: not one of them. */
function nowOf(expression: Expression): Now | null {
  if (expression.kind === 'now') return expression.what;
  if (expression.kind !== 'call') return null;
  const words = expression.arguments.map((argument) =>
    argument.kind === 'literal' && argument.type === 'text' ? argument.value.toLowerCase() : null,
  );
  const isNow = words.length === 0 || (words.length === 1 && words[0] === 'now');
  if (expression.name === 'datetime' && isNow) return 'CURRENT_TIMESTAMP';
  if (expression.name === 'date' && isNow) return 'CURRENT_DATE';
  if (expression.name === 'time' && isNow) return 'CURRENT_TIME';
  if (expression.name === 'unixepoch' && isNow) return 'epoch';
  return expression.name === 'strftime' &&
    words[0] === '%s' &&
    words[1] === 'now' &&
    words.length === 2
    ? 'epoch'
    : null;
}

/** By what is asked for, then by the type of the column. */
const NOW_DEFAULTS: Readonly<Record<Now, Readonly<Record<string, string>>>> = {
  CURRENT_TIMESTAMP: {
    timestamptz: 'CURRENT_TIMESTAMP',
    timestamp: NOW_IN_UTC,
    date: `${NOW_IN_UTC}::date`,
    text: `to_char(${NOW_IN_UTC}, 'YYYY-MM-DD HH24:MI:SS')`,
  },
  CURRENT_DATE: {
    date: `${NOW_IN_UTC}::date`,
    timestamp: `date_trunc('day', ${NOW_IN_UTC})`,
    text: `to_char(${NOW_IN_UTC}, 'YYYY-MM-DD')`,
  },
  CURRENT_TIME: { time: `${NOW_IN_UTC}::time`, text: `to_char(${NOW_IN_UTC}, 'HH24:MI:SS')` },
  epoch: {
    bigint: 'floor(extract(epoch FROM CURRENT_TIMESTAMP))::bigint',
    timestamptz: 'CURRENT_TIMESTAMP',
  },
};

function nowDefault(now: Now, targetType: string): string | null {
  return NOW_DEFAULTS[now][targetType] ?? null;
}
