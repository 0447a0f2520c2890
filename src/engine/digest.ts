import { createHash } from 'node:crypto';

const NEWLINE = 0x0a;
const LANES = 8;

/** What a stream of rows comes to. Rows are lines: bytes up to and with `\n`, which COPY's text format never has inside a row. */
export interface RowDigest {
  /** Takes any piece of the stream; a line may be spread over several. */
  update(bytes: Uint8Array): void;
  /** Lines seen so far. */
  readonly rows: number;
  readonly bytes: number;
  /** Lower-case hex of 256 bits. Call once, at the end. */
  finish(): string;
}

/**
 * `ordered`: SHA-256 of the stream, at the hash's full speed; rows in another order give another digest.
 * `multiset`: the sum of the lines' SHA-256, in eight lanes mod 2^32; the same rows in any order give the same digest, and
 * digests of parts add up (`addMultisets`).
 */
export function createDigest(kind: 'ordered' | 'multiset'): RowDigest {
  return kind === 'ordered' ? new OrderedDigest() : new MultisetDigest();
}

/** The multiset digest of all rows, from those of its parts. */
export function addMultisets(digests: readonly string[]): string {
  const sums = new Uint32Array(LANES);
  for (const digest of digests) addTo(sums, Buffer.from(digest, 'hex'));
  return lanesToHex(sums);
}

/** Cuts a stream of bytes into lines, `\n` included, whatever the pieces. Holds at most one unfinished line. */
export class LineSplitter {
  #unfinished: Uint8Array[] = [];

  /** Calls `onLine` for each line that `bytes` completes. The bytes given to it are only valid during the call. */
  push(bytes: Uint8Array, onLine: (line: Uint8Array) => void): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      onLine(this.#complete(bytes.subarray(start, end + 1)));
      start = end + 1;
    }
    if (start < bytes.length) this.#unfinished.push(bytes.slice(start));
  }

  #complete(end: Uint8Array): Uint8Array {
    if (this.#unfinished.length === 0) return end;
    const line = Buffer.concat([...this.#unfinished, end]);
    this.#unfinished = [];
    return line;
  }
}

class OrderedDigest implements RowDigest {
  rows = 0;
  bytes = 0;
  readonly #hash = createHash('sha256');

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.bytes += bytes.length;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, end + 1))
      this.rows += 1;
  }

  finish(): string {
    return this.#hash.digest('hex');
  }
}

class MultisetDigest implements RowDigest {
  rows = 0;
  bytes = 0;
  readonly #sums = new Uint32Array(LANES);
  readonly #lines = new LineSplitter();

  update(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#lines.push(bytes, (line) => {
      this.rows += 1;
      addTo(this.#sums, createHash('sha256').update(line).digest());
    });
  }

  finish(): string {
    return lanesToHex(this.#sums);
  }
}

/** A typed array wraps at 2^32 by itself, which is the addition that is wanted. */
function addTo(sums: Uint32Array, digest: Buffer): void {
  for (let lane = 0; lane < LANES; lane += 1)
    sums[lane] = (sums[lane] ?? 0) + digest.readUInt32BE(lane * 4);
}

function lanesToHex(sums: Uint32Array): string {
  return [...sums].map((sum) => sum.toString(16).padStart(8, '0')).join('');
}
