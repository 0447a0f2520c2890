/**
 * Lines of PostgreSQL's `COPY … (FORMAT text)`, written exactly as the server itself prints them, so that what was sent
 * and what is read back can be compared byte by byte. Rules: the manual's page on COPY, `CopyAttributeOutText`.
 */

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;

/** What stands after the backslash for each ASCII code; 0 = the character is written as it is. */
const ESCAPES = new Uint8Array(128);
ESCAPES[0x08] = 0x62;
ESCAPES[TAB] = 0x74;
ESCAPES[NEWLINE] = 0x6e;
ESCAPES[0x0b] = 0x76;
ESCAPES[0x0c] = 0x66;
ESCAPES[0x0d] = 0x72;
ESCAPES[BACKSLASH] = BACKSLASH;

const ESCAPE_BY_CHARACTER: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\\': '\\\\',
};

const ESCAPED_CHARACTERS = /[\u0008-\u000d\\]/g;

/** Up to here a loop over the characters beats the call into the runtime's own encoder. */
const LOOP_CHARACTERS = 96;

const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** A growing run of COPY lines. `bytes` beyond `length` is rubbish. */
export class CopyBuffer {
  bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  writeNull(): void {
    this.reserve(2);
    this.bytes[this.length++] = BACKSLASH;
    this.bytes[this.length++] = 0x4e;
  }

  endField(): void {
    this.reserve(1);
    this.bytes[this.length++] = TAB;
  }

  /** Turns the tab after the last field into the end of the line; a line without fields is empty. */
  endLine(hasFields: boolean): void {
    if (hasFields) {
      this.bytes[this.length - 1] = NEWLINE;
      return;
    }
    this.reserve(1);
    this.bytes[this.length++] = NEWLINE;
  }

  /** Text that is known to be ASCII and to need no escape: numbers, dates, `t`. */
  writeAscii(text: string): void {
    const size = text.length;
    this.reserve(size);
    if (size > LOOP_CHARACTERS) {
      this.bytes.write(text, this.length, size, 'latin1');
      this.length += size;
      return;
    }
    const { bytes } = this;
    let position = this.length;
    for (let index = 0; index < size; index++) bytes[position++] = text.charCodeAt(index);
    this.length = position;
  }

  /**
   * Any text. Answers false, having written nothing, where the text holds what only its bytes can decide: NUL, U+FFFD
   * (which also stands for bytes that were no UTF-8) or half a surrogate pair.
   */
  tryWriteText(text: string): boolean {
    const size = text.length;
    if (size > LOOP_CHARACTERS) return this.#tryWriteLongText(text);
    this.reserve(size * 3);
    const { bytes } = this;
    let position = this.length;
    for (let index = 0; index < size; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x80) {
        if (code === 0) return false;
        const escape = ESCAPES[code] ?? 0;
        if (escape === 0) {
          bytes[position++] = code;
          continue;
        }
        bytes[position++] = BACKSLASH;
        bytes[position++] = escape;
      } else if (code < 0x800) {
        bytes[position++] = 0xc0 | (code >> 6);
        bytes[position++] = 0x80 | (code & 0x3f);
      } else if (code < 0xd800 || (code > 0xdfff && code !== 0xfffd)) {
        bytes[position++] = 0xe0 | (code >> 12);
        bytes[position++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[position++] = 0x80 | (code & 0x3f);
      } else {
        const next = text.charCodeAt(index + 1);
        if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
        const point = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        bytes[position++] = 0xf0 | (point >> 18);
        bytes[position++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[position++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[position++] = 0x80 | (point & 0x3f);
        index++;
      }
    }
    this.length = position;
    return true;
  }

  #tryWriteLongText(text: string): boolean {
    if (text.includes('\0') || text.includes('\ufffd') || !text.isWellFormed()) return false;
    const escaped = text.replace(
      ESCAPED_CHARACTERS,
      (found) => ESCAPE_BY_CHARACTER[found] ?? found,
    );
    this.reserve(escaped.length * 3);
    this.length += this.bytes.write(escaped, this.length, 'utf8');
    return true;
  }

  /** Bytes that are known to be valid UTF-8 without NUL. */
  writeUtf8(source: Uint8Array): void {
    this.reserve(source.length + 64);
    let from = 0;
    for (let index = 0; index < source.length; index++) {
      const code = source[index] ?? 0;
      const escape = code < 0x80 ? (ESCAPES[code] ?? 0) : 0;
      if (escape === 0) continue;
      this.#append(source.subarray(from, index));
      this.reserve(2);
      this.bytes[this.length++] = BACKSLASH;
      this.bytes[this.length++] = escape;
      from = index + 1;
    }
    this.#append(source.subarray(from));
  }

  /** A `bytea` in hex form, its own backslash escaped. */
  writeBytea(source: Uint8Array): void {
    this.reserve(3 + source.length * 2);
    const { bytes } = this;
    let position = this.length;
    bytes[position++] = BACKSLASH;
    bytes[position++] = BACKSLASH;
    bytes[position++] = 0x78;
    for (const byte of source) {
      bytes[position++] = HEX_DIGITS[byte >> 4] ?? 0;
      bytes[position++] = HEX_DIGITS[byte & 15] ?? 0;
    }
    this.length = position;
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, Math.min(this.bytes.length * 2, needed + 0x1000000)),
    );
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  #append(part: Uint8Array): void {
    if (part.length === 0) return;
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }
}
