import type { Dialect } from './dialect.ts';

const CR = 0x0d;
const LF = 0x0a;

const FIRST_CAPACITY = 512 * 1024;
const FIRST_FIELDS = 64;
/** Where fields of a record begin and end is kept for so many; those beyond are only counted. */
const MAX_KEPT_FIELDS = 65_536;

/** More than a field of PostgreSQL should hold, and less than what would bring the process down. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

type State = 'fieldStart' | 'unquoted' | 'quoted' | 'closed';

const QUOTED = 1;
const ESCAPED = 2;

/** The bytes do not add up to records. `offset`: where the record begins. */
export class BrokenRecordError extends Error {
  readonly problem: 'unclosed' | 'tooLong';
  readonly offset: number;

  constructor(problem: BrokenRecordError['problem'], offset: number) {
    super(problem);
    this.problem = problem;
    this.offset = offset;
  }
}

/**
 * Cuts bytes into records and fields, in one pass and without an object for each of them: what `next` has found stands in
 * this object until it is called again. Holds one record and one piece of the file at a time.
 *
 * A quote counts only at the beginning of a field; inside an unquoted field it is a character like others. Records end at LF, CR
 * or CRLF outside quotes.
 */
export class RecordTokenizer {
  /** The fields of the record lie in here. */
  bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  fieldCount = 0;
  /** Something other than a delimiter follows a closing quote: there is no sure way to read this. */
  isMalformed = false;
  readonly #dialect: Dialect;
  readonly #isSpecial: Uint8Array;
  readonly #lookAhead: number;
  #starts = new Int32Array(FIRST_FIELDS);
  #ends = new Int32Array(FIRST_FIELDS);
  #flags = new Uint8Array(FIRST_FIELDS);
  #state: State = 'fieldStart';
  #length = 0;
  #position = 0;
  #recordStart = 0;
  #hasRecord = false;
  #isFinal = false;
  /** Offset in the file of `bytes[0]`. */
  #base: number;

  constructor(dialect: Dialect, offset: number) {
    this.#dialect = dialect;
    this.#base = offset;
    this.#lookAhead = Math.max(dialect.delimiter.length, 2) - 1;
    this.#isSpecial = new Uint8Array(256);
    for (const byte of [CR, LF, dialect.delimiter[0] ?? 0]) this.#isSpecial[byte] = 1;
  }

  /** Takes the next piece of the file, and copies it. Call it only when `next` has answered false. */
  push(chunk: Uint8Array): void {
    this.#dropReadRecords();
    const needed = this.#length + chunk.length;
    if (needed > MAX_RECORD_BYTES) throw new BrokenRecordError('tooLong', this.offset);
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.max(needed, Math.min(this.bytes.length * 2, MAX_RECORD_BYTES)),
      );
      this.bytes.copy(grown, 0, 0, this.#length);
      this.bytes = grown;
    }
    this.bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  /** There are no more pieces. */
  finish(): void {
    this.#isFinal = true;
  }

  /** Finds the next record; false where the bytes so far do not hold it whole, or there is none left. */
  next(): boolean {
    if (this.#hasRecord) {
      this.#hasRecord = false;
      this.#recordStart = this.#position;
      this.fieldCount = 0;
      this.isMalformed = false;
    }
    this.#hasRecord = this.#scan() || (this.#isFinal && this.#endOfFile());
    return this.#hasRecord;
  }

  /** Where the record begins in the file. */
  get offset(): number {
    return this.#base + this.#recordStart;
  }

  /** Where the next record begins. */
  get endOffset(): number {
    return this.#base + this.#position;
  }

  /** A line without anything on it. */
  get isBlank(): boolean {
    return this.fieldCount === 1 && this.#flags[0] === 0 && this.#starts[0] === this.#ends[0];
  }

  start(field: number): number {
    return this.#starts[field] ?? 0;
  }

  end(field: number): number {
    return this.#ends[field] ?? 0;
  }

  isQuoted(field: number): boolean {
    return this.#flags[field] !== 0;
  }

  /** The field's bytes do not stand in `bytes` as they are meant. */
  hasEscapes(field: number): boolean {
    return this.#flags[field] === (QUOTED | ESCAPED);
  }

