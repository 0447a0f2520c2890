import { AppError } from '../../errors/app-error.ts';
import type {
  Chunk,
  EncodedBatch,
  KeyTuple,
  Plan,
  PlannedTable,
  RowKey,
  SourceSnapshot,
  VerifyMode,
} from '../contract.ts';
import { addMultisets, createDigest } from '../digest.ts';
import { inLanes } from '../lanes.ts';
import { SOURCE_DRIVERS } from '../sources/registry.ts';
import { qualifiedName } from '../target/identifiers.ts';
import type { Ledger, LedgerChunk, LedgerObject } from '../target/ledger.ts';
import { readBack, type ReadBackRequest } from '../target/read-back.ts';
import type { Replay } from '../target/replays.ts';
import type { Target } from '../target/target.ts';
import {
  findDifferences,
  type Differences,
  type FindDifferencesRequest,
} from './verify/differences.ts';

export interface VerifyRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly mode: Exclude<VerifyMode, 'none'>;
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** Readers on the source: `full` needs them, `checksum` uses them to name the rows that differ. */
  readonly openSnapshot: () => Promise<SourceSnapshot>;
  /** Locators of the rows of a chunk that were rejected. */
  readonly rejectedLocators: (table: PlannedTable, chunk: Chunk) => Promise<ReadonlySet<string>>;
  readonly onTable?: (verdict: TableVerdict) => Promise<void> | void;
}

/** What verification says of one table. */
export interface TableVerdict {
  readonly table: string;
  readonly verdict: 'passed' | 'failed';
  readonly mode: Exclude<VerifyMode, 'none'>;
  readonly rowsExpected: number;
  readonly rowsFound: number;
  /** The first 200 at most; only the first 20 have their rows named. */
  readonly failures: readonly RangeFailure[];
  /** Failures beyond those that are listed. */
  readonly failuresOmitted?: number;
}

/** A range of rows that is not what was copied. */
export interface RangeFailure {
  readonly kind: 'count' | 'digest';
  /** null: the whole table, whose rows have no order in the target, or (with `replayed`) rows of any chunk. */
  readonly chunk: number | null;
  /** The rejects that were mended and replayed, which belong to no chunk. */
  readonly replayed?: true;
  /** Key range: lower exclusive, upper inclusive, null = open. */
  readonly lower: RowKey | null;
  readonly upper: RowKey | null;
  readonly rowsExpected: number;
  readonly rowsFound: number;
  /** The rows themselves, where the source could be asked; null = it could not. */
  readonly differences: Differences | null;
}

const NEWLINE = 0x0a;

type Readers = () => Promise<SourceSnapshot>;

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
  const readers: Readers = () => (opened ??= request.openSnapshot());
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

