import { AppError, isAppError } from '../../../errors/app-error.ts';

/** Of zlib: what is packed is cut off or damaged. */
const DAMAGED = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'ERR_TRAILING_JUNK_AFTER_STREAM_END']);
const MISSING = new Set(['ENOENT', 'ENOTDIR']);

/** An error of reading a file as an AppError. `what` names the table, or the whole source. */
export function mapFileError(error: unknown, what: string): AppError {
  if (isAppError(error)) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (MISSING.has(code)) return new AppError('SOURCE_FILE_MISSING', {}, { cause: error });
  if (DAMAGED.has(code))
    return new AppError('SOURCE_DAMAGED', { reason: message }, { cause: error });
  // The message of a file system error names the path, which is the operator's business.
  const reason = code === '' ? message : code;
  return new AppError('SOURCE_READ_FAILED', { table: what, reason }, { cause: error });
}
