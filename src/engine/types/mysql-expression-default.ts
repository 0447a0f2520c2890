import { dateText, parseDateText, timestampText, timeText } from './date-text.ts';
import type { Expression } from './expression-parser.ts';
import { float8Text } from './float8-text.ts';
import { bitWidth } from './mysql-declared.ts';
import { fit } from './mysql-expression-fit.ts';
import { emit, sureOrNull } from './mysql-expression-emit.ts';
import { parseExpression } from './mysql-expression-parser.ts';
import {
  isText,
  knownColumn,
  type ColumnType,
  type KnownColumn,
} from './mysql-expression-values.ts';
import { numericModifier, numericText, OUT_OF_RANGE } from './numeric-text.ts';
import { quotePostgresText } from './sql-text.ts';

/**
 * A column's default (or what ON UPDATE sets) as PostgreSQL's, for the type that the column has become; null where there is no
 * sure equivalent: zero dates are such, and the times of TIMESTAMP columns, which the server shows in one zone or another.
 *
 * The present of a DATETIME is the session's local time on both sides: LOCALTIMESTAMP follows the session's TimeZone as NOW()
 * follows its time_zone. (PostgreSQL's is the time of the transaction, not of the statement, and rounded, not cut.)
 */
export function translateDefault(sql: string, columnType: ColumnType): string | null {
  const expression = parseExpression(sql);
  if (expression === null) return null;
  const column = knownColumn(columnType);
  const constant = constantOf(expression);
  if (constant !== null) return constantDefault(constant, column);
  if (expression.kind === 'call') {
    const called = calledDefault(expression, column);
    if (called !== null) return called;
  }
  const emitted = emit(expression, {});
  if (emitted === null || emitted.kind === 'null') return null;
  return sureOrNull(() => fit(emitted, column));
}

interface Constant {
  readonly type: 'number' | 'text' | 'bytes' | 'bits' | 'null';
  readonly value: string;
}

function constantOf(expression: Expression): Constant | null {
  const whole = wholeNumberOf(expression);
  if (whole !== null) return { type: 'number', value: String(whole) };
  if (expression.kind === 'unary' && expression.operator === '-') {
    const inner = constantOf(expression.operand);
    return inner?.type === 'number' ? { type: 'number', value: `-${inner.value}` } : null;
  }
  if (expression.kind !== 'literal') return null;
  const { type, value } = expression;
  switch (type) {
    case 'integer':
    case 'real':
      return { type: 'number', value };
    case 'boolean':
      return { type: 'number', value: value === 'TRUE' ? '1' : '0' };
    case 'blob':
      return value.startsWith('b')
        ? { type: 'bits', value: value.slice(1) }
        : { type: 'bytes', value };
    case 'text':
    case 'null':
      return { type, value };
  }
}

/** `(1 + 2)`: sums and products of whole numbers. */
function wholeNumberOf(expression: Expression): bigint | null {
  if (expression.kind === 'literal')
    return expression.type === 'integer' ? BigInt(expression.value) : null;
  if (expression.kind === 'unary' && expression.operator === '-') {
    const inner = wholeNumberOf(expression.operand);
    return inner === null ? null : -inner;
  }
  if (expression.kind !== 'binary') return null;
  const [left, right] = [wholeNumberOf(expression.left), wholeNumberOf(expression.right)];
  if (left === null || right === null) return null;
  switch (expression.operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      return null;
  }
}

function constantDefault(constant: Constant, column: KnownColumn): string | null {
  const { type, value } = constant;
  const { targetType } = column;
  if (type === 'null') return 'NULL';
  if (value.includes('\0')) return null;
  if (targetType === 'bytea') return bytesDefault(constant, column);
  if (type === 'bits' || targetType.startsWith('bit(')) return bitsDefault(constant, column);
  // As a number or as text, by where it stands.
  if (type === 'bytes') return null;
  if (targetType === 'boolean') return booleanDefault(value);
  const number = numberDefault(value, targetType);
  if (number !== undefined) return number;
  if (isText(targetType)) return textDefault(constant, column);
  return type === 'text' ? specialDefault(value, column) : null;
}

