import type { OpenFile } from './open-files.ts';
import { readRecords, wholeFile } from './records.ts';
import type { FileIdentity } from './file-identity.ts';

/** The data records of a whole file: what all chunks of it have to add up to. */
export async function countRecords(
  file: OpenFile,
  identity: FileIdentity | null,
  signal: AbortSignal,
): Promise<number> {
  const request = { columns: file.header.columns.length, signal };
  let count = 0;
  for await (const cursor of readRecords({ ...file, identity }, wholeFile(file), request)) {
    while (cursor.next()) count = cursor.number;
  }
  return count;
}
