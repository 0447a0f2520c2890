import type { Policies, ReasonCode } from '../contract.ts';
import type { Cell } from './sqlite-cells.ts';
import type { CopyBuffer } from './copy-text.ts';

/** A value as node:sqlite gives it. Whole numbers and reals look alike. */
export type FastValue = null | number | string | Uint8Array;

/** Why a value cannot be stored; null = it has been written. */
export type Problem = { readonly reasonCode: ReasonCode; readonly message: string } | null;

export interface EncoderOptions {
  readonly policies: Policies;
  readonly targetType: string;
  /** Longest field, as COPY writes it, that PostgreSQL takes. */
  readonly maxFieldBytes: number;
}

/** `guarded`: the values come by the encoder's `guardedSelect`, if it has one. */
export interface FastOptions extends EncoderOptions {
  readonly guarded: boolean;
}

/** What an exact encoder may do with one value besides writing it. */
export interface CellTarget {
  readonly out: CopyBuffer;
  /** Writes NULL, unless the column takes none. */
  readonly writeNull: () => Problem;
  /** Notes that the value is stored otherwise than the source gave it. */
  readonly adjust: (rule: ReasonCode) => void;
}

/**
 * How values of one planned type are written. The fast way takes a column's values as node:sqlite gives them, and answers
 * false, having written nothing, where that does not tell enough; the exact way sees the value as SQLite stores it and
 * knows every rule. Where both write, they write the same bytes.
 */
export interface SqliteEncoder {
  /**
   * For columns in which many values are beyond a JavaScript number, or are numbers that must be told apart: SQL that gives
   * whole numbers that are too great as text, and an empty blob for what only the exact way can write.
   */
  readonly guardedSelect?: (column: string) => string;
  /** Never called with NULL. */
  compileFast(options: FastOptions): (value: Exclude<FastValue, null>, out: CopyBuffer) => boolean;
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
