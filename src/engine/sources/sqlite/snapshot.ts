import type {
  CanonicalBatch,
  ConsistencyLevel,
  EncodedBatch,
  PlannedTable,
  ReadRequest,
  SourceSnapshot,
} from '../../contract.ts';
import { startThread, type SqliteThread } from './thread.ts';

/** Another program may commit between two lanes' first reads; then the lanes begin anew. */
const ATTEMPTS = 10;

/**
 * Opens the lanes. For `snapshot` each holds a read transaction, and `control` proves that nothing was committed between
 * the first and the last of them. Where that does not succeed, the level is `none`, and says so.
 */
export async function openSnapshot(request: {
  readonly path: string;
  readonly control: SqliteThread;
  readonly lanes: number;
  readonly consistency: ConsistencyLevel;
}): Promise<SourceSnapshot> {
  const holdsTransaction = request.consistency === 'snapshot';
  const threads = Array.from({ length: Math.max(1, request.lanes) }, () =>
    startThread(request.path, holdsTransaction),
  );
  try {
    const isOneMoment = holdsTransaction && (await beginTogether(threads, request.control));
    if (!holdsTransaction) await Promise.all(threads.map((thread) => thread.call('version', null)));
    return new SqliteSnapshot(threads, isOneMoment ? 'snapshot' : 'none');
  } catch (error) {
    await closeAll(threads);
    throw error;
  }
}

async function beginTogether(
  threads: readonly SqliteThread[],
  control: SqliteThread,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const before = await control.call('dataVersion', null);
    await Promise.all(threads.map((thread) => thread.call('beginSnapshot', null)));
    const after = await control.call('dataVersion', null);
    if (before === after) return true;
    if (attempt === ATTEMPTS) return false;
    await Promise.all(threads.map((thread) => thread.call('endSnapshot', null)));
  }
}

class SqliteSnapshot implements SourceSnapshot {
  readonly level: ConsistencyLevel;
  readonly lanes: number;
  readonly #threads: readonly SqliteThread[];

  constructor(threads: readonly SqliteThread[], level: ConsistencyLevel) {
    this.#threads = threads;
    this.level = level;
    this.lanes = threads.length;
  }

  async countRows(request: {
    readonly lane: number;
    readonly table: PlannedTable;
    readonly signal: AbortSignal;
  }): Promise<number> {
    return await this.#thread(request.lane).call(
      'countRows',
      { table: request.table.source },
      request.signal,
    );
  }

  readChunk({ lane, signal, ...request }: ReadRequest): AsyncIterable<EncodedBatch> {
    const { table, chunk, policies, describe = false } = request;
    return this.#thread(lane).stream('readChunk', { table, chunk, policies, describe }, signal);
  }

  readCanonical({
    lane,
    table,
    chunk,
    policies,
    excluding,
    signal,
  }: ReadRequest & { readonly excluding: ReadonlySet<string> }): AsyncIterable<CanonicalBatch> {
    return this.#thread(lane).stream(
      'readCanonical',
      { table, chunk, policies, excluding },
      signal,
    );
  }

  async close(): Promise<void> {
    await closeAll(this.#threads);
  }

  #thread(lane: number): SqliteThread {
    const thread = this.#threads[lane];
    if (thread === undefined) throw new RangeError(`lane ${String(lane)} of ${String(this.lanes)}`);
    return thread;
  }
}

async function closeAll(threads: readonly SqliteThread[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.close()));
}
