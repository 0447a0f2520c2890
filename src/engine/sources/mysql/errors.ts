import { AppError, isAppError } from '../../../errors/app-error.ts';

/** Numbers of the server's errors (the manuals' lists of error codes) that have a meaning of their own for a source. */
const REFUSED_LOGIN = new Set([1045, 1251, 1524, 1698, 3118, 3955, 4151]);
const REFUSED_DATABASE = 1044;
const REFUSED = new Set([1142, 1143, 1227, 1370, 1449]);
const DATABASE_MISSING = 1049;
/** Gone or other than when it was planned: table, column, definition. */
const CHANGED = new Set([1054, 1146, 1412]);
const LOCKED = new Set([1205, 1213]);
/** Too many sessions, shutting down, statement or session ended from outside. */
const UNREACHABLE = new Set([
  1040, 1053, 1129, 1130, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1317, 1927, 1969, 2006, 2013,
  3024,
]);

/** What an error of mysql2 or of the network carries. */
interface DriverError {
  readonly message?: string;
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
}

/** An error of mysql2 as an AppError. `what` names the table, or the whole source. Never with the account or a value in it. */
export function mapMysqlError(error: unknown, what: string, database = ''): AppError {
  if (isAppError(error)) return error;
  const { errno = 0, code = '', message = '', sqlState } = error as DriverError;
  const cause = { cause: error };
  if (REFUSED_LOGIN.has(errno) || code === 'AUTH_SWITCH_PLUGIN_ERROR')
    return new AppError('SOURCE_AUTHENTICATION_FAILED', {}, cause);
  if (errno === DATABASE_MISSING)
    return new AppError('SOURCE_DATABASE_MISSING', { database }, cause);
  if (errno === REFUSED_DATABASE || REFUSED.has(errno)) {
    const table = errno === REFUSED_DATABASE ? `the database ${database}` : what;
    return new AppError(
      'SOURCE_PERMISSION_DENIED',
      { table, reason: 'the account lacks a privilege' },
      cause,
    );
  }
  if (CHANGED.has(errno)) return new AppError('SOURCE_CHANGED', {}, cause);
  if (LOCKED.has(errno)) return new AppError('SOURCE_BUSY', {}, cause);
  if (UNREACHABLE.has(errno) || sqlState === undefined)
    return new AppError('SOURCE_UNREACHABLE', { reason: reasonOf(error as DriverError) }, cause);
  return new AppError('SOURCE_READ_FAILED', { table: what, reason: message }, cause);
}

/** The network's own words; the server's may name the account. */
function reasonOf({ code = '', errno = 0, message = '' }: DriverError): string {
  if (UNREACHABLE.has(errno))
    return `the server ended the session or takes none (error ${String(errno)})`;
  if (code === 'PROTOCOL_CONNECTION_LOST') return 'the connection was lost';
  if (code === 'ETIMEDOUT' || code === 'PROTOCOL_SEQUENCE_TIMEOUT') return 'it does not answer';
  if (/^E[A-Z]+$/.test(code)) return code;
  return message === '' ? 'the connection failed' : message;
}
