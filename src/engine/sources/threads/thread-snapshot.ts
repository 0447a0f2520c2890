import type {
  CanonicalBatch,
  ConsistencyLevel,
  EncodedBatch,
  PlannedTable,
  ReadRequest,
  SourceSnapshot,
} from '../../contract.ts';
import type { SourceThread } from './source-thread.ts';

/** What the source's own way of fixing a moment came to. */
export interface Moment {
  readonly level: ConsistencyLevel;
  /** As in `SourceSnapshot`. */
  readonly position?: string | null;
}

/** Readers of one moment, each lane a thread. Closing it ends the threads. */
export class ThreadSnapshot<Thread extends SourceThread> implements SourceSnapshot {
  readonly level: ConsistencyLevel;
  readonly position: string | null;
  readonly lanes: number;
  readonly #threads: readonly Thread[];

  constructor(threads: readonly Thread[], { level, position = null }: Moment) {
    this.#threads = threads;
    this.level = level;
    this.position = position;
    this.lanes = threads.length;
  }

  async countRows(request: {
    readonly lane: number;
    readonly table: PlannedTable;
    readonly signal: AbortSignal;
  }): Promise<number> {
    const argument = { table: request.table.source };
    return await this.#thread(request.lane).call('countRows', argument, request.signal);
  }

  readChunk(request: ReadRequest): AsyncIterable<EncodedBatch> {
    const { lane, table, chunk, policies, describe = false, signal } = request;
    return this.#thread(lane).stream('readChunk', { table, chunk, policies, describe }, signal);
  }

  readCanonical(
    request: ReadRequest & { readonly excluding: ReadonlySet<string> },
  ): AsyncIterable<CanonicalBatch> {
    const { lane, table, chunk, policies, excluding, signal } = request;
    const argument = { table, chunk, policies, excluding };
    return this.#thread(lane).stream('readCanonical', argument, signal);
  }

  async close(): Promise<void> {
    await closeThreads(this.#threads);
  }

  #thread(lane: number): Thread {
    const thread = this.#threads[lane];
    if (thread === undefined) throw new RangeError(`lane ${String(lane)} of ${String(this.lanes)}`);
    return thread;
  }
}

export async function closeThreads(threads: readonly SourceThread[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.close()));
}
