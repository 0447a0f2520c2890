import type {
  CanonicalBatch,
  ConsistencyLevel,
  EncodedBatch,
  PlannedTable,
  ReadRequest,
  SourceSnapshot,
} from '../../contract.ts';
import { Lane } from './lane.ts';
import { readCanonical } from './read-canonical.ts';
import { readChunk } from './read-chunk.ts';
import { relationOf } from './relation.ts';
import type { PostgresServer, PostgresSession } from './session.ts';

const NEVER = new AbortController().signal;

/**
 * Opens the lanes. For `snapshot` one session exports its moment and stays, the lanes join it. Where that is not to be had (a
 * pooler, several servers behind one address), one lane reads in one transaction: still one moment, only slower.
 */
export async function openSnapshot(request: {
  readonly server: PostgresServer;
  readonly lanes: number;
  readonly consistency: ConsistencyLevel;
}): Promise<SourceSnapshot> {
  const { server, consistency } = request;
  const lanes = Math.max(1, request.lanes);
  if (consistency === 'none') {
    const opened = Array.from({ length: lanes }, () => new Lane(server, { kind: 'each' }));
    await opened[0]?.use('the source', NEVER, async () => Promise.resolve());
    return new PostgresSnapshot({ server, lanes: opened, exporter: null, level: 'none' });
  }
  const shared = await openShared(server, lanes);
  if (shared !== null) return shared;
  const lane = new Lane(server, { kind: 'own' });
  await lane.use('the source', NEVER, async () => Promise.resolve());
  return new PostgresSnapshot({ server, lanes: [lane], exporter: null, level: 'snapshot' });
}

/** Null where the moment cannot be shared. */
async function openShared(
  server: PostgresServer,
  wanted: number,
): Promise<PostgresSnapshot | null> {
  const exporter = await server.connect();
  const lanes: Lane[] = [];
  try {
    const id = await exportSnapshot(server, exporter);
    if (id === null) {
      exporter.end();
      return null;
    }
    for (let number = 0; number < wanted; number += 1) {
      const lane = new Lane(server, { kind: 'shared', id });
      if (!(await joins(lane))) break;
      lanes.push(lane);
    }
    if (lanes.length > 0)
      return new PostgresSnapshot({ server, lanes, exporter, level: 'snapshot' });
    exporter.end();
    return null;
  } catch (error) {
    exporter.end();
    for (const lane of lanes) lane.close();
    throw error;
  }
}

async function exportSnapshot(
  server: PostgresServer,
  exporter: PostgresSession,
): Promise<string | null> {
  await server.guard(exporter, 'the source', NEVER, () => exporter.begin());
  try {
    const [row] = await exporter.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
    return row?.id ?? null;
  } catch {
    return null;
  }
}

/** False where a lane cannot be had: the server has no connection left, or this is not the server that exported. */
async function joins(lane: Lane): Promise<boolean> {
  try {
    await lane.use('the source', NEVER, async () => Promise.resolve());
    return true;
  } catch {
    lane.close();
    return false;
  }
}

class PostgresSnapshot implements SourceSnapshot {
  readonly level: ConsistencyLevel;
  readonly lanes: number;
  readonly #server: PostgresServer;
  readonly #lanes: readonly Lane[];
  readonly #exporter: PostgresSession | null;

  constructor(parts: {
    readonly server: PostgresServer;
    readonly lanes: readonly Lane[];
    readonly exporter: PostgresSession | null;
    readonly level: ConsistencyLevel;
  }) {
    this.#server = parts.server;
    this.#lanes = parts.lanes;
    this.#exporter = parts.exporter;
    this.level = parts.level;
    this.lanes = parts.lanes.length;
  }

  async countRows(request: {
    readonly lane: number;
    readonly table: PlannedTable;
    readonly signal: AbortSignal;
  }): Promise<number> {
    const { source } = request.table;
    return await this.#lane(request.lane).use(source, request.signal, async (session) => {
      const relation = await relationOf(session, this.#server.schema, source);
      const [row] = await session.query<{ rows: string }>(
        `SELECT count(*) AS rows FROM ${relation.from}`,
      );
      return Number(row?.rows ?? 0);
    });
  }

  readChunk(request: ReadRequest): AsyncIterable<EncodedBatch> {
    return readChunk(this.#server, this.#lane(request.lane), request);
  }

  readCanonical(
    request: ReadRequest & { readonly excluding: ReadonlySet<string> },
  ): AsyncIterable<CanonicalBatch> {
    return readCanonical(this.#server, this.#lane(request.lane), request);
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) lane.close();
    this.#exporter?.end();
    await this.#server.close();
  }

  #lane(number: number): Lane {
    const lane = this.#lanes[number];
    if (lane === undefined) throw new RangeError(`lane ${String(number)} of ${String(this.lanes)}`);
    return lane;
  }
}
