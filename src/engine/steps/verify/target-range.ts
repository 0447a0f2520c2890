import { AppError } from '../../../errors/app-error.ts';
import type { Chunk, RowKey, SourceSnapshot } from '../../contract.ts';
import { createDigest } from '../../digest.ts';
import { readBack, type ReadBackRequest } from '../../target/read-back.ts';
import type { Replay } from '../../target/replays.ts';
import { findDifferences, type Differences, type FindDifferencesRequest } from './differences.ts';
import type { CompareRequest, VerifyTableRequest } from './request.ts';

export interface ExpectedRow {
  readonly digest: string;
  readonly key: RowKey;
}

export function asLine({ lineDigest, label }: Replay): ExpectedRow {
  return { digest: lineDigest, key: label };
}

export function asCanonical({ canonicalDigest, label }: Replay): ExpectedRow {
  return { digest: canonicalDigest, key: label };
}

/** The replayed rows that are read back together with a range: only the whole table has them in it. */
export function replayedOf(
  { replayed }: VerifyTableRequest,
  chunk: Chunk | null,
): readonly Replay[] {
  return chunk === null ? replayed : [];
}

/** What to read back. Without replays there is nothing to tell apart, and the ledger may be of before there were any. */
export function rangeOf(
  { table, ledger, replayed }: VerifyTableRequest,
  chunk: Chunk | null,
  are: 'excluded' | 'alone',
): ReadBackRequest {
  const { jobId } = ledger;
  if (replayed.length === 0 || table.digest === 'multiset') return { table, chunk };
  return { table, chunk, replays: { jobId, are } };
}

export async function digestTarget(
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

export async function digestRange(
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
export async function nameDifferences(
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

export async function findRangeDifferences(
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
