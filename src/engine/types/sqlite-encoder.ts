import type { Policies, ReasonCode } from '../contract.ts';
import type { Cell } from './sqlite-cells.ts';
import type { CopyBuffer } from './copy-text.ts';

/** A value as node:sqlite gives it for the encoder's `fastSelect`. */
export type FastValue = null | number | string | Uint8Array;

/** Why a value cannot be stored; null = it has been written. */
export type Problem = { readonly reasonCode: ReasonCode; readonly message: string } | null;

export interface EncoderOptions {
  readonly policies: Policies;
  readonly targetType: string;
  /** Longest field, as COPY writes it, that PostgreSQL takes. */
  readonly maxFieldBytes: number;
}

/** What an exact encoder may do with one value besides writing it. */
export interface CellTarget {
  readonly out: CopyBuffer;
  /** Writes NULL, unless the column takes none. */
  writeNull(): Problem;
  /** Notes that the value is stored otherwise than the source gave it. */
  adjust(rule: ReasonCode): void;
}

/**
 * How values of one planned type are written. The fast way takes what is plain and answers false, having written nothing,
 * for all else; the exact way sees the value as SQLite stores it and knows every rule. Where both write, they write the
 * same bytes.
 */
export interface SqliteEncoder {
  /** SQL that gives the value as a `FastValue`, and an empty blob for what only the exact way can write. */
  fastSelect(column: string): string;
  /** Never called with NULL. */
  compileFast(
    options: EncoderOptions,
  ): (value: Exclude<FastValue, null>, out: CopyBuffer) => boolean;
  /** Never called with a NULL cell. */
  compileExact(options: EncoderOptions): (cell: NonNullCell, target: CellTarget) => Problem;
}

export type NonNullCell = Exclude<Cell, { type: 'null' }>;

/** Whole numbers beyond what a JavaScript number holds come as text. */
export function integerSelect(column: string): string {
  return `CASE WHEN ${column} BETWEEN -9007199254740991 AND 9007199254740991 THEN ${column} ELSE CAST(${column} AS TEXT) END`;
}

export function mismatch(cell: NonNullCell, targetType: string): NonNullable<Problem> {
  return {
    reasonCode: 'TYPE_MISMATCH',
    message: `${describeCell(cell)} does not fit ${targetType}`,
  };
}

export function outOfRange(cell: NonNullCell, targetType: string): NonNullable<Problem> {
  return {
    reasonCode: 'OUT_OF_RANGE',
    message: `${describeCell(cell)} is out of range for ${targetType}`,
  };
}

export function tooLarge(bytes: number): NonNullable<Problem> {
  return {
    reasonCode: 'VALUE_TOO_LARGE',
    message: `A value of ${String(bytes)} bytes is more than PostgreSQL takes in a field`,
  };
}

export function describeCell(cell: NonNullCell): string {
  switch (cell.type) {
    case 'integer':
      return `The whole number ${String(cell.value)}`;
    case 'real':
      return `The number ${String(cell.value)}`;
    case 'text':
      return `A text of ${String(cell.bytes.length)} bytes`;
    case 'blob':
      return `A blob of ${String(cell.bytes.length)} bytes`;
  }
}
