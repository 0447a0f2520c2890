import type { Adjustment, ReasonCode, RowKey } from '../../contract.ts';

const MAX_SAMPLE_KEYS = 5;

/** The adjustments of a batch, one entry a column and rule. */
export class AdjustmentSums {
  readonly #sums = new Map<string, { readonly first: Adjustment; count: number; keys: RowKey[] }>();

  add(column: string, rule: ReasonCode, key: () => RowKey): void {
    const id = `${rule} ${column}`;
    const sum = this.#sums.get(id) ?? {
      first: { column, rule, count: 0, sampleKeys: [] },
      count: 0,
      keys: [],
    };
    sum.count += 1;
    if (sum.keys.length < MAX_SAMPLE_KEYS) sum.keys.push(key());
    this.#sums.set(id, sum);
  }

  all(): Adjustment[] {
    return [...this.#sums.values()].map(({ first, count, keys }) => ({
      ...first,
      count,
      sampleKeys: keys,
    }));
  }
}
