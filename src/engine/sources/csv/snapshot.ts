import type {
  CanonicalBatch,
  ConsistencyLevel,
  EncodedBatch,
  PlannedTable,
  ReadRequest,
  SourceSnapshot,
} from '../../contract.ts';
import type { FileIdentity } from './file-identity.ts';
import type { CsvLocation } from './location.ts';
import { startThread, type CsvThread, type Identities } from './thread.ts';

/**
 * Opens the lanes. For `snapshot` the state of every file is noted, and whoever reads one makes sure before and after that it
 * is still in this state: what has changed meanwhile is an error, not a mixture of two moments.
 */
export async function openSnapshot(request: {
  readonly location: CsvLocation;
  readonly control: CsvThread;
  readonly lanes: number;
  readonly consistency: ConsistencyLevel;
}): Promise<SourceSnapshot> {
  const { location, control, consistency } = request;
  const identities = await control.call('identify', null);
  const threads = Array.from({ length: Math.max(1, request.lanes) }, () => startThread(location));
  return new CsvSnapshot(threads, consistency === 'snapshot' ? identities : null);
}

class CsvSnapshot implements SourceSnapshot {
  readonly level: ConsistencyLevel;
  readonly lanes: number;
  readonly #threads: readonly CsvThread[];
  readonly #identities: Identities | null;

  constructor(threads: readonly CsvThread[], identities: Identities | null) {
    this.#threads = threads;
    this.#identities = identities;
    this.level = identities === null ? 'none' : 'snapshot';
    this.lanes = threads.length;
  }

  async countRows(request: {
    readonly lane: number;
    readonly table: PlannedTable;
    readonly signal: AbortSignal;
  }): Promise<number> {
    const { lane, table, signal } = request;
    const identity = this.#identityOf(table);
    return await this.#thread(lane).call('countRows', { table: table.source, identity }, signal);
  }

  readChunk(request: ReadRequest): AsyncIterable<EncodedBatch> {
    const { lane, table, chunk, policies, signal, describe = false } = request;
    const identity = this.#identityOf(table);
    const argument = { table, chunk, policies, identity, describe };
    return this.#thread(lane).stream('readChunk', argument, signal);
  }

  readCanonical(
    request: ReadRequest & { readonly excluding: ReadonlySet<string> },
  ): AsyncIterable<CanonicalBatch> {
    const { lane, table, chunk, policies, excluding, signal } = request;
    const identity = this.#identityOf(table);
    const argument = { table, chunk, policies, identity, describe: false, excluding };
    return this.#thread(lane).stream('readCanonical', argument, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #identityOf({ source }: PlannedTable): FileIdentity | null {
    return this.#identities?.[source] ?? null;
  }

  #thread(lane: number): CsvThread {
    const thread = this.#threads[lane];
    if (thread === undefined) throw new RangeError(`lane ${String(lane)} of ${String(this.lanes)}`);
    return thread;
  }
}
