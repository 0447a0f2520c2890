import { columnFinding } from './column-finding.ts';
import { castType, type CastFamily, type CastType } from './cast-encoder.ts';
import { Facts, type DecisionRequest, type TypeChoice } from './sqlite-decide.ts';
import type { SqliteEncoderName } from './sqlite-encoders.ts';

/** Families with an encoder of their own for the values that SQLite has of them. */
const ENCODERS: Partial<Record<CastFamily, SqliteEncoderName>> = {
  boolean: 'boolean',
  numeric: 'numeric',
  float: 'double',
  bytea: 'bytea',
  date: 'date',
  time: 'time',
  timestamp: 'mixedTimestamp',
  timestamptz: 'mixedTimestamptz',
};

const INTEGER_ENCODERS: Readonly<Record<string, SqliteEncoderName>> = {
  smallint: 'smallint',
  integer: 'integer',
  bigint: 'bigint',
};

/** Families whose own encoders take no number or truth that is written as text. */
const FROM_NUMBERS_ONLY: ReadonlySet<CastFamily> = new Set(['integer', 'float', 'boolean']);

/** The column as the user wishes it, or as it would be without the wish and a finding that says so. */
export function castChoice(
  request: DecisionRequest,
  cast: string,
  natural: TypeChoice,
): TypeChoice {
  const type = castType(cast);
  if (natural.targetType === (type?.targetType ?? cast)) return natural;
  if (type !== null) {
    const encoder = encoderOf(type, new Facts(request.scan));
    return { targetType: type.targetType, encoder, because: `${natural.because}, but cast` };
  }
  const finding = columnFinding(request, {
    severity: 'error',
    code: 'CAST_NOT_POSSIBLE',
    fact: '',
    message: `A column of SQLite cannot be cast to ${cast}: it becomes ${natural.targetType}`,
  });
  return { ...natural, findings: [...(natural.findings ?? []), { ...finding, count: null }] };
}

function encoderOf({ family, targetType }: CastType, facts: Facts): SqliteEncoderName {
  if (FROM_NUMBERS_ONLY.has(family) && facts.count('text') > 0) return 'cast';
  if (family === 'integer') return INTEGER_ENCODERS[targetType] ?? 'cast';
  if (targetType === 'text') return 'text';
  return (targetType === 'real' ? undefined : ENCODERS[family]) ?? 'cast';
}
