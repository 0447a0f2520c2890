import { createHash } from 'node:crypto';
import type { PlannedTable, RowKey, RowKeyValue } from '../../contract.ts';
import { LineSplitter } from '../../digest.ts';
import { unescapeCopy } from '../../target/copy-line.ts';
import { copiedColumns } from '../../target/ddl.ts';

/** Rows that are on one side only. A changed row is on both lists, under one key. Lists hold at most 10 keys. */
export interface Differences {
  /** Rows of the source that the target does not have as they are. */
  readonly missing: { readonly rows: number; readonly keys: readonly RowKey[] };
  /** Rows of the target that the source does not have as they are: changed, doubled or added. */
  readonly unexpected: { readonly rows: number; readonly keys: readonly RowKey[] };
  /** True: more rows than can be compared one by one. Only a share of them was, so numbers and lists are incomplete. */
  readonly truncated: boolean;
}

export interface FindDifferencesRequest {
  readonly table: PlannedTable;
  readonly source: AsyncIterable<Uint8Array>;
  readonly target: AsyncIterable<Uint8Array>;
  /** More rows that the target has to have: the SHA-256 (hex) of their lines, and what to call them. */
  readonly alsoExpected?: readonly { readonly digest: string; readonly key: RowKey }[];
  /** Lines are of the canonical rendering (all columns, text as hex), not of COPY. */
  readonly isCanonical: boolean;
  /** How many rows may be held. For tests: 2,000,000 where left out. */
  readonly maxRows?: number;
}

const MAX_KEYS = 10;
/** About 150 bytes are held for each. */
const MAX_ROWS = 2_000_000;
const MAX_PREVIEW = 60;

/** Compares two streams of lines as multisets. Memory is bounded by the number of rows of the range, not by their size. */
export async function findDifferences(request: FindDifferencesRequest): Promise<Differences> {
  const { maxRows = MAX_ROWS } = request;
  const describe = keyReader(request);
  const waiting = new Map<string, { count: number; readonly key: RowKey }>();
  // Both sides look at the same rows: those whose hash begins with this many zero bits.
  let zeroBits = 0;
  const expect = (hash: string, key: () => RowKey): void => {
    if (!beginsWithZeros(hash, zeroBits)) return;
    const entry = waiting.get(hash);
    if (entry === undefined) waiting.set(hash, { count: 1, key: key() });
    else entry.count += 1;
    while (waiting.size > maxRows) {
      zeroBits += 1;
      for (const held of waiting.keys()) {
        if (!beginsWithZeros(held, zeroBits)) waiting.delete(held);
      }
    }
  };
  await forEachLine(request.source, (line) => expect(hashLine(line), () => describe(line)));
  for (const { digest, key } of request.alsoExpected ?? [])
    expect(Buffer.from(digest, 'hex').toString('latin1'), () => key);

  const unexpected: RowKey[] = [];
  let unexpectedRows = 0;
  await forEachLine(request.target, (line) => {
    const hash = hashLine(line);
    if (!beginsWithZeros(hash, zeroBits)) return;
    const entry = waiting.get(hash);
    if (entry !== undefined && entry.count > 0) {
      entry.count -= 1;
      return;
    }
    unexpectedRows += 1;
    if (unexpected.length < MAX_KEYS) unexpected.push(describe(line));
  });

  const missing = [...waiting.values()].filter(({ count }) => count > 0);
  return {
    missing: {
      rows: missing.reduce((rows, { count }) => rows + count, 0),
      keys: missing.slice(0, MAX_KEYS).map(({ key }) => key),
    },
    unexpected: { rows: unexpectedRows, keys: unexpected },
    truncated: zeroBits > 0,
  };
}

async function forEachLine(
  stream: AsyncIterable<Uint8Array>,
  onLine: (line: Uint8Array) => void,
): Promise<void> {
  const lines = new LineSplitter();
  for await (const bytes of stream) lines.push(bytes, onLine);
}

function hashLine(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('binary');
}

/** `hash` has a byte in each character. */
function beginsWithZeros(hash: string, bits: number): boolean {
  for (let index = 0; index * 8 < bits; index += 1) {
    const byte = hash.charCodeAt(index);
    if (byte >> Math.max(0, 8 - (bits - index * 8)) !== 0) return false;
  }
  return true;
}

/** The key's values out of a line; of a row without a key, the beginning of every value. */
function keyReader({ table, isCanonical }: FindDifferencesRequest): (line: Uint8Array) => RowKey {
  const columns = isCanonical ? table.columns : copiedColumns(table);
  const wanted = new Set(
    table.rowKey.length > 0 ? table.rowKey : columns.map(({ source }) => source),
  );
  return (line) => {
    const fields = Buffer.from(line.buffer, line.byteOffset, line.byteLength - 1)
      .toString('utf8')
      .split('\t');
    return Object.fromEntries(
      columns.flatMap(({ source, targetType }, index) =>
        wanted.has(source)
          ? [[source, readField(fields[index] ?? '', isCanonical, targetType)] as const]
          : [],
      ),
    );
  };
}

function readField(field: string, isCanonical: boolean, targetType: string): RowKeyValue {
  if (field === '\\N') return null;
  const text =
    isCanonical && targetType === 'text'
      ? Buffer.from(field, 'hex').toString('utf8')
      : unescapeCopy(field);
  if (text.length <= MAX_PREVIEW) return text;
  // Half a character is no text: the hub could not store it.
  return `${text.slice(0, MAX_PREVIEW).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
