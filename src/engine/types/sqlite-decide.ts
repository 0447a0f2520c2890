import type { Column, ColumnDecision, ColumnScan, Finding, Policies, Table } from '../contract.ts';
import type { SqliteEncoderName } from './sqlite-encoders.ts';

/** What `decideColumn` is asked. */
export interface DecisionRequest {
  readonly table: Table;
  readonly column: Column;
  readonly scan: ColumnScan;
  readonly rows: number;
  readonly policies: Policies;
  /** The PostgreSQL type that the user wishes; left out = none. */
  readonly cast?: string;
}

/** The type of a column and why, before findings and NULLs are added. */
export interface TypeChoice {
  readonly targetType: string;
  readonly encoder: SqliteEncoderName;
  readonly because: string;
  /** Facts of the scan whose values a policy turns into NULL. */
  readonly nulledFacts?: readonly string[];
  readonly findings?: readonly Finding[];
}

/** Counts of a scan, zero where a fact was not seen. */
export class Facts {
  readonly #facts: Readonly<Record<string, number>>;

  constructor(scan: ColumnScan) {
    this.#facts = scan.facts;
  }

  count(...names: readonly string[]): number {
    return names.reduce((sum, name) => sum + (this.#facts[name] ?? 0), 0);
  }

  /** Values that are not NULL. */
  get values(): number {
    return this.count('integer', 'real', 'text', 'blob');
  }

  /** True where there are values, and all of them show one of these facts. */
  only(...names: readonly string[]): boolean {
    return this.values > 0 && this.count(...names) === this.values;
  }
}

export function choose(
  encoder: TypedEncoderName,
  because: string,
  extra: Partial<Pick<TypeChoice, 'targetType' | 'nulledFacts' | 'findings'>> = {},
): TypeChoice {
  return { targetType: extra.targetType ?? TARGET_TYPES[encoder], encoder, because, ...extra };
}

/** Encoders that are for one type, with or without its modifiers. */
export type TypedEncoderName = Exclude<SqliteEncoderName, 'cast'>;

export const TARGET_TYPES: Readonly<Record<TypedEncoderName, string>> = {
  bigint: 'bigint',
  smallint: 'smallint',
  integer: 'integer',
  double: 'double precision',
  numeric: 'numeric',
  boolean: 'boolean',
  text: 'text',
  bytea: 'bytea',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  time: 'time',
  timestamptzFromSeconds: 'timestamptz',
  timestamptzFromMilliseconds: 'timestamptz',
  timestampFromJulianDay: 'timestamp',
  mixedTimestamp: 'timestamp',
  mixedTimestamptz: 'timestamptz',
};

/** `1 value`, `3 values`. */
export function values(count: number, what = ''): string {
  return `${String(count)} ${what === '' ? '' : `${what} `}${count === 1 ? 'value' : 'values'}`;
}

/** `12 whole numbers, 1 text`. */
export function mixture(facts: Facts): string {
  const parts = [
    [facts.count('integer'), 'whole number', 'whole numbers'],
    [facts.count('real'), 'real', 'reals'],
    [facts.count('text'), 'text', 'texts'],
    [facts.count('blob'), 'blob', 'blobs'],
  ] as const;
  const named = parts.flatMap(([count, one, many]) =>
    count === 0 ? [] : [`${String(count)} ${count === 1 ? one : many}`],
  );
  return named.length === 0 ? 'no values' : named.join(', ');
}

/** The choice as a decision: the evidence in one sentence, and whether NULL can arrive. */
export function toDecision(
  request: DecisionRequest,
  choice: TypeChoice,
  findings: readonly Finding[],
): ColumnDecision {
  const facts = new Facts(request.scan);
  const declared =
    request.column.declaredType === ''
      ? 'no declared type'
      : `declared ${request.column.declaredType}`;
  return {
    targetType: choice.targetType,
    encoder: choice.encoder,
    evidence: `${declared}: ${choice.because} → ${choice.targetType}`,
    holdsNull: facts.count('null', ...(choice.nulledFacts ?? [])) > 0,
    findings: [...(choice.findings ?? []), ...findings],
  };
}
