import type { Policies, ReasonCode, SourceValue } from '../contract.ts';
import type { CopyBuffer } from './copy-text.ts';
import type { DeclaredType } from './mysql-declared.ts';

/** Why a value cannot be stored; null = it has been written. */
export type Problem = { readonly reasonCode: ReasonCode; readonly message: string } | null;

export interface EncoderOptions {
  readonly declared: DeclaredType;
  readonly targetType: string;
  readonly policies: Policies;
  /** Longest field, as COPY writes it, that PostgreSQL takes. */
  readonly maxFieldBytes: number;
}

/** Where an encoder writes, and what else it may do with a value. */
export interface CellTarget {
  readonly out: CopyBuffer;
  /** Writes NULL, unless the column takes none. */
  writeNull(): Problem;
  /** Notes that the value is stored otherwise than the source gave it. */
  adjust(rule: ReasonCode): void;
}

/**
 * Writes the value in `bytes` from `start` to `end`, as the server sent it in a text row, or says why it cannot be stored
 * (what it wrote until then is taken back by the caller). Never called with NULL.
 */
export type CellEncoder = (
  bytes: Buffer,
  start: number,
  end: number,
  target: CellTarget,
) => Problem;

/** How values of one planned type are read and written. */
export interface MysqlEncoder {
  /** Compiled once a chunk. */
  compile(options: EncoderOptions): CellEncoder;
  /** The bytes that the server would have sent for a value that somebody has typed; null = this cannot be the value. */
  wireBytes?(value: NonNullable<SourceValue>, declared: DeclaredType): Buffer | null;
}

export function mismatch(size: number, targetType: string): NonNullable<Problem> {
  return {
    reasonCode: 'TYPE_MISMATCH',
    message: `A value of ${bytesText(size)} does not fit ${targetType}`,
  };
}

export function outOfRange(size: number, targetType: string): NonNullable<Problem> {
  return {
    reasonCode: 'OUT_OF_RANGE',
    message: `A value of ${bytesText(size)} is out of range for ${targetType}`,
  };
}

export function tooLarge(size: number): NonNullable<Problem> {
  return {
    reasonCode: 'VALUE_TOO_LARGE',
    message: `A value of ${bytesText(size)} is more than PostgreSQL takes in a field`,
  };
}

function bytesText(size: number): string {
  return size === 1 ? '1 byte' : `${String(size)} bytes`;
}