  /** The field as it is meant. A view that `next` makes worthless, where nothing was escaped. */
  value(field: number): Buffer {
    const raw = this.bytes.subarray(this.start(field), this.end(field));
    return this.hasEscapes(field) ? unescape(raw, this.#dialect) : raw;
  }

  /** The whole record as it stands in the file, without its end of line. */
  rawRecord(): Buffer {
    let end = this.#position;
    if (end > this.#recordStart && this.bytes[end - 1] === LF) end--;
    if (end > this.#recordStart && this.bytes[end - 1] === CR) end--;
    return this.bytes.subarray(this.#recordStart, end);
  }

  /** Moves what is left to the front. */
  #dropReadRecords(): void {
    const shift = this.#recordStart;
    if (shift === 0) return;
    this.bytes.copyWithin(0, shift, this.#length);
    this.#length -= shift;
    this.#position -= shift;
    this.#base += shift;
    this.#recordStart = 0;
    // The field that is under way has its beginning noted already.
    for (let field = 0; field <= this.fieldCount && field < this.#starts.length; field++) {
      this.#starts[field] = this.start(field) - shift;
      this.#ends[field] = this.end(field) - shift;
    }
  }

  #scan(): boolean {
    const { bytes } = this;
    const { quote, escape, delimiter } = this.#dialect;
    const isSpecial = this.#isSpecial;
    const limit = this.#isFinal ? this.#length : this.#length - this.#lookAhead;
    const doubles = escape === quote;
    let position = this.#position;
    let state = this.#state;
    while (position < limit) {
      if (state === 'quoted') {
        let byte = bytes[position];
        while (byte !== quote && byte !== escape && ++position < limit) byte = bytes[position];
        if (position >= limit) break;
        const next = position + 1 < this.#length ? bytes[position + 1] : -1;
        if (byte === escape && (next === quote || (!doubles && next === escape))) {
          this.#flag(QUOTED | ESCAPED);
          position += 2;
        } else if (byte === quote) {
          this.#closeAt(position);
          position++;
          state = 'closed';
        } else {
          position++;
        }
        continue;
      }
      if (state === 'fieldStart') {
        if (bytes[position] === quote) {
          this.#openAt(position + 1, QUOTED);
          position++;
          state = 'quoted';
          continue;
        }
        this.#openAt(position, 0);
        state = 'unquoted';
      }
      if (state === 'unquoted') {
        while (position < limit && isSpecial[bytes[position] ?? 0] === 0) position++;
        if (position >= limit) break;
      }
      const byte = bytes[position];
      if (byte === LF || byte === CR) {
        if (state === 'unquoted') this.#closeAt(position);
        this.fieldCount++;
        const isPair = byte === CR && position + 1 < this.#length && bytes[position + 1] === LF;
        this.#position = position + (isPair ? 2 : 1);
        this.#state = 'fieldStart';
        return true;
      }
      if (byte === delimiter[0] && this.#isDelimiterAt(position)) {
        if (state === 'unquoted') this.#closeAt(position);
        this.fieldCount++;
        position += delimiter.length;
        state = 'fieldStart';
      } else if (state === 'closed') {
        this.#reopenUnquoted();
        state = 'unquoted';
      } else {
        position++;
      }
    }
    this.#position = position;
    this.#state = state;
    return false;
  }

  /** What stands after the last end of line is a record too, if there is anything. */
  #endOfFile(): boolean {
    const state = this.#state;
    if (state === 'fieldStart' && this.fieldCount === 0) return false;
    if (state === 'quoted') throw new BrokenRecordError('unclosed', this.offset);
    if (state === 'fieldStart') this.#openAt(this.#position, 0);
    if (state !== 'closed') this.#closeAt(this.#position);
    this.fieldCount++;
    this.#state = 'fieldStart';
    return true;
  }

  #isDelimiterAt(position: number): boolean {
    const { delimiter } = this.#dialect;
    if (position + delimiter.length > this.#length) return false;
    for (let index = 1; index < delimiter.length; index++)
      if (this.bytes[position + index] !== delimiter[index]) return false;
    return true;
  }

  #openAt(start: number, flags: number): void {
    const field = this.fieldCount;
    if (field >= this.#starts.length) {
      if (field >= MAX_KEPT_FIELDS) return;
      this.#starts = grow(this.#starts, new Int32Array(field * 2));
      this.#ends = grow(this.#ends, new Int32Array(field * 2));
      this.#flags = grow(this.#flags, new Uint8Array(field * 2));
    }
    this.#starts[field] = start;
    this.#flags[field] = flags;
  }

  #closeAt(end: number): void {
    if (this.fieldCount < this.#ends.length) this.#ends[this.fieldCount] = end;
  }

  #flag(flags: number): void {
    if (this.fieldCount < this.#flags.length) this.#flags[this.fieldCount] = flags;
  }

  /** The quotes become part of the field: whatever it was meant to be is shown as it stands. */
  #reopenUnquoted(): void {
    this.isMalformed = true;
    if (this.fieldCount >= this.#starts.length) return;
    this.#starts[this.fieldCount] = this.start(this.fieldCount) - 1;
    this.#flags[this.fieldCount] = 0;
  }
}

function grow<Numbers extends Int32Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

function unescape(raw: Buffer, { quote, escape }: Dialect): Buffer {
  const clean = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let index = 0; index < raw.length; index++) {
    const next = raw[index + 1];
    if (raw[index] === escape && (next === quote || next === escape)) index++;
    clean[length++] = raw[index] ?? 0;
  }
  return clean.subarray(0, length);
}
