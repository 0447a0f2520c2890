import type { Chunk, KeyTuple, PlannedTable, RowKey } from '../../contract.ts';
import { addMultisets, createDigest } from '../../digest.ts';
import { SOURCE_DRIVERS } from '../../sources/registry.ts';
import type { CompareRequest, RangeFailure, VerifyTableRequest } from './request.ts';
import { canonicalLines, encodedLines, noLines } from './source-lines.ts';
import {
  asCanonical,
  asLine,
  digestRange,
  digestTarget,
  findRangeDifferences,
  nameDifferences,
  rangeOf,
  replayedOf,
} from './target-range.ts';

/** How a range of rows is compared: a chunk, or (null) the whole table. Null: it is what it should be. */
export const COMPARISONS = {
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
export async function compareReplays(request: VerifyTableRequest): Promise<RangeFailure | null> {
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

export function describeFailure(
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

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