function bytesDefault({ type, value }: Constant, { declared, family }: KnownColumn): string | null {
  if (family !== 'binary' || (type !== 'bytes' && type !== 'text')) return null;
  if (type === 'text' && /[^\0-\x7f]/.test(value)) return null;
  const digits = type === 'text' ? Buffer.from(value, 'latin1').toString('hex') : value;
  // A BINARY(n) is filled up with zeros.
  const width = declared.name === 'binary' ? (declared.sizes[0] ?? 1) * 2 : 0;
  return `'\\x${digits.padEnd(width, '0')}'::bytea`;
}

function bitsDefault({ type, value }: Constant, column: KnownColumn): string | null {
  const { targetType, family, declared } = column;
  const digits =
    type === 'bits' ? value : /^\d+$/.test(value) && type === 'number' ? toBits(value) : null;
  if (digits === null) return null;
  const significant = digits.replace(/^0+/, '');
  if (targetType === 'boolean')
    return significant.length > 1 ? null : significant === '1' ? 'TRUE' : 'FALSE';
  if (family === 'bit') {
    const width = bitWidth(declared);
    return significant.length > width ? null : `B'${significant.padStart(width, '0')}'`;
  }
  const number = type === 'bits' ? String(BigInt(`0b${digits === '' ? '0' : digits}`)) : null;
  return number === null ? null : (numberDefault(number, targetType) ?? null);
}

function toBits(number: string): string {
  return BigInt(number).toString(2);
}

function booleanDefault(value: string): string | null {
  if (/^0*1$/.test(value)) return 'TRUE';
  return /^0+$/.test(value) ? 'FALSE' : null;
}

const INTEGER_ENDS: Readonly<Record<string, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};

/** undefined where the type is none of numbers. */
function numberDefault(value: string, targetType: string): string | null | undefined {
  const end = INTEGER_ENDS[targetType];
  if (end !== undefined) {
    const text = numericText(value, { precision: 19, scale: 0 });
    if (text === null || text === OUT_OF_RANGE) return null;
    return BigInt(text) >= -end && BigInt(text) < end ? text : null;
  }
  if (targetType === 'real' || targetType === 'double precision') {
    if (numericText(value, null) === null) return null;
    return `'${float8Text(Number(value))}'::${targetType}`;
  }
  if (!targetType.startsWith('numeric')) return undefined;
  const text = numericText(value, numericModifier(targetType));
  return text === OUT_OF_RANGE ? null : text;
}

function textDefault({ type, value }: Constant, column: KnownColumn): string | null {
  const { targetType, family, declared } = column;
  if (type === 'number' && !/^-?\d{1,18}$/.test(value)) return null;
  const width = /\((\d+)\)/.exec(targetType)?.[1];
  if (width !== undefined && Array.from(value).length > Number(width)) return null;
  if (family === 'enum' && !declared.labels.includes(value)) return null;
  return quotePostgresText(value);
}

/** Types with a way of their own to write a value. */
function specialDefault(value: string, column: KnownColumn): string | null {
  const { targetType, family, declared } = column;
  // Left without a type, it takes the column's.
  if (family === 'enum') return declared.labels.includes(value) ? quotePostgresText(value) : null;
  if (family === 'set') return setDefault(value, column);
  if (family === 'json') return jsonDefault(value, targetType);
  if (family === 'uuid') {
    const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
    return targetType === 'uuid' && isUuid ? `'${value.toLowerCase()}'::uuid` : null;
  }
  return family === 'date' || family === 'datetime' || family === 'time'
    ? momentDefault(value, targetType)
    : null;
}

/** In the order in which the members are declared, in which every value of the column is. */
function setDefault(value: string, { targetType, declared }: KnownColumn): string | null {
  if (targetType !== 'text[]') return null;
  const members = value === '' ? [] : value.split(',');
  if (!members.every((member) => declared.labels.includes(member))) return null;
  const ordered = declared.labels.filter((label) => members.includes(label));
  return ordered.length === 0
    ? `'{}'::text[]`
    : `ARRAY[${ordered.map(quotePostgresText).join(', ')}]`;
}

