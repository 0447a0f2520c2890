import { setImmediate } from 'node:timers/promises';

/** Lines of COPY's text format, taken apart. Rules: the manual's page on COPY, "Text Format". */

const NEWLINE = 0x0a;
const TAB = 0x09;
const BACKSLASH = 0x5c;
const BATCH_BYTES = 256 * 1024;

const ESCAPED: Readonly<Record<number, number>> = {
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: 0x0a,
  0x72: 0x0d,
  0x74: 0x09,
  0x76: 0x0b,
};

/** Gathers a stream into runs of whole lines of about 256 KiB. Never holds more than one of them and one line. */
export async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < BATCH_BYTES) continue;
    const end = piece.lastIndexOf(NEWLINE);
    // One line that is longer than a run.
    if (end < 0) continue;
    const all = held.length === 1 ? piece : Buffer.concat(held, bytes);
    const cut = bytes - piece.length + end + 1;
    yield all.subarray(0, cut);
    // A full socket would be read in one go, and nothing else would get its turn meanwhile.
    await setImmediate();
    held = cut === bytes ? [] : [all.subarray(cut)];
    bytes -= cut;
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
}

export function countLines(lines: Buffer): number {
  let count = 0;
  for (let end = lines.indexOf(NEWLINE); end !== -1; end = lines.indexOf(NEWLINE, end + 1))
    count += 1;
  return count;
}

/** The fields of each line, still escaped. The bytes are those of `lines`. */
export function* splitFields(lines: Buffer): Generator<readonly Buffer[]> {
  let start = 0;
  let fields: Buffer[] = [];
  for (let position = 0; position < lines.length; position += 1) {
    const byte = lines[position];
    if (byte !== TAB && byte !== NEWLINE) continue;
    fields.push(lines.subarray(start, position));
    start = position + 1;
    if (byte === TAB) continue;
    yield fields;
    fields = [];
  }
}

/** The value of a field; null = NULL. */
export function unescapeField(field: Buffer | undefined): Buffer | null {
  if (field === undefined || isNull(field)) return null;
  if (!field.includes(BACKSLASH)) return field;
  const value = Buffer.alloc(field.length);
  let length = 0;
  for (let position = 0; position < field.length; position += 1) {
    let byte = field[position] ?? 0;
    if (byte === BACKSLASH) {
      position += 1;
      const escaped = field[position] ?? 0;
      byte = ESCAPED[escaped] ?? escaped;
    }
    value[length] = byte;
    length += 1;
  }
  return value.subarray(0, length);
}

/** `\N` */
export function isNull(field: Buffer): boolean {
  return field.length === 2 && field[0] === BACKSLASH && field[1] === 0x4e;
}
