import type pg from 'pg';
import { AppError } from '../../../errors/app-error.ts';
import type {
  Adjustment,
  DescribedLine,
  EncodedBatch,
  PlannedTable,
  Reject,
  RowKey,
} from '../../contract.ts';
import { CopyWriter } from '../../target/copy-writer.ts';
import { isRowRefusal } from '../../target/errors.ts';
import { findRefusal, findRefusedLine } from './refusal-context.ts';

/** What became of a batch whose rows the target may refuse. */
export interface CarefulResult {
  readonly rowsCopied: number;
  readonly rejects: readonly Reject[];
  /** Of the rows that were copied. */
  readonly adjustments: readonly Adjustment[];
}

export interface CarefulWriterOptions {
  readonly session: pg.PoolClient;
  readonly table: PlannedTable;
  readonly signal: AbortSignal;
  /** Called with each run of lines that has landed, in the order of the lines. */
  readonly onLanded: (lines: Uint8Array) => void;
}

/** Lines `from` (inclusive) to `to` (exclusive) of a batch. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const EMPTY_BATCH: EncodedBatch = {
  rowsRead: 0,
  rowsEncoded: 0,
  lines: new Uint8Array(),
  rejects: [],
  adjustments: [],
};
const SAVEPOINT = 'hub_rows';
const GROWTH = 4;

/**
 * Writes batches into a table that refuses some of their rows: in runs of lines, each a COPY of its own under a savepoint.
 * Where the server tells the line that it stumbled over, the lines before it are sent once more without it, else the run is
 * halved until the line stands alone. So k bad rows of n take O(k log n) round trips. A run is as long as the distance of bad
 * rows lets hope: however many are bad, no line is sent more than a few times.
 *
 * Never holds more than one batch.
 */
export class CarefulWriter {
  readonly #options: CarefulWriterOptions;
  /** Where the transaction stands: what has to be sent ahead of the next COPY. */
  #state: 'begun' | 'landed' | 'refused' = 'begun';
  #batch = new Batch(EMPTY_BATCH, '');
  #rejects = new Map<number, Reject>();
  #run = Number.MAX_SAFE_INTEGER;

  constructor(options: CarefulWriterOptions) {
    this.#options = options;
  }

  /** Constraints that would only be checked at the commit could not be put down to a row any more. */
  async begin(): Promise<void> {
    await this.#options.session.query('SET CONSTRAINTS ALL IMMEDIATE');
  }

  /** Throws what is no row's fault. */
  async write(batch: EncodedBatch): Promise<CarefulResult> {
    this.#batch = new Batch(batch, this.#options.table.source);
    this.#rejects = new Map();
    await this.#writeRange({ from: 0, to: batch.rowsEncoded });
    return {
      rowsCopied: batch.rowsEncoded - this.#rejects.size,
      rejects: [...this.#rejects.values()],
      adjustments: sumAdjustments(
        this.#batch.described.filter((_, line) => !this.#rejects.has(line)),
      ),
    };
  }

  async #writeRange({ from, to }: Range): Promise<void> {
    let next = from;
    while (next < to) {
      const run = { from: next, to: Math.min(to, next + this.#run) };
      const error = await this.#try(run);
      next = run.to;
      if (error === null) {
        this.#run = Math.min(this.#run * GROWTH, Number.MAX_SAFE_INTEGER);
        continue;
      }
      const line = await this.#findLine(run, error);
      if (line === null) {
        await this.#halve(run, error);
        continue;
      }
      if (line > run.from) await this.#writeRange({ from: run.from, to: line });
      this.#refuse(line, error);
      next = line + 1;
      this.#run = Math.max(2, 2 * (next - run.from));
    }
  }

  /** The bad line of a run that was refused for `error`; null where the server does not say. */
  async #findLine(run: Range, error: pg.DatabaseError): Promise<number | null> {
    if (run.to - run.from === 1) return run.from;
    const found = findRefusedLine(error, this.#options.table, run.to - run.from);
    if (found === null) return null;
    const line = run.from + found.line - 1;
    // A number that only looks like the line's could cost a good row its place.
    return found.isCertain || (await this.#isRefusedAlone(line)) ? line : null;
  }

  async #isRefusedAlone(line: number): Promise<boolean> {
    const error = await this.#copy({ from: line, to: line + 1 });
    this.#state = 'refused';
    return error !== null;
  }

  /** A run of more than one line of which some line is bad, nobody knows which. */
  async #halve(run: Range, error: pg.DatabaseError): Promise<void> {
    const middle = run.from + Math.ceil((run.to - run.from) / 2);
    let isLeftGood = true;
    for (const half of [
      { from: run.from, to: middle },
      { from: middle, to: run.to },
    ]) {
      const size = half.to - half.from;
      // With a good left half the bad line is in the right one: that need not be tried, unless it is down to one line.
      const isKnown = half.from === middle && isLeftGood && size > 1;
      const refusal: pg.DatabaseError | null = isKnown ? error : await this.#try(half);
      if (refusal === null) continue;
      isLeftGood = false;
      if (size === 1) this.#refuse(half.from, refusal);
      else await this.#halve(half, refusal);
    }
  }

  /** Lands a run, or gives the reason for which the target refuses some row of it; then nothing of the run is there. */
  async #try(run: Range): Promise<pg.DatabaseError | null> {
    const error = await this.#copy(run);
    if (error === null) this.#options.onLanded(this.#batch.linesOf(run));
    return error;
  }