function jsonDefault(value: string, targetType: string): string | null {
  if (targetType !== 'json' && targetType !== 'jsonb') return null;
  try {
    JSON.parse(value);
  } catch {
    return null;
  }
  return value.includes('\\u') ? null : `${quotePostgresText(value)}::${targetType}`;
}

function momentDefault(value: string, targetType: string): string | null {
  if (targetType === 'interval') {
    const isTime = /^-?\d{1,3}:[0-5]\d:[0-5]\d(?:\.\d{1,6})?$/.test(value);
    return isTime ? `INTERVAL '${value}'` : null;
  }
  const { form, days, microseconds } = parseDateText(value);
  const [type = ''] = targetType.split('(');
  if (type === 'date' && form === 'isoDate') return `DATE '${dateText(days)}'`;
  if (type === 'time' && form === 'timeOfDay') return `TIME '${timeText(microseconds)}'`;
  if (type === 'timestamp' && (form === 'isoDate' || form === 'isoDateTime'))
    return `TIMESTAMP '${timestampText(days, microseconds, '')}'`;
  return null;
}

type Call = Extract<Expression, { kind: 'call' }>;

const NOW: readonly string[] = [
  'current_timestamp',
  'now',
  'localtimestamp',
  'localtime',
  'sysdate',
];

function calledDefault(call: Call, column: KnownColumn): string | null {
  const { targetType } = column;
  const { name, arguments: parameters } = call;
  if (NOW.includes(name)) return nowDefault(parameters, targetType);
  if (parameters.length === 0) {
    if (name === 'uuid') return uuidDefault(column);
    if (name === 'curdate' || name === 'current_date')
      return targetType === 'date' ? 'CURRENT_DATE' : null;
    if (name === 'curtime' || name === 'current_time')
      return targetType.startsWith('time(') ? `LOCALTIME(0)` : null;
    if (name === 'unix_timestamp')
      return targetType === 'bigint' || targetType === 'integer'
        ? `floor(extract(epoch FROM CURRENT_TIMESTAMP))::${targetType}`
        : null;
    const isJson = targetType === 'json' || targetType === 'jsonb';
    if (isJson && name === 'json_object') return `'{}'::${targetType}`;
    if (isJson && name === 'json_array') return `'[]'::${targetType}`;
  }
  if (name === 'uuid_to_bin' && targetType === 'bytea' && isUuidCall(parameters))
    return 'uuid_send(gen_random_uuid())';
  return null;
}

function isUuidCall([only, ...others]: readonly Expression[]): boolean {
  return (
    others.length === 0 &&
    only?.kind === 'call' &&
    only.name === 'uuid' &&
    only.arguments.length === 0
  );
}

/** A random one: the source's tells when and where it was made. */
function uuidDefault({ targetType }: KnownColumn): string | null {
  if (targetType === 'uuid') return 'gen_random_uuid()';
  if (!isText(targetType)) return null;
  const width = /\((\d+)\)/.exec(targetType)?.[1];
  return width !== undefined && Number(width) < 36 ? null : 'gen_random_uuid()::text';
}

function nowDefault(parameters: readonly Expression[], targetType: string): string | null {
  const [digits, ...others] = parameters;
  if (others.length > 0) return null;
  const isGiven = digits?.kind === 'literal' && digits.type === 'integer';
  if (digits !== undefined && !isGiven) return null;
  const precision = isGiven ? digits.value : '0';
  if (!/^[0-6]$/.test(precision)) return null;
  const [type] = targetType.split('(');
  if (type === 'timestamptz') return `CURRENT_TIMESTAMP(${precision})`;
  if (type === 'timestamp') return `LOCALTIMESTAMP(${precision})`;
  return type === 'date' ? 'CURRENT_DATE' : null;
}
