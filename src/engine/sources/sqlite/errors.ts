import { AppError, isAppError, type ErrorDetails } from '../../../errors/app-error.ts';
import type { ErrorCode } from '../../../errors/codes.ts';

/** An error on its way out of a thread: an AppError's class does not survive the crossing, its code and details do. */
export interface WireError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that have a meaning of their own for a source. */
const DAMAGED = new Set([11 /* CORRUPT */]);
const LOCKED = new Set([5 /* BUSY */, 6 /* LOCKED */, 15 /* PROTOCOL */]);
const NOT_A_DATABASE = 26;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;
const IO_ERROR_SHORT_READ = 522;

/** An error of node:sqlite as an AppError. `what` names the table, or the whole source. */
export function mapSqliteError(error: unknown, what: string): AppError {
  if (isAppError(error)) return error;
  const { errcode = 0, message } = error as { errcode?: number; message: string };
  const primary = errcode & 0xff;
  if (DAMAGED.has(primary) || errcode === IO_ERROR_SHORT_READ)
    return new AppError('SOURCE_DAMAGED', { reason: message }, { cause: error });
  if (primary === NOT_A_DATABASE) return new AppError('SOURCE_NOT_SQLITE', {}, { cause: error });
  if (LOCKED.has(primary)) return new AppError('SOURCE_BUSY', {}, { cause: error });
  if (primary === READ_ONLY || primary === CANNOT_OPEN) {
    return new AppError(
      'SOURCE_UNREACHABLE',
      { reason: describeOpening(primary, message) },
      { cause: error },
    );
  }
  return new AppError('SOURCE_READ_FAILED', { table: what, reason: message }, { cause: error });
}

export function toWire(error: unknown, what: string): WireError {
  const { code, details } = mapSqliteError(error, what);
  return { code, details: structuredCloneable(details) };
}

export function fromWire({ code, details }: WireError): AppError {
  return new AppError(code, details);
}

function describeOpening(primary: number, message: string): string {
  return primary === READ_ONLY
    ? 'it holds an unfinished transaction that only a program with write access can roll back'
    : message;
}

function structuredCloneable(details: ErrorDetails): ErrorDetails {
  return JSON.parse(JSON.stringify(details)) as ErrorDetails;
}
