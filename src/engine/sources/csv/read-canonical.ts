import type { Duplex } from 'node:stream';
import { parse, type Options } from 'csv-parse';

import type { CanonicalBatch } from '../../contract.ts';
import { canonicalField, type CanonicalField } from '../../types/csv-canonical.ts';
import { rangeOf } from './chunk-bounds.ts';
import { doubleQuotes } from './double-quotes.ts';
import type { OpenFile } from './open-files.ts';
import { readBytes } from './read-bytes.ts';
import { assertColumns, type ChunkRequest } from './read-chunk.ts';
import { assertUnchanged } from './records.ts';
import { MAX_RECORD_BYTES } from './record-tokenizer.ts';

export interface CanonicalRequest extends Omit<ChunkRequest, 'describe'> {
  readonly excluding: ReadonlySet<string>;
}

const BATCH_BYTES = 256 * 1024;

/** A field as csv-parse gives it. */
interface ParsedField {
  readonly bytes: Buffer;
  readonly isQuoted: boolean;
}

/**
 * Renders the records of a chunk canonically, less those in `excluding`. The file is cut into fields by csv-parse and decoded by
 * the runtime's own TextDecoder: of the code that reads it for copying, only the bytes on the disk are shared.
 */
export async function* renderCanonical(
  file: OpenFile,
  request: CanonicalRequest,
  signal: AbortSignal,
): AsyncGenerator<CanonicalBatch> {
  assertColumns(file, request.table);
  const checked = { ...file, identity: request.identity };
  await assertUnchanged(checked);
  const renderer = new Renderer(file, request);
  for await (const records of parsedRecords(file, request, signal)) {
    for (const record of records) renderer.add(record);
    if (renderer.bytes >= BATCH_BYTES) yield renderer.take();
  }
  if (renderer.rows > 0) yield renderer.take();
  await assertUnchanged(checked);
}

/** The records of a chunk, those of a piece of the file at a time; without header and blank lines. */
async function* parsedRecords(
  file: OpenFile,
  request: CanonicalRequest,
  signal: AbortSignal,
): AsyncGenerator<ParsedField[][]> {
  const { format, header } = file;
  const range = rangeOf({ ...file, current: file.identity }, request.chunk);
  let found: ParsedField[][] = [];
  let skipsHeader = format.hasHeader && range.start === format.start;
  const isBlank = ([first, ...rest]: readonly ParsedField[]): boolean =>
    rest.length === 0 && first?.isQuoted === false && first.bytes.length === 0;
  const options = {
    // Bytes, not characters: what they mean is decided field by field.
    encoding: null,
    delimiter: Buffer.from(format.dialect.delimiter),
    quote: format.dialect.quote < 0 ? null : String.fromCharCode(format.dialect.quote),
    escape: format.dialect.quote < 0 ? null : String.fromCharCode(format.dialect.quote),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: MAX_RECORD_BYTES * 2,
    cast: (value: unknown, { quoting }: { readonly quoting: boolean }) => ({
      bytes: value,
      isQuoted: quoting,
    }),
    on_record: (record: ParsedField[]) => {
      if (skipsHeader) skipsHeader = isBlank(record);
      else if (header.columns.length === 1 || !isBlank(record)) found.push(record);
      return null;
    },
  };
  // Its types know nothing of bytes.
  const parser = parse(options as unknown as Options);
  const pieces = readBytes(file.path, { isCompressed: format.isCompressed, ...range, signal });
  const decoded = decodePieces(pieces, format.encoding);
  const doubled = doubleQuotes(decoded, format.dialect);
  for await (const piece of doubled) {
    await write(parser, piece);
    yield found;
    found = [];
  }
  await finish(parser);
  yield found;
}

/** csv-parse is called piece by piece: what it finds has gone to `on_record` when it takes the next one. */
async function write(parser: Duplex, piece: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    parser.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

async function finish(parser: Duplex): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    parser.on('error', reject);
    parser.end(() => resolve());
    parser.resume();
  });
}

async function* decodePieces(
  pieces: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') {
    // The parser may keep a piece until the next one.
    for await (const piece of pieces) yield Buffer.from(piece);
    return;
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  for await (const piece of pieces) yield Buffer.from(decoder.decode(piece, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** Gathers lines until they are worth a message. */
class Renderer {
  rows = 0;
  bytes = 0;
  readonly #fields: readonly { readonly position: number; readonly render: CanonicalField }[];
  readonly #nullText: string;
  readonly #excluding: ReadonlySet<string>;
  readonly #decode: (bytes: Buffer) => string;
  #number: number;
  #lines: string[] = [];

  constructor(file: OpenFile, { table, policies, excluding, chunk }: CanonicalRequest) {
    this.#number = rangeOf({ ...file, current: file.identity }, chunk).recordsBefore;
    this.#excluding = excluding;
    this.#nullText = Buffer.from(file.format.nullText).toString('latin1');
    this.#decode = textOf(file.format.encoding);
    this.#fields = table.columns.map((column) => ({
      position: file.header.columns.indexOf(column.source),
      render: canonicalField(column, { ...policies, ...column.policies }),
    }));
  }

  add(record: readonly ParsedField[]): void {
    this.#number++;
    if (this.#excluding.has(String(this.#number))) return;
    const line = this.#fields
      .map(({ position, render }) => {
        const field = record[position];
        if (field === undefined || this.#isNull(field)) return '\\N';
        return render(this.#decode(field.bytes)) ?? '\\N';
      })
      .join('\t');
    this.#lines.push(line);
    this.rows++;
    this.bytes += line.length + 1;
  }

  take(): CanonicalBatch {
    const lines = Buffer.allocUnsafeSlow(this.bytes);
    let position = 0;
    for (const line of this.#lines) {
      // All of it is ASCII, so characters are bytes.
      position += lines.write(line, position, 'latin1');
      lines[position++] = 0x0a;
    }
    const batch = { rows: this.rows, lines };
    this.#lines = [];
    this.rows = 0;
    this.bytes = 0;
    return batch;
  }

  #isNull({ bytes, isQuoted }: ParsedField): boolean {
    return !isQuoted && bytes.toString('latin1') === this.#nullText;
  }
}

/** What cannot be decoded has been rejected, unless a policy reads it as Windows-1252. */
function textOf(encoding: string): (bytes: Buffer) => string {
  const cp1252 = new TextDecoder('windows-1252');
  if (encoding === 'windows-1252') return (bytes) => cp1252.decode(bytes);
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      return utf8.decode(bytes);
    } catch {
      return cp1252.decode(bytes);
    }
  };
}
