import type { Dialect } from './dialect.ts';

/**
 * csv-parse drops an escape before any character, here it is one only before a quote or itself. So where the escape is not the quote,
 * it gets text in which quotes are doubled instead. A quote right after a closing one makes its record a reject, and must not
 * be taken for a doubled one: a letter stands in its place.
 */
export async function* doubleQuotes(
  pieces: AsyncIterable<Uint8Array>,
  { quote, escape, delimiter }: Dialect,
): AsyncGenerator<Uint8Array> {
  if (quote < 0 || escape === quote) {
    yield* pieces;
    return;
  }
  const rewriter = new QuoteRewriter(quote, escape, Buffer.from(delimiter));
  for await (const piece of pieces) yield rewriter.rewrite(piece);
  yield rewriter.finish();
}

const LETTER = 0x58;

class QuoteRewriter {
  readonly #quote: number;
  readonly #escape: number;
  readonly #delimiter: Buffer;
  #place: 'start' | 'plain' | 'quoted' | 'escaped' | 'closed' = 'start';
  /** The end of the field so far, as far as a delimiter may be in it. */
  #tail = Buffer.alloc(0);

  constructor(quote: number, escape: number, delimiter: Buffer) {
    this.#quote = quote;
    this.#escape = escape;
    this.#delimiter = delimiter;
  }

  rewrite(piece: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(piece.length * 2 + 1);
    let length = 0;
    const put = (byte: number): void => void (out[length++] = byte);
    for (const byte of piece) {
      switch (this.#place) {
        case 'quoted':
          if (byte === this.#escape) {
            this.#place = 'escaped';
            break;
          }
          if (byte === this.#quote) this.#place = 'closed';
          put(byte);
          break;
        case 'escaped':
          this.#place = 'quoted';
          if (byte === this.#quote) put(byte);
          else if (byte !== this.#escape) put(this.#escape);
          put(byte);
          break;
        case 'start':
        case 'plain':
        case 'closed':
          if (byte === this.#quote && this.#place === 'start') this.#place = 'quoted';
          else if (this.#endsField(byte)) this.#place = 'start';
          else if (byte === this.#quote && this.#place === 'closed') {
            this.#place = 'plain';
            put(LETTER);
            break;
          } else this.#place = 'plain';
          put(byte);
          break;
      }
    }
    return out.subarray(0, length);
  }

  /** An escape at the very end stands for nothing else. */
  finish(): Uint8Array {
    return this.#place === 'escaped' ? Buffer.from([this.#escape]) : Buffer.alloc(0);
  }

  #endsField(byte: number): boolean {
    if (byte === 0x0a || byte === 0x0d) {
      this.#tail = Buffer.alloc(0);
      return true;
    }
    const size = this.#delimiter.length;
    this.#tail = Buffer.concat([this.#tail, Buffer.from([byte])]).subarray(-size);
    const isDelimiter = this.#tail.equals(this.#delimiter);
    if (isDelimiter) this.#tail = Buffer.alloc(0);
    return isDelimiter;
  }
}