  async #copy(run: Range): Promise<pg.DatabaseError | null> {
    const { session, table, signal } = this.#options;
    signal.throwIfAborted();
    const writer = new CopyWriter(session, table, SQL_AHEAD[this.#state]);
    try {
      await writer.write(this.#batch.linesOf(run), signal);
      const rows = await writer.finish();
      // A trigger of the target can leave rows out without a word.
      if (rows !== run.to - run.from)
        throw new AppError('ROWS_UNACCOUNTED', { tables: [table.source] });
    } catch (error) {
      signal.throwIfAborted();
      if (!isRowRefusal(error)) throw error;
      this.#state = 'refused';
      return error;
    }
    this.#state = 'landed';
    return null;
  }

  #refuse(line: number, error: pg.DatabaseError): void {
    const { table } = this.#options;
    const { key, locator, row } = this.#batch.describe(line);
    this.#rejects.set(line, {
      key,
      locator,
      row,
      ...findRefusal(error, table),
    });
  }

  /** Takes back what the last refused run has left. To be called before anything else is asked of the session. */
  async end(): Promise<void> {
    if (this.#state === 'begun') return;
    await this.#options.session.query(
      this.#state === 'refused'
        ? `ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`
        : `RELEASE SAVEPOINT ${SAVEPOINT}`,
    );
    this.#state = 'begun';
  }
}

const SQL_AHEAD = {
  begun: `SAVEPOINT ${SAVEPOINT}; `,
  landed: `RELEASE SAVEPOINT ${SAVEPOINT}; SAVEPOINT ${SAVEPOINT}; `,
  refused: `ROLLBACK TO SAVEPOINT ${SAVEPOINT}; `,
} as const;

const NEWLINE = 0x0a;

/** A batch whose lines can be reached one by one. */
class Batch {
  readonly described: readonly DescribedLine[];
  readonly #lines: Uint8Array;
  /** Where each line begins, and where the last ends. */
  readonly #starts: readonly number[];

  constructor({ lines, rowsEncoded, described = [] }: EncodedBatch, table: string) {
    const starts = [0];
    for (let end = lines.indexOf(NEWLINE); end !== -1; end = lines.indexOf(NEWLINE, end + 1))
      starts.push(end + 1);
    if (starts.length - 1 !== rowsEncoded || described.length !== rowsEncoded)
      throw new Error(`a batch of ${table} does not describe each of its lines`);
    this.described = described;
    this.#lines = lines;
    this.#starts = starts;
  }

  linesOf({ from, to }: Range): Uint8Array {
    return this.#lines.subarray(this.#starts[from], this.#starts[to]);
  }

  describe(line: number): DescribedLine {
    const described = this.described[line];
    if (described === undefined) throw new RangeError(`line ${String(line)} of a batch`);
    return described;
  }
}

const MAX_SAMPLE_KEYS = 5;

function sumAdjustments(lines: readonly DescribedLine[]): Adjustment[] {
  const sums = new Map<
    string,
    { count: number; sampleKeys: RowKey[] } & Omit<Adjustment, 'count'>
  >();
  for (const { key, adjustments } of lines) {
    for (const { column, rule } of adjustments) {
      const id = JSON.stringify([column, rule]);
      const sum = sums.get(id) ?? { column, rule, count: 0, sampleKeys: [] };
      sum.count += 1;
      if (sum.sampleKeys.length < MAX_SAMPLE_KEYS) sum.sampleKeys.push(key);
      sums.set(id, sum);
    }
  }
  return [...sums.values()];
}
