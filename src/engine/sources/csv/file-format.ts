import { AppError } from '../../../errors/app-error.ts';
import { encodeCp1252 } from '../../types/csv-cp1252.ts';
import type { CsvEncoding, CsvFormat } from '../../types/csv-format.ts';
import { detectDelimiter } from './detect-delimiter.ts';
import type { Dialect } from './dialect.ts';
import { readBytes } from './read-bytes.ts';
import { Utf16Decoder } from './utf16.ts';

/** The encodings that there are, each under one name. */
export type FileEncoding = Exclude<CsvEncoding, 'latin1'>;

/** How one file is written: what was said of it, and what was found out. */
export interface FileFormat {
  readonly isCompressed: boolean;
  readonly encoding: FileEncoding;
  /** Bytes before the first record: the byte order mark, and the line for Excel. */
  readonly start: number;
  readonly dialect: Dialect;
  readonly hasHeader: boolean;
  readonly nullText: Uint8Array;
}

/** Of a file, to find out how it is written. */
const SAMPLE_BYTES = 256 * 1024;

const BYTE_ORDER_MARKS: readonly (readonly [FileEncoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** A first line that tells Excel the delimiter, and is no record. */
const EXCEL_DELIMITER = /^sep=([,;|\t])\r?\n/i;

/** What ZIP archives begin with, and the workbooks of Excel, which are such. */
const ZIP = Buffer.from('PK\x03\x04', 'latin1');

/** Reads the beginning of a file. Throws SOURCE_ errors, SOURCE_FORMAT_UNSUITABLE. */
export async function detectFormat(
  path: string,
  format: CsvFormat,
  signal: AbortSignal,
): Promise<FileFormat> {
  const isCompressed = await beginsAsGzip(path, signal);
  const { bytes, isWhole } = await readSample(path, isCompressed, signal);
  const mark = BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  const encoding = chooseEncoding(format.encoding, mark?.[0], bytes);
  const markSize = mark?.[0] === encoding ? mark[1].length : 0;
  if (bytes.length === markSize) throw new AppError('SOURCE_FILE_EMPTY');
  assertText(bytes);

  const quote = singleByte(format.quote ?? '"', 'quote');
  const escape =
    format.escape === undefined || format.escape === ''
      ? quote
      : singleByte(format.escape, 'escape');
  const decoded = decodeSample(bytes.subarray(markSize), encoding);
  const told = EXCEL_DELIMITER.exec(decoded.toString('latin1', 0, 8));
  const toldSize = told?.[0].length ?? 0;
  const text = decoded.subarray(toldSize);
  const delimiter =
    format.delimiter ?? told?.[1] ?? detectDelimiter(text, { quote, escape, isWhole });
  const holdsQuote = quote >= 0 && delimiter.includes(String.fromCharCode(quote));
  if (delimiter === '' || /[\r\n]/.test(delimiter) || holdsQuote) throw unsuitable('delimiter');
  return {
    isCompressed,
    encoding,
    start: markSize + toldSize * (encoding.startsWith('utf-16') ? 2 : 1),
    dialect: { delimiter: encodeText(delimiter, encoding, 'delimiter'), quote, escape },
    hasHeader: format.header ?? true,
    nullText: encodeText(format.nullText ?? '', encoding, 'nullText'),
  };
}

/** Chunks are byte ranges: of what is packed or decoded as a whole, there are none. */
export function canSeek({ isCompressed, encoding }: FileFormat): boolean {
  return !isCompressed && (encoding === 'utf-8' || encoding === 'windows-1252');
}

function assertText(bytes: Buffer): void {
  if (!bytes.subarray(0, ZIP.length).equals(ZIP)) return;
  const reason = 'it is a ZIP archive or an Excel workbook, not text: save its sheets as CSV';
  throw new AppError('SOURCE_DAMAGED', { reason });
}

async function beginsAsGzip(path: string, signal: AbortSignal): Promise<boolean> {
  for await (const piece of readBytes(path, { isCompressed: false, start: 0, end: 2, signal }))
    return piece[0] === 0x1f && piece[1] === 0x8b;
  return false;
}

async function readSample(
  path: string,
  isCompressed: boolean,
  signal: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const pieces: Buffer[] = [];
  let size = 0;
  const end = isCompressed ? Infinity : SAMPLE_BYTES + 1;
  for await (const piece of readBytes(path, { isCompressed, start: 0, end, signal })) {
    pieces.push(Buffer.from(piece));
    size += piece.length;
    if (size > SAMPLE_BYTES) break;
  }
  const bytes = Buffer.concat(pieces);
  return { bytes: bytes.subarray(0, SAMPLE_BYTES), isWhole: bytes.length <= SAMPLE_BYTES };
}

function chooseEncoding(
  wanted: CsvEncoding | undefined,
  marked: FileEncoding | undefined,
  bytes: Buffer,
): FileEncoding {
  const encoding = wanted === 'latin1' ? 'windows-1252' : wanted;
  const found = marked ?? looksLikeUtf16(bytes);
  if (encoding === undefined) return found ?? 'utf-8';
  // Read in the wrong one, a whole file can become one header, and a job succeed with no row.
  const isUtf16 = encoding.startsWith('utf-16');
  if ((found !== undefined && found !== encoding) || (isUtf16 && !bytes.includes(0)))
    throw unsuitable('encoding');
  return encoding;
}

/** Without a mark: of western text in UTF-16 every other byte is zero, of anything else next to none. */
function looksLikeUtf16(bytes: Buffer): FileEncoding | undefined {
  const zeros = [0, 0];
  const size = bytes.length - (bytes.length % 2);
  for (let index = 0; index < size; index++)
    if (bytes[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = size * 0.35;
  if (size < 4 || Math.max(even, odd) < many || Math.min(even, odd) > many / 10) return undefined;
  return odd > even ? 'utf-16le' : 'utf-16be';
}

function decodeSample(bytes: Buffer, encoding: FileEncoding): Buffer {
  if (encoding === 'utf-8' || encoding === 'windows-1252') return bytes;
  return new Utf16Decoder(encoding === 'utf-16be').push(bytes);
}

/** Text as it stands in what the tokenizer sees: UTF-16 has become UTF-8 by then. */
function encodeText(text: string, encoding: FileEncoding, field: string): Uint8Array {
  if (encoding !== 'windows-1252') return Buffer.from(text, 'utf8');
  const bytes = encodeCp1252(text);
  if (bytes === null) throw unsuitable(field);
  return bytes;
}

function singleByte(character: string, field: string): number {
  if (character === '') return -1;
  const code = character.charCodeAt(0);
  if (character.length > 1 || code > 0x7e || code < 0x20) throw unsuitable(field);
  return code;
}

function unsuitable(field: string): AppError {
  return new AppError('SOURCE_FORMAT_UNSUITABLE', { setting: field });
}