interface VerifyTableRequest extends VerifyRequest {
  readonly table: PlannedTable;
  readonly lane: number;
  readonly readers: Readers;
  /** Shared by all lanes: one range's hashes may fill hundreds of megabytes. */
  readonly naming: Mutex;
  readonly object: LedgerObject | undefined;
  readonly copied: ReadonlyMap<number, LedgerChunk>;
  /** Rows that have landed after the chunks, and are in no digest of theirs. */
  readonly replayed: readonly Replay[];
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

interface CompareRequest extends VerifyTableRequest {
  readonly namesRows: boolean;
}

const COMPARISONS = {
  count: compareCount,
  checksum: compareWithLedger,
  full: compareCanonical,
} as const;

/** Finds the range of rows that are missing or too many. */
async function compareCount(
  request: CompareRequest,
  chunk: Chunk | null,
): Promise<RangeFailure | null> {
  const rowsExpected = request.copied.get(chunk?.number ?? 0)?.rowsCopied ?? 0;
  const { rows } = await digestTarget(request, chunk, { kind: 'multiset', fields: ["''"] });
  if (rows === rowsExpected) return null;
  return describeFailure(request.table, chunk, {
    kind: 'count',
    rowsExpected,
    rowsFound: rows,
    differences: null,
  });
}

async function compareWithLedger(
  request: CompareRequest,
  chunk: Chunk | null,
): Promise<RangeFailure | null> {
  const { table, copied } = request;
  const replayed = replayedOf(request, chunk);
  const parts =
    chunk === null
      ? [...copied.values()]
      : [copied.get(chunk.number)].filter((part) => part !== undefined);
  const expected = {
    rows: sum(parts.map(({ rowsCopied }) => rowsCopied)) + replayed.length,
    digest:
      chunk === null
        ? addMultisets([...parts, ...replayed.map(asLine)].map(({ digest }) => digest))
        : (parts[0]?.digest ?? ''),
  };
  const found = await digestTarget(request, chunk, { kind: table.digest });
  if (found.rows === expected.rows && found.digest === expected.digest) return null;

  const differences = await nameDifferences(request, chunk, {
    sourceLines: (snapshot) => encodedLines(request, snapshot, chunk),
    alsoExpected: replayed.map(asLine),
  });
  return describeFailure(table, chunk, {
    kind: 'digest',
    rowsExpected: expected.rows,
    rowsFound: found.rows,
    differences,
  });
}

async function compareCanonical(
  request: CompareRequest,
  chunk: Chunk | null,
): Promise<RangeFailure | null> {
  const { plan, table } = request;
  const replayed = replayedOf(request, chunk).map(asCanonical);
  const snapshot = await request.readers();
  const { canonicalTargetExpression } = SOURCE_DRIVERS[plan.source.kind];
  const fields = table.columns.map(canonicalTargetExpression);
  // The order of rows is the encoder's business, so it must not be part of an independent comparison.
  const source = createDigest('multiset');
  for await (const lines of canonicalLines(request, snapshot, chunk)) source.update(lines);
  const found = await digestTarget(request, chunk, { kind: 'multiset', fields });
  const rowsExpected = source.rows + replayed.length;
  const expected = addMultisets([source.finish(), ...replayed.map(({ digest }) => digest)]);
  if (found.rows === rowsExpected && found.digest === expected) return null;

  const differences = await nameDifferences(request, chunk, {
    fields,
    sourceLines: (readers) => canonicalLines(request, readers, chunk),
    alsoExpected: replayed,
  });
  return describeFailure(table, chunk, {
    kind: 'digest',
    rowsExpected,
    rowsFound: found.rows,
    differences,
  });
}

/**
 * Rows that were replayed into a table whose rows have an order: their mended keys can be of any chunk, so they are left out
 * of all of them, and compared here by themselves with what they were when they landed.
 */
async function compareReplays(request: VerifyTableRequest): Promise<RangeFailure | null> {
  const { plan, table, mode, replayed } = request;
  if (replayed.length === 0) return null;
  const isCanonical = mode === 'full';
  const { canonicalTargetExpression } = SOURCE_DRIVERS[plan.source.kind];
  const range = {
    ...rangeOf(request, null, 'alone'),
    ...(isCanonical ? { fields: table.columns.map(canonicalTargetExpression) } : {}),
  };
  const expected = replayed.map(isCanonical ? asCanonical : asLine);
  const found = await digestRange(request, range, 'multiset');
  const isEqual =
    mode === 'count' || found.digest === addMultisets(expected.map(({ digest }) => digest));
  if (found.rows === expected.length && isEqual) return null;

  const differences =
    mode === 'count'
      ? null
      : await findRangeDifferences(request, range, { source: noLines(), alsoExpected: expected });
  const failure = describeFailure(table, null, {
    kind: mode === 'count' ? 'count' : 'digest',
    rowsExpected: expected.length,
    rowsFound: found.rows,
    differences,
  });
  return { ...failure, replayed: true };
}

interface ExpectedRow {
  readonly digest: string;
  readonly key: RowKey;
}

function asLine({ lineDigest, label }: Replay): ExpectedRow {
  return { digest: lineDigest, key: label };
}

function asCanonical({ canonicalDigest, label }: Replay): ExpectedRow {
  return { digest: canonicalDigest, key: label };
}

/** The replayed rows that are read back together with a range: only the whole table has them in it. */
function replayedOf({ replayed }: VerifyTableRequest, chunk: Chunk | null): readonly Replay[] {
  return chunk === null ? replayed : [];
}

/** What to read back. Without replays there is nothing to tell apart, and the ledger may be of before there were any. */
function rangeOf(
  { table, ledger, replayed }: VerifyTableRequest,
  chunk: Chunk | null,
  are: 'excluded' | 'alone',
): ReadBackRequest {
  const { jobId } = ledger;
  if (replayed.length === 0 || table.digest === 'multiset') return { table, chunk };
  return { table, chunk, replays: { jobId, are } };
}

async function digestTarget(
  request: VerifyTableRequest,
  chunk: Chunk | null,
  { kind, fields }: { readonly kind: 'ordered' | 'multiset'; readonly fields?: readonly string[] },
): Promise<{ readonly rows: number; readonly digest: string }> {
  const range = {
    ...rangeOf(request, chunk, 'excluded'),
    ...(fields === undefined ? {} : { fields }),
  };
  return await digestRange(request, range, kind);
}

async function digestRange(
  { target, table, signal }: VerifyTableRequest,
  range: ReadBackRequest,
  kind: 'ordered' | 'multiset',
): Promise<{ readonly rows: number; readonly digest: string }> {
  const digest = createDigest(kind);
  await target.withSession(
    `reading ${table.target} back`,
    async (session) => {
      for await (const bytes of readBack(session, range)) {
        signal.throwIfAborted();
        digest.update(bytes);
      }
    },
    signal,
  );
  return { rows: digest.rows, digest: digest.finish() };
}

interface NamingRequest {
  readonly fields?: readonly string[];
  readonly sourceLines: (snapshot: SourceSnapshot) => AsyncIterable<Uint8Array>;
  readonly alsoExpected: readonly ExpectedRow[];
}

/** Finds the rows behind a difference. A source that cannot be read any more leaves the key range as the answer. */
async function nameDifferences(
  request: CompareRequest,
  chunk: Chunk | null,
  { fields, sourceLines, alsoExpected }: NamingRequest,
): Promise<Differences | null> {
  if (!request.namesRows) return null;
  const range = {
    ...rangeOf(request, chunk, 'excluded'),
    ...(fields === undefined ? {} : { fields }),
  };
  try {
    const source = sourceLines(await request.readers());
    return await findRangeDifferences(request, range, { source, alsoExpected });
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof AppError && error.code.startsWith('SOURCE_')) return null;
    throw error;
  }
}

