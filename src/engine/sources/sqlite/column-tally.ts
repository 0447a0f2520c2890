import type { ColumnScan, RowKey } from '../../contract.ts';
import { columnOf, type Row } from './query.ts';
import type { ColumnQueries, FactQuery } from './scan-facts.ts';

export const MAX_SAMPLES = 5;
/** Values that `selectUsual` asks for. */
export const USUAL_WIDTH = 4;

/** What has been counted of one column so far. */
export class ColumnTally {
  readonly name: string;
  readonly #queries: ColumnQueries;
  readonly #facts = new Map<string, number>();
  readonly #samples = new Map<string, RowKey[]>();
  #minInteger: bigint | null = null;
  #maxInteger: bigint | null = null;
  #maxLength: number | null = null;

  constructor(name: string, queries: ColumnQueries) {
    this.name = name;
    this.#queries = queries;
  }

  get width(): number {
    return this.#queries.facts.length + 4;
  }

  /** Counts that tell whether all values are as the declaration promises. */
  selectUsual(): string[] {
    const { usual } = this.#queries;
    if (usual === null) return ['NULL', 'NULL', 'NULL', 'NULL'];
    const c = columnOf(this.name);
    const measures = {
      integer: [`CAST(min(${c}) AS TEXT)`, `CAST(max(${c}) AS TEXT)`],
      text: [`max(length(${c}))`, 'NULL'],
      none: ['NULL', 'NULL'],
    };
    return [
      `count(${c})`,
      `coalesce(sum(${usual.condition}), 0)`,
      ...measures[usual.measure ?? 'none'],
    ];
  }

  /** False, with nothing added, where a closer look is needed. */
  addUsual(rows: number, [values, usualValues, first, second]: Row): boolean {
    const { usual, facts } = this.#queries;
    if (usual === null || values !== usualValues) return false;
    const nulls = rows - Number(values);
    if (nulls > 0 && facts.some(({ fact, sampled }) => fact === 'null' && sampled)) return false;
    this.#count('null', nulls);
    for (const fact of usual.facts) this.#count(fact, Number(values));
    if (usual.measure === 'integer') this.#addIntegers(first, second);
    if (usual.measure === 'text') this.#addLength(first);
    return true;
  }

  select(): string[] {
    const c = columnOf(this.name);
    const integers = `CASE typeof(${c}) WHEN 'integer' THEN ${c} END`;
    return [
      ...this.#queries.facts.map(({ condition }) => `coalesce(sum(${condition}), 0)`),
      `CAST(min(${integers}) AS TEXT)`,
      `CAST(max(${integers}) AS TEXT)`,
      `max(CASE typeof(${c}) WHEN 'text' THEN length(${c}) END)`,
      this.#queries.formCounts ?? 'NULL',
    ];
  }

  /** Adds one range's counts. Answers with the facts seen in it of which samples are still missing. */
  add(values: Row): FactQuery[] {
    const { facts, forms } = this.#queries;
    const seen = facts.filter(({ fact }, position) => this.#count(fact, Number(values[position])));
    const [min, max, length, formCounts] = values.slice(facts.length);
    this.#addIntegers(min, max);
    this.#addLength(length);
    const counts =
      typeof formCounts === 'string' ? (JSON.parse(formCounts) as Record<string, number>) : {};
    const seenForms = forms.filter(({ fact }) => this.#count(fact, counts[fact] ?? 0));
    return [...seen, ...seenForms].filter(
      ({ fact, sampled }) => sampled && this.samplesMissing(fact) > 0,
    );
  }

  samplesMissing(fact: string): number {
    return MAX_SAMPLES - (this.#samples.get(fact)?.length ?? 0);
  }

  addSamples(fact: string, keys: readonly RowKey[]): void {
    this.#samples.set(fact, [...(this.#samples.get(fact) ?? []), ...keys]);
  }

  scan(): ColumnScan {
    return {
      facts: Object.fromEntries([...this.#facts].sort(([a], [b]) => (a < b ? -1 : 1))),
      minInteger: this.#minInteger === null ? null : String(this.#minInteger),
      maxInteger: this.#maxInteger === null ? null : String(this.#maxInteger),
      maxLength: this.#maxLength,
      samples: Object.fromEntries([...this.#samples].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #addIntegers(min: Row[number] | undefined, max: Row[number] | undefined): void {
    if (typeof min === 'string') this.#minInteger = smaller(this.#minInteger, BigInt(min));
    if (typeof max === 'string') this.#maxInteger = greater(this.#maxInteger, BigInt(max));
  }

  #addLength(length: Row[number] | undefined): void {
    if (typeof length === 'number') this.#maxLength = Math.max(this.#maxLength ?? 0, length);
  }

  #count(fact: string, count: number): boolean {
    if (count > 0) this.#facts.set(fact, (this.#facts.get(fact) ?? 0) + count);
    return count > 0;
  }
}

function smaller(a: bigint | null, b: bigint): bigint {
  return a === null || b < a ? b : a;
}

function greater(a: bigint | null, b: bigint): bigint {
  return a === null || b > a ? b : a;
}
