export const CSV_ENCODINGS = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  /** Read as Windows-1252, as everywhere on the web: the two differ in characters that no text holds. */
  'latin1',
] as const;
export type CsvEncoding = (typeof CSV_ENCODINGS)[number];

/** How the files are written. What is left out is found out from each file, or at its default. */
export interface CsvFormat {
  /** Between fields, one character or more; left out = the one of `,` `;` tab `|` that fits the first records. */
  readonly delimiter?: string;
  /** One ASCII character, `''` = fields are never quoted; left out = `"`. */
  readonly quote?: string;
  /** What stands before a quote inside quotes; left out = the quote itself. Before anything else it is a character like others. */
  readonly escape?: string;
  /** The first record names the columns; left out = true. */
  readonly header?: boolean;
  /** Left out = by the byte order mark, else UTF-8. */
  readonly encoding?: CsvEncoding;
  /** What stands for NULL where it is not quoted; left out = nothing. */
  readonly nullText?: string;
}