async function findRangeDifferences(
  { target, table, naming, signal }: VerifyTableRequest,
  range: ReadBackRequest,
  expected: Pick<FindDifferencesRequest, 'source' | 'alsoExpected'>,
): Promise<Differences> {
  const isCanonical = range.fields !== undefined;
  return await naming.run(() =>
    target.withSession(
      `reading ${table.target} back`,
      (session) =>
        findDifferences({ table, isCanonical, ...expected, target: readBack(session, range) }),
      signal,
    ),
  );
}

// eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
async function* noLines(): AsyncGenerator<Uint8Array> {
  yield* [];
}

/** What was sent of a range, as far as it landed: lines that the target has refused are rejects too. */
async function* encodedLines(
  request: VerifyTableRequest,
  snapshot: SourceSnapshot,
  range: Chunk | null,
): AsyncIterable<Uint8Array> {
  const { table, plan, lane, signal } = request;
  for (const chunk of range === null ? table.chunks : [range]) {
    const rejected = await request.rejectedLocators(table, chunk);
    const batches = snapshot.readChunk({
      lane: lane % snapshot.lanes,
      table,
      chunk,
      policies: plan.options.policies,
      signal,
      describe: rejected.size > 0,
    });
    for await (const batch of batches) yield* linesWithout(batch, rejected);
  }
}

/** The lines of a batch less those of some rows, in runs as long as can be. */
function* linesWithout(
  { lines, described }: EncodedBatch,
  locators: ReadonlySet<string>,
): Iterable<Uint8Array> {
  let from = 0;
  let end = 0;
  for (const { locator } of locators.size === 0 ? [] : (described ?? [])) {
    const start = end;
    end = lines.indexOf(NEWLINE, start) + 1;
    if (!locators.has(locator)) continue;
    if (start > from) yield lines.subarray(from, start);
    from = end;
  }
  if (from < lines.length) yield lines.subarray(from);
}

async function* canonicalLines(
  request: VerifyTableRequest,
  snapshot: SourceSnapshot,
  range: Chunk | null,
): AsyncIterable<Uint8Array> {
  const { table, plan, lane, signal } = request;
  for (const chunk of range === null ? table.chunks : [range]) {
    const excluding = await request.rejectedLocators(table, chunk);
    const batches = snapshot.readCanonical({
      lane: lane % snapshot.lanes,
      table,
      chunk,
      policies: plan.options.policies,
      excluding,
      signal,
    });
    for await (const { lines } of batches) yield lines;
  }
}

/** Lets one in at a time, in the order of coming. */
class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}

function describeFailure(
  table: PlannedTable,
  chunk: Chunk | null,
  found: Pick<RangeFailure, 'kind' | 'rowsExpected' | 'rowsFound' | 'differences'>,
): RangeFailure {
  const columns = table.chunkKey?.columns ?? [];
  const bound = (tuple: KeyTuple | null): RowKey | null =>
    tuple === null
      ? null
      : Object.fromEntries(columns.map((name, index) => [name, tuple[index] ?? null]));
  return {
    chunk: chunk?.number ?? null,
    lower: bound(chunk?.lower ?? null),
    upper: bound(chunk?.upper ?? null),
    ...found,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
