import { AppError } from '../../../errors/app-error.ts';
import type { Chunk, ChunkKey, KeyTuple } from '../../contract.ts';
import type { FileIdentity } from './file-identity.ts';
import { wholeFile, type CsvFile, type RecordRange } from './records.ts';

/** A place in a file, which nothing in the target corresponds to. */
export const PLACE_IN_FILE: ChunkKey = { columns: [], kinds: ['opaque'] };

/**
 * The place after a record. It names the state of the file that it was taken from: in another one the same byte is in the midst of
 * something else.
 */
export function boundAfter(
  record: { readonly number: number; readonly offset: number },
  { size, changed }: FileIdentity,
): KeyTuple {
  return [
    `record ${String(record.number)}, byte ${String(record.offset)} of ${String(size)}, ${changed}`,
  ];
}

const BOUND = /^record (\d+), byte (\d+) of (\d+), (\d+)$/;

/** The part of a file that a chunk is. Throws SOURCE_FILE_CHANGED where the chunk was cut from another state of it. */
export function rangeOf(
  file: CsvFile & { readonly current: FileIdentity },
  { lower, upper }: Pick<Chunk, 'lower' | 'upper'>,
): RecordRange {
  const whole = wholeFile(file);
  const from = lower === null ? null : placeOf(file, lower);
  const to = upper === null ? null : placeOf(file, upper);
  return {
    recordsBefore: from?.number ?? whole.recordsBefore,
    start: from?.offset ?? whole.start,
    end: to?.offset ?? whole.end,
  };
}

function placeOf(
  { table, current }: CsvFile & { readonly current: FileIdentity },
  [bound = '']: KeyTuple,
): { readonly number: number; readonly offset: number } {
  const [, number, offset, size, changed] = BOUND.exec(bound) ?? [];
  if (Number(size) !== current.size || changed !== current.changed)
    throw new AppError('SOURCE_FILE_CHANGED', { table });
  return { number: Number(number), offset: Number(offset) };
}
