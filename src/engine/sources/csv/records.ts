import { AppError } from '../../../errors/app-error.ts';
import { identifyFile, isSameFile, type FileIdentity } from './file-identity.ts';
import { canSeek, type FileFormat } from './file-format.ts';
import { lineAt } from './line-at.ts';
import { readBytes } from './read-bytes.ts';
import { BrokenRecordError, MAX_RECORD_BYTES, RecordTokenizer } from './record-tokenizer.ts';
import { Utf16Decoder } from './utf16.ts';

/** A file with all that is needed to read its records. */
export interface CsvFile {
  readonly path: string;
  readonly table: string;
  readonly format: FileFormat;
  /** null = it may change while it is read. */
  readonly identity: FileIdentity | null;
}

/** A part of a file that begins and ends where records do. */
export interface RecordRange {
  /** Records before it, header and blank lines not counted. */
  readonly recordsBefore: number;
  readonly start: number;
  readonly end: number;
}

/** The records of one piece of a file, one after the other. */
export interface RecordCursor {
  /** False where the piece has no more; otherwise `record` holds the next one. */
  next(): boolean;
  readonly record: RecordTokenizer;
  /** Number of the record in the file, from 1. */
  readonly number: number;
}

/** The whole file: its header is left out by `readRecords`. */
export function wholeFile({ format }: CsvFile): RecordRange {
  return { recordsBefore: 0, start: format.start, end: Infinity };
}

/**
 * The data records of a range, without the header and, where a record has more than one field, without blank lines. Gives the same
 * cursor for each piece of the file that was read. Throws SOURCE_FILE_CHANGED where the file is not, or not to the end, what
 * `identity` says.
 */
export async function* readRecords(
  file: CsvFile,
  range: RecordRange,
  request: { readonly columns: number; readonly signal: AbortSignal },
): AsyncGenerator<RecordCursor> {
  const { format } = file;
  await assertUnchanged(file);
  const record = new RecordTokenizer(format.dialect, range.start);
  const cursor = new DataCursor(record, {
    recordsBefore: range.recordsBefore,
    skipsHeader: format.hasHeader && range.start === format.start,
    skipsBlank: request.columns > 1,
  });
  try {
    for await (const piece of recordBytes(file, range, request.signal)) {
      record.push(piece);
      yield cursor;
      if (cursor.broken !== null) throw cursor.broken;
    }
    record.finish();
    yield cursor;
    if (cursor.broken !== null) throw cursor.broken;
  } catch (error) {
    throw error instanceof BrokenRecordError ? await describe(error, file, request.signal) : error;
  }
  await assertUnchanged(file);
}

/** The bytes of a range in the encoding that fields are told apart in. */
async function* recordBytes(
  { path, format }: CsvFile,
  { start, end }: RecordRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces = readBytes(path, { isCompressed: format.isCompressed, start, end, signal });
  if (format.encoding !== 'utf-16le' && format.encoding !== 'utf-16be') {
    yield* pieces;
    return;
  }
  const decoder = new Utf16Decoder(format.encoding === 'utf-16be');
  for await (const piece of pieces) yield decoder.push(piece);
  yield decoder.finish();
}

export async function assertUnchanged({ path, table, identity }: CsvFile): Promise<void> {
  if (identity !== null && !isSameFile(await identifyFile(path), identity))
    throw new AppError('SOURCE_FILE_CHANGED', { table });
}

async function describe(
  { problem, offset }: BrokenRecordError,
  file: CsvFile,
  signal: AbortSignal,
): Promise<AppError> {
  const line = canSeek(file.format)
    ? `line ${String(await lineAt(file.path, offset, signal))}`
    : `byte ${String(offset)} of the unpacked text`;
  const reason =
    problem === 'unclosed'
      ? `a quote in the record that begins in ${line} of ${file.table} is never closed`
      : `the record that begins in ${line} of ${file.table} has more than ${String(MAX_RECORD_BYTES)} bytes: is a closing quote missing?`;
  return new AppError('SOURCE_DAMAGED', { reason });
}

class DataCursor implements RecordCursor {
  readonly record: RecordTokenizer;
  number: number;
  /** Why there are no more records. Kept for the generator, which can say where in the file that is. */
  broken: BrokenRecordError | null = null;
  readonly #skipsBlank: boolean;
  #skipsHeader: boolean;

  constructor(
    record: RecordTokenizer,
    options: {
      readonly recordsBefore: number;
      readonly skipsHeader: boolean;
      readonly skipsBlank: boolean;
    },
  ) {
    this.record = record;
    this.number = options.recordsBefore;
    this.#skipsHeader = options.skipsHeader;
    this.#skipsBlank = options.skipsBlank;
  }

  next(): boolean {
    try {
      return this.#next();
    } catch (error) {
      if (!(error instanceof BrokenRecordError)) throw error;
      this.broken = error;
      return false;
    }
  }

  #next(): boolean {
    while (this.record.next()) {
      if (this.#skipsHeader) {
        // Whoever reads the header leaves out the blank lines before it too.
        if (!this.record.isBlank) this.#skipsHeader = false;
        continue;
      }
      if (this.#skipsBlank && this.record.isBlank) continue;
      this.number++;
      return true;
    }
    return false;
  }
}
