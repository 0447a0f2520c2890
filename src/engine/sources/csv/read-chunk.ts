import { AppError } from '../../../errors/app-error.ts';
import type { Chunk, EncodedBatch, PlannedTable, Policies } from '../../contract.ts';
import { BatchBuilder } from '../threads/batch-builder.ts';
import { rangeOf } from './chunk-bounds.ts';
import type { FileIdentity } from './file-identity.ts';
import type { OpenFile } from './open-files.ts';
import { readRecords } from './records.ts';
import { RowEncoder } from './row-encoder.ts';

export interface ChunkRequest {
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
  /** The file as it has to be, to the end; null = it may change. */
  readonly identity: FileIdentity | null;
  readonly describe: boolean;
}

/** Encodes the records of a chunk, batch by batch. Reads no further than the batch that it gives. */
export async function* encodeChunk(
  file: OpenFile,
  request: ChunkRequest,
  signal: AbortSignal,
): AsyncGenerator<EncodedBatch> {
  const { table, chunk, policies, identity, describe } = request;
  assertColumns(file, table);
  const { columns } = file.header;
  const options = { header: columns, format: file.format, policies, describes: describe };
  const encoder = new RowEncoder(table, options);
  const batch = new BatchBuilder();
  const range = rangeOf({ ...file, current: file.identity }, chunk);
  const cursors = readRecords({ ...file, identity }, range, { columns: columns.length, signal });
  for await (const cursor of cursors) {
    while (cursor.next()) {
      encoder.encode(cursor.record, cursor.number, batch);
      if (batch.isFull) yield batch.take();
    }
  }
  if (!batch.isEmpty) yield batch.take();
}

/** The header has to have every column of the plan still. */
export function assertColumns({ header }: OpenFile, table: PlannedTable): void {
  const isPlanned =
    header.columns.length === table.columns.length &&
    table.columns.every(({ source }) => header.columns.includes(source));
  if (!isPlanned) throw new AppError('SOURCE_CHANGED', { table: table.source });
}
