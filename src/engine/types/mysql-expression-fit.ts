import {
  asDouble,
  asNumber,
  asText,
  charsetOf,
  integerRange,
  isText,
  NotSure,
  numericDigits,
  type KnownColumn,
  type Typed,
} from './mysql-expression-values.ts';

/** What PostgreSQL's types of whole numbers refuse loudly. */
const INTEGER_TYPES: Readonly<Record<string, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};

/**
 * The value as it is stored in a column. A source that is not strict stores the nearest value that fits instead of failing: so
 * where one may not fit, PostgreSQL has to fail. Throws NotSure where it would store something else.
 */
export function fit(value: Typed, column: KnownColumn): string {
  const { targetType, family, declared } = column;
  if (family === 'integer' || family === 'bit')
    return targetType === 'boolean' ? fitBoolean(value) : fitInteger(value, column);
  if (family === 'decimal') return fitDecimal(value, column);
  if (family === 'float' || family === 'double') return fitDouble(value, column);
  if (family === 'text') return fitText(value, column);
  const isMoment = family === 'date' || family === 'datetime';
  if (isMoment && value.column?.targetType === targetType) return value.sql;
  const isBytes = family === 'binary' && declared.name !== 'binary' && targetType === 'bytea';
  if (isBytes && value.kind === 'bytea') return value.sql;
  throw new NotSure();
}

function fitBoolean(value: Typed): string {
  if (value.kind === 'boolean') return value.sql;
  const [low, high] = value.range ?? [0n, 2n];
  if (value.kind !== 'integer' || low < 0n || high > 1n) throw new NotSure();
  return `(${value.sql} <> 0)`;
}

function fitInteger(value: Typed, { targetType, declared }: KnownColumn): string {
  const allowed = integerRange(declared);
  const number = asNumber(value);
  if (targetType === 'numeric(20,0)') {
    if (number.kind !== 'integer' || (number.range?.[0] ?? -1n) < 0n) throw new NotSure();
    return number.sql;
  }
  const end = INTEGER_TYPES[targetType];
  if (end === undefined) throw new NotSure();
  const refusesAll = allowed[0] === -end && allowed[1] === end - 1n;
  if (number.kind === 'numeric' && refusesAll) return number.sql;
  if (number.kind !== 'integer' || number.range === undefined) throw new NotSure();
  const isWithin = number.range[0] >= allowed[0] && number.range[1] <= allowed[1];
  if (!isWithin && !refusesAll) throw new NotSure();
  return number.sql;
}

function fitDecimal(value: Typed, { targetType, declared }: KnownColumn): string {
  const number = asNumber(value);
  if (number.kind === 'double' || numericDigits(targetType) === null) throw new NotSure();
  const isPositive = number.unsigned === true || (number.range?.[0] ?? -1n) >= 0n;
  if (declared.unsigned && !isPositive) throw new NotSure();
  return number.sql;
}

function fitDouble(value: Typed, { targetType, declared }: KnownColumn): string {
  // With digits declared, the value is rounded to them.
  if (declared.sizes.length > 1) throw new NotSure();
  if (targetType !== 'real' && targetType !== 'double precision') throw new NotSure();
  return asDouble(value).sql;
}

function fitText(value: Typed, { targetType, declared, collation }: KnownColumn): string {
  if (!isText(targetType)) throw new NotSure();
  const text = asText(value);
  const charset = charsetOf(collation);
  const holdsAll = charset === 'utf8mb4' || text.charset === 'ascii' || text.charset === charset;
  if (!holdsAll) throw new NotSure();
  // What is read from a CHAR has no spaces at its end.
  return declared.name === 'char' ? `rtrim(${text.sql}, ' ')` : text.sql;
}
