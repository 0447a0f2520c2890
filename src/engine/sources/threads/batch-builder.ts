import type {
  Adjustment,
  DescribedLine,
  EncodedBatch,
  ReasonCode,
  Reject,
  RowKey,
  ValueAdjustment,
} from '../../contract.ts';
import { CopyBuffer } from '../../types/copy-text.ts';

const BATCH_BYTES = 256 * 1024;
/** Room for the row that fills a batch. */
const SLACK_BYTES = 16 * 1024;
const MAX_BATCH_ROWS = 20_000;
const MAX_REJECT_BYTES = 1024 * 1024;
const MAX_SAMPLE_KEYS = 5;

interface AdjustmentSum {
  readonly column: string;
  readonly rule: ReasonCode;
  count: number;
  readonly sampleKeys: RowKey[];
}

/** Gathers rows until they are worth a message. */
export class BatchBuilder {
  out = new CopyBuffer(BATCH_BYTES + SLACK_BYTES);
  #rowsEncoded = 0;
  #rejects: Reject[] = [];
  #rejectBytes = 0;
  #adjustments = new Map<string, AdjustmentSum>();
  #described: DescribedLine[] = [];

  get isFull(): boolean {
    return (
      this.out.length >= BATCH_BYTES ||
      this.#rowsEncoded >= MAX_BATCH_ROWS ||
      this.#rejectBytes >= MAX_REJECT_BYTES
    );
  }

  get isEmpty(): boolean {
    return this.#rowsEncoded === 0 && this.#rejects.length === 0;
  }

  addRow(): void {
    this.#rowsEncoded++;
  }

  /** Says which row the line is that was added last. */
  addDescription(line: DescribedLine): void {
    this.#described.push(line);
  }

  addReject(reject: Reject, bytes: number): void {
    this.#rejects.push(reject);
    this.#rejectBytes += bytes;
  }

  addAdjustments(adjustments: readonly ValueAdjustment[], key: RowKey): void {
    for (const { column, rule } of adjustments) {
      const id = `${rule} ${column}`;
      const sum = this.#adjustments.get(id) ?? { column, rule, count: 0, sampleKeys: [] };
      sum.count++;
      if (sum.sampleKeys.length < MAX_SAMPLE_KEYS) sum.sampleKeys.push(key);
      this.#adjustments.set(id, sum);
    }
  }

  /** The rows so far, as a batch whose bytes are its own; the builder begins anew. */
  take(): EncodedBatch {
    const adjustments: Adjustment[] = [...this.#adjustments.values()];
    const batch: EncodedBatch = {
      rowsRead: this.#rowsEncoded + this.#rejects.length,
      rowsEncoded: this.#rowsEncoded,
      lines: this.out.bytes.subarray(0, this.out.length),
      rejects: this.#rejects,
      adjustments,
      ...(this.#described.length === 0 ? {} : { described: this.#described }),
    };
    this.out = new CopyBuffer(BATCH_BYTES + SLACK_BYTES);
    this.#rowsEncoded = 0;
    this.#rejects = [];
    this.#rejectBytes = 0;
    this.#adjustments = new Map();
    this.#described = [];
    return batch;
  }
}
