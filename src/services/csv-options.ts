import type { CsvFormat } from '../engine/types/csv-format.ts';

/** Exactly one of the first two, and how the files are written. */
export interface CsvOptions extends CsvFormat {
  readonly sourceFileIds?: readonly string[];
  /** Relative to the sources folder. */
  readonly paths?: readonly string[];
}

/** As a client may write it: a single file without a list. */
export interface CsvOptionsInput extends CsvOptions {
  readonly sourceFileId?: string;
  readonly path?: string;
}

/** The options as they are stored. */
export function toCsvOptions({ sourceFileId, path, ...options }: CsvOptionsInput): CsvOptions {
  return {
    ...(sourceFileId === undefined ? {} : { sourceFileIds: [sourceFileId] }),
    ...(path === undefined ? {} : { paths: [path] }),
    ...options,
  };
}

/** How the files are written, without where they are. */
export function formatOf({
  delimiter,
  quote,
  escape,
  header,
  encoding,
  nullText,
}: CsvOptions): CsvFormat {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(quote === undefined ? {} : { quote }),
    ...(escape === undefined ? {} : { escape }),
    ...(header === undefined ? {} : { header }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(nullText === undefined ? {} : { nullText }),
  };
}

/** The table that a file becomes: `Orders 2024.csv.gz` is `Orders 2024`. */
export function tableNameOf(fileName: string): string {
  const base = fileName.split(/[/\\]/).at(-1) ?? '';
  const name = base.replace(/\.gz$/i, '').replace(/\.(?:csv|tsv|psv|txt)$/i, '');
  return name.trim() === '' ? 'file' : name;
}
