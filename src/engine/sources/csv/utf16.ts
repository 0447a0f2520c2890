/**
 * UTF-16 as UTF-8, piece by piece. Half a surrogate pair becomes three bytes that are no valid UTF-8, and an odd byte at the end one:
 * nothing is replaced, so whoever looks at the value later finds it invalid.
 */
export class Utf16Decoder {
  readonly #isBigEndian: boolean;
  #left = Buffer.alloc(0);

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  push(chunk: Uint8Array): Buffer {
    const bytes = Buffer.concat([this.#left, chunk]);
    const even = bytes.length - (bytes.length % 2);
    const end = even > 0 && this.#isHighSurrogate(bytes, even - 2) ? even - 2 : even;
    this.#left = Buffer.from(bytes.subarray(end));
    return this.#decode(bytes.subarray(0, end));
  }

  finish(): Buffer {
    const odd = this.#left.length % 2;
    const decoded = this.#decode(this.#left.subarray(0, this.#left.length - odd));
    return odd === 0 ? decoded : Buffer.concat([decoded, Buffer.from([0xff])]);
  }

  #isHighSurrogate(bytes: Buffer, offset: number): boolean {
    const unit = this.#isBigEndian ? bytes.readUInt16BE(offset) : bytes.readUInt16LE(offset);
    return unit >= 0xd800 && unit <= 0xdbff;
  }

  #decode(units: Buffer): Buffer {
    if (this.#isBigEndian) units.swap16();
    const text = units.toString('utf16le');
    if (text.isWellFormed()) return Buffer.from(text, 'utf8');
    const parts = text.split(
      /((?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff]))/,
    );
    return Buffer.concat(
      parts.map((part, index) =>
        index % 2 === 0 ? Buffer.from(part, 'utf8') : threeBytes(part.charCodeAt(0)),
      ),
    );
  }
}

function threeBytes(code: number): Buffer {
  return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
}
