import type { KeyTuple, TableScan } from '../../contract.ts';
import { boundAfter, PLACE_IN_FILE } from './chunk-bounds.ts';
import { ColumnTally } from './column-tally.ts';
import { canSeek } from './file-format.ts';
import type { OpenFile } from './open-files.ts';
import { readRecords, wholeFile, type RecordCursor } from './records.ts';

/** One pass over a file: what its columns hold, and where it can be cut. */
export async function scanFile(
  file: OpenFile,
  chunkRows: number,
  signal: AbortSignal,
): Promise<TableScan> {
  const { header, format, identity } = file;
  const tallies = header.columns.map(() => new ColumnTally());
  const bounds: KeyTuple[] = [];
  let end: KeyTuple | null = null;
  let rows = 0;
  const request = { columns: header.columns.length, signal };
  for await (const cursor of readRecords(file, wholeFile(file), request)) {
    while (cursor.next()) {
      rows = cursor.number;
      tallyRecord(cursor, tallies, file);
      // A bound is only one if another record follows.
      if (end !== null) bounds.push(end);
      const { endOffset: offset } = cursor.record;
      end = rows % chunkRows === 0 ? boundAfter({ number: rows, offset }, identity) : null;
    }
  }
  const columns = header.columns.map((name, index) => [name, tallies[index]?.scan()] as const);
  return {
    table: file.table,
    rows,
    columns: Object.fromEntries(columns) as TableScan['columns'],
    chunkKey: canSeek(format) ? PLACE_IN_FILE : null,
    chunkBounds: canSeek(format) ? bounds : [],
    orphans: [],
  };
}

function tallyRecord(
  { record, number }: RecordCursor,
  tallies: readonly ColumnTally[],
  { format }: OpenFile,
): void {
  if (record.isMalformed || record.fieldCount !== tallies.length) {
    tallies[0]?.count('ragged', number);
    return;
  }
  const place = { format, number };
  for (let field = 0; field < tallies.length; field++)
    tallies[field]?.addField(record, field, place);
}
