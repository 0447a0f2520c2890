import type { Chunk, EncodedBatch, SourceSnapshot } from '../../contract.ts';
import type { VerifyTableRequest } from './request.ts';

const NEWLINE = 0x0a;

// eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
export async function* noLines(): AsyncGenerator<Uint8Array> {
  yield* [];
}

/** What was sent of a range, as far as it landed: lines that the target has refused are rejects too. */
export async function* encodedLines(
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

export async function* canonicalLines(
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
