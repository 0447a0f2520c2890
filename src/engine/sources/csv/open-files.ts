import { basename } from 'node:path';

import { AppError } from '../../../errors/app-error.ts';
import { detectFormat } from './file-format.ts';
import { identifyFile, type FileIdentity } from './file-identity.ts';
import { readHeader, type Header } from './header.ts';
import type { CsvFileLocation, CsvLocation } from './location.ts';
import type { CsvFile } from './records.ts';

/** A file that has been looked at: how it is written, and what its columns are. */
export interface OpenFile extends CsvFile {
  readonly identity: FileIdentity;
  readonly header: Header;
}

/** The files of a location, each looked at when it is first asked for, and again when it has changed. */
export class OpenFiles {
  readonly #location: CsvLocation;
  readonly #open = new Map<string, OpenFile>();

  constructor(location: CsvLocation) {
    this.#location = location;
  }

  /** Sorted by table. Throws IDENTIFIER_COLLISION where two files would become one table. */
  async all(signal: AbortSignal): Promise<OpenFile[]> {
    const files = [...this.#location.files].sort((a, b) => (a.table < b.table ? -1 : 1));
    for (const [index, { path, table }] of files.entries()) {
      const next = files[index + 1];
      if (next?.table !== table) continue;
      const names = [path, next.path].map((each) => basename(each));
      throw new AppError('IDENTIFIER_COLLISION', { names, target: table });
    }
    const opened: OpenFile[] = [];
    for (const file of files) opened.push(await this.#look(file, signal));
    return opened;
  }

  /** Throws SOURCE_CHANGED where there is no such file any more. */
  async of(table: string, signal: AbortSignal): Promise<OpenFile> {
    const file = this.#location.files.find((candidate) => candidate.table === table);
    if (file === undefined) throw new AppError('SOURCE_CHANGED', { table });
    return await this.#look(file, signal);
  }

  async #look({ path, table }: CsvFileLocation, signal: AbortSignal): Promise<OpenFile> {
    const identity = await identifyFile(path);
    const known = this.#open.get(table);
    if (known !== undefined && JSON.stringify(known.identity) === JSON.stringify(identity))
      return known;
    const format = await detectFormat(path, this.#location.format ?? {}, signal);
    const file = { path, table, format, identity };
    const opened = { ...file, header: await readHeader(file, signal) };
    this.#open.set(table, opened);
    return opened;
  }
}
