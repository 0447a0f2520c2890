import { AppError, isAppError } from '../../../errors/app-error.ts';

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

function describeOpening(primary: number, message: string): string {
  return primary === READ_ONLY
    ? 'it holds an unfinished transaction that only a program with write access can roll back'
    : message;
}
