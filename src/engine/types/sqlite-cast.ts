import { choose, columnFinding, type DecisionRequest, type TypeChoice } from './sqlite-decide.ts';
import type { SqliteEncoderName } from './sqlite-encoders.ts';

/** Type of the user's wish → encoder that writes it, and rejects every value that is none of it. */
const ENCODERS: Readonly<Record<string, SqliteEncoderName>> = {
  bigint: 'bigint',
  smallint: 'smallint',
  'double precision': 'double',
  boolean: 'boolean',
  text: 'text',
  bytea: 'bytea',
  date: 'date',
  time: 'time',
  timestamp: 'mixedTimestamp',
  timestamptz: 'mixedTimestamptz',
};

/** The column as the user wishes it, or as it would be without the wish and a finding that says so. */
export function castChoice(
  request: DecisionRequest,
  cast: string,
  natural: TypeChoice,
): TypeChoice {
  if (natural.targetType === cast) return natural;
  const targetType = cast.replace(/^numeric\((\d+)\)$/, 'numeric($1,0)');
  const encoder = encoderOf(targetType);
  if (encoder !== null) return choose(encoder, `${natural.because}, but cast`, { targetType });
  const finding = columnFinding(request, {
    severity: 'error',
    code: 'CAST_NOT_POSSIBLE',
    fact: '',
    message: `A column of SQLite cannot be cast to ${cast}: it becomes ${natural.targetType}`,
  });
  return { ...natural, findings: [...(natural.findings ?? []), { ...finding, count: null }] };
}

function encoderOf(cast: string): SqliteEncoderName | null {
  if (/^numeric(?:\(\d+,\d+\))?$/.test(cast)) return 'numeric';
  return Object.hasOwn(ENCODERS, cast) ? (ENCODERS[cast] ?? null) : null;
}
