import type { Chunk, SourceSnapshot } from '../contract.ts';
import { inLanes } from '../lanes.ts';
import { qualifiedName } from '../target/identifiers.ts';
import type { LedgerChunk } from '../target/ledger.ts';
import { COMPARISONS, compareReplays, describeFailure, sum } from './verify/compare.ts';
import { Mutex } from './verify/mutex.ts';
import type {
  RangeFailure,
  TableVerdict,
  VerifyRequest,
  VerifyTableRequest,
} from './verify/request.ts';

export type { TableVerdict, VerifyRequest } from './verify/request.ts';

/** Naming rows reads a range twice more and keeps its hashes: where all is different, that says nothing new. */
const MAX_NAMED_RANGES = 20;
const MAX_LISTED_FAILURES = 200;

/**
 * Compares the target with what was copied. `count`: rows. `checksum`: the rows read back against the digest of the lines
 * that were sent. `full`: the source is read again and rendered by code that shares nothing with the encoders.
 * Gives a verdict for every table; does not throw for a failed one.
 */
export async function verify(request: VerifyRequest): Promise<TableVerdict[]> {
  const objects = await request.ledger.objects();
  const chunks = await request.ledger.chunks();
  const replays = await request.ledger.replays();
  let opened: Promise<SourceSnapshot> | null = null;
  const readers = (): Promise<SourceSnapshot> => (opened ??= request.openSnapshot());
  const naming = new Mutex();
  const verdicts = new Map<string, TableVerdict>();
  try {
    const lanes = request.mode === 'full' ? (await readers()).lanes : request.lanes;
    await inLanes(
      request.plan.tables,
      { lanes, signal: request.signal },
      async (table, lane, signal) => {
        const verdict = await verifyTable({
          ...request,
          table,
          lane,
          signal,
          readers,
          naming,
          object: objects.get(table.source),
          copied: chunks.get(table.source) ?? new Map<number, LedgerChunk>(),
          replayed: replays.get(table.source) ?? [],
        });
        verdicts.set(table.source, verdict);
        await request.onTable?.(verdict);
      },
    );
  } finally {
    await (opened as Promise<SourceSnapshot> | null)
      ?.then((snapshot) => snapshot.close())
      .catch(() => undefined);
  }
  return request.plan.tables.flatMap((table) => verdicts.get(table.source) ?? []);
}

async function verifyTable(request: VerifyTableRequest): Promise<TableVerdict> {
  const { table, copied, replayed, object } = request;
  // Rows that were there before cannot be told from those that came: what is left to compare is how many there are.
  const mode = object?.origin === 'appended' ? 'count' : request.mode;
  const rowsExpected =
    sum([...copied.values()].map(({ rowsCopied }) => rowsCopied)) +
    replayed.length +
    (object?.rowsBefore ?? 0);
  const rowsFound = object === undefined ? 0 : await countRows(request);
  const isCounted = mode === 'count' && rowsFound === rowsExpected;
  const { failures, omitted } =
    object === undefined || isCounted ? NO_FAILURES : await compareRanges({ ...request, mode });
  const countFailure: RangeFailure[] =
    rowsFound === rowsExpected || failures.length > 0
      ? []
      : [
          describeFailure(table, null, {
            kind: 'count',
            rowsExpected,
            rowsFound,
            differences: null,
          }),
        ];
  const allFailures = [...failures, ...countFailure];
  const isComplete = object !== undefined && copied.size === table.chunks.length;
  return {
    table: table.source,
    verdict: isComplete && allFailures.length === 0 ? 'passed' : 'failed',
    mode,
    rowsExpected,
    rowsFound,
    failures: allFailures,
    failuresOmitted: omitted,
  };
}

async function countRows({ target, table, signal }: VerifyTableRequest): Promise<number> {
  const sql = `SELECT count(*) AS rows FROM ${qualifiedName(table)}`;
  const [row] = await target.query<{ rows: string }>(`counting ${table.target}`, sql, [], signal);
  return Number(row?.rows ?? 0);
}

interface RangeFailures {
  readonly failures: readonly RangeFailure[];
  readonly omitted: number;
}

const NO_FAILURES: RangeFailures = { failures: [], omitted: 0 };

/** The ranges of a table that differ, in order. */
async function compareRanges(request: VerifyTableRequest): Promise<RangeFailures> {
  const { table, mode, object } = request;
  // Where rows have no order, or others were there before, the whole table's number is all that can be said.
  if (mode === 'count' && (table.digest === 'multiset' || object?.origin === 'appended'))
    return NO_FAILURES;
  const ranges: (Chunk | null)[] = table.digest === 'ordered' ? [...table.chunks] : [null];
  const failures: RangeFailure[] = [];
  let omitted = 0;
  for (const chunk of ranges) {
    request.signal.throwIfAborted();
    const namesRows = failures.length < MAX_NAMED_RANGES;
    const failure = await COMPARISONS[mode]({ ...request, namesRows }, chunk);
    if (failure === null) continue;
    if (failures.length < MAX_LISTED_FAILURES) failures.push(failure);
    else omitted += 1;
  }
  const replayFailure = table.digest === 'ordered' ? await compareReplays(request) : null;
  return {
    failures: replayFailure === null ? failures : [...failures, replayFailure],
    omitted,
  };
}
