import type { CsvFormat } from '../../types/csv-format.ts';

export interface CsvFileLocation {
  /** Absolute. A file that begins as gzip does is unpacked while it is read. */
  readonly path: string;
  /** The table that it becomes. Each file has its own. */
  readonly table: string;
}

export interface CsvLocation {
  readonly files: readonly CsvFileLocation[];
  readonly format?: CsvFormat;
}
