import { isUtf8 } from 'node:buffer';

import { AppError } from '../../../errors/app-error.ts';
import type { Finding } from '../../contract.ts';
import { cp1252ToUtf8 } from '../../types/csv-cp1252.ts';
import { readRecords, wholeFile, type CsvFile } from './records.ts';
import type { RecordTokenizer } from './record-tokenizer.ts';

/** Beyond any table of PostgreSQL, and few enough to be named in an error. */
const MAX_COLUMNS = 10_000;

export interface Header {
  readonly columns: readonly string[];
  readonly findings: readonly Finding[];
}

/** The columns of a file, by its first record. Throws TOO_MANY_COLUMNS, SOURCE_WITHOUT_TABLES where there is no record. */
export async function readHeader(file: CsvFile, signal: AbortSignal): Promise<Header> {
  const asData = { ...file, format: { ...file.format, hasHeader: false } };
  const cursors = readRecords(asData, wholeFile(file), { columns: 2, signal });
  for await (const cursor of cursors) {
    if (cursor.next()) return headerOf(file, cursor.record);
  }
  throw new AppError('SOURCE_FILE_EMPTY');
}

function headerOf(file: CsvFile, record: RecordTokenizer): Header {
  if (record.fieldCount > MAX_COLUMNS)
    throw new AppError('TOO_MANY_COLUMNS', { table: file.table, columns: record.fieldCount });
  const fields = Array.from({ length: record.fieldCount }, (_, field) =>
    file.format.hasHeader ? decodeName(record.value(field), file) : '',
  );
  return file.format.hasHeader
    ? nameColumns(file.table, fields)
    : { columns: fields.map((_, index) => `column_${String(index + 1)}`), findings: [] };
}

/** Names are for people: what is no UTF-8 is taken for Windows-1252, and what no name may hold is left out. */
function decodeName(bytes: Buffer, { format }: CsvFile): string {
  const isCp1252 = format.encoding === 'windows-1252' || !isUtf8(bytes);
  return (isCp1252 ? cp1252ToUtf8(bytes) : bytes).toString('utf8').replaceAll('\0', '');
}

/** A name for every column: an empty one by its position, one that is there already with a number. */
function nameColumns(table: string, fields: readonly string[]): Header {
  const taken = new Set(fields);
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const columns = fields.map((field, index) => {
    if (field !== '' && !seen.has(field)) {
      seen.add(field);
      return field;
    }
    const base = field === '' ? `column_${String(index + 1)}` : field;
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}_${String(number)}`;
    taken.add(name);
    const isEmpty = field === '';
    findings.push({
      severity: 'warning',
      code: isEmpty ? 'EMPTY_HEADER' : 'DUPLICATE_HEADER',
      table,
      column: name,
      message: isEmpty
        ? `Column ${String(index + 1)} has no name: called ${name}`
        : `Column ${String(index + 1)} has the name of another one, ${field}: called ${name}`,
      count: null,
      samples: [],
    });
    return name;
  });
  return { columns, findings };
}
