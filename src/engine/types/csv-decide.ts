import type { Column, ColumnScan, Finding, Policies, Table } from '../contract.ts';
import type { CastType } from './cast-encoder.ts';
import type { CsvForm } from './csv-forms.ts';

export interface DecisionRequest {
  readonly table: Table;
  readonly column: Column;
  readonly scan: ColumnScan;
  readonly rows: number;
  readonly policies: Policies;
  readonly cast?: string;
}

/** How the texts of a column are read: the name of its encoder in a plan. What they become says its target type. */
export const CSV_ENCODERS = ['plain', 'decimalComma', 'dayFirst', 'monthFirst'] as const;
export type CsvEncoderName = (typeof CSV_ENCODERS)[number];

export interface TypeChoice {
  readonly targetType: string;
  readonly encoder: CsvEncoderName;
  readonly because: string;
  readonly family: CastType['family'];
  readonly findings?: readonly Finding[];
}

/** Facts beside the forms. `null` and `empty` are no forms: there is nothing to look at. */
export type CsvFact =
  | CsvForm
  | 'null'
  | 'empty'
  /** A number of any form that a double prints as it stands. */
  | 'floatSafe'
  /** A date that is not in ISO form, with a time. */
  | 'withTime'
  | 'nul'
  | 'invalidUtf8'
  /** On the first column: records with too few or too many fields, or with quotes that cannot be read. */
  | 'ragged';

export class CsvFacts {
  readonly #facts: Readonly<Record<string, number>>;

  constructor(scan: ColumnScan) {
    this.#facts = scan.facts;
  }

  count(...facts: readonly CsvFact[]): number {
    return facts.reduce((sum, fact) => sum + (this.#facts[fact] ?? 0), 0);
  }

  /** Texts that are not empty. */
  get values(): number {
    return this.#facts.values ?? 0;
  }

  only(...facts: readonly CsvFact[]): boolean {
    return this.values > 0 && this.count(...facts) === this.values;
  }
}

/** `1 value`, `3 values`. */
export function values(count: number): string {
  return count === 1 ? '1 value' : `${String(count)} values`;
}
