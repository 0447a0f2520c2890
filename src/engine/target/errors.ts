import pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/codes.ts';

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** SQLSTATE or SQLSTATE class → code. Source: PostgreSQL manual, appendix A. */
const SQLSTATE_CODES: Readonly<Record<string, ErrorCode>> = {
  '28P01': 'TARGET_AUTHENTICATION_FAILED',
  '28000': 'TARGET_AUTHENTICATION_FAILED',
  '3D000': 'TARGET_DATABASE_MISSING',
  '25006': 'TARGET_READ_ONLY',
  '42501': 'TARGET_PERMISSION_DENIED',
  '55P03': 'TARGET_BUSY',
  '55006': 'TARGET_BUSY',
  '40001': 'TARGET_BUSY',
  '40P01': 'TARGET_BUSY',
  '53300': 'TARGET_UNREACHABLE',
  '08': 'TARGET_UNREACHABLE',
  '53': 'TARGET_OUT_OF_RESOURCES',
  '57': 'TARGET_UNREACHABLE',
};

const FIELDS: Partial<Record<ErrorCode, string>> = {
  TARGET_AUTHENTICATION_FAILED: 'options.password',
  TARGET_DATABASE_MISSING: 'options.database',
  TARGET_UNREACHABLE: 'options.host',
};

export interface TargetErrorContext {
  /** What was being done, for a person: `building index "users_email_key"`. */
  readonly what: string;
  readonly database?: string;
}

/**
 * True for what the server or the connection to it has thrown. Anything else that happens while a session is lent out (an
 * abort, a failure of the hub's own database) is somebody else's, and must not be put down to the target.
 */
export function isTargetError(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return true;
  const { code, message, name } = readError(error);
  // The hub's own database fails with the same texts, under Sequelize's names.
  return name === 'Error' && isConnectionLoss(code, message);
}

/**
 * An error of `pg` as an AppError. The server's own message is kept as `reason` (it names the objects of the user's own
 * target) without the values of rows that it quotes; its `detail`, which can hold row values, is kept only where it can
 * name nothing but objects.
 */
export function mapTargetError(error: unknown, context: TargetErrorContext): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = readError(error);
  const mapped = SQLSTATE_CODES[code] ?? SQLSTATE_CODES[code.slice(0, 2)];
  const errorCode =
    mapped ?? (isConnectionLoss(code, message) ? 'TARGET_UNREACHABLE' : 'TARGET_REFUSED');
  const field = FIELDS[errorCode];
  return new AppError(
    errorCode,
    {
      what: context.what,
      database: context.database,
      reason: reasonOf(error),
      sqlState: code,
      ...(field === undefined ? {} : { field }),
    },
    { cause: error },
  );
}

/**
 * Classes of SQLSTATE that one row of many can be the reason of: data exceptions and violated constraints; and what a trigger
 * or a function that it calls may say of a row. `54`: a row, field or index entry that is too large.
 */
const CLASSES_OF_ROWS = new Set(['20', '21', '22', '23', '38', '39', '44', '54', 'P0']);

/**
 * True where the server may have refused a statement because of a row in it: the other rows may still do. Never for what a
 * later attempt can get over, nor for a missing right or object.
 */
export function isRowRefusal(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false;
  const { code = '' } = error;
  if (SQLSTATE_CODES[code] !== undefined || SQLSTATE_CODES[code.slice(0, 2)] !== undefined)
    return false;
  return CLASSES_OF_ROWS.has(code.slice(0, 2)) || isRaised(error);
}

/** Why the server has refused something, in its own words less the values of rows. */
export function reasonOf(error: unknown): string {
  const { code, message } = readError(error);
  return isRaised(error)
    ? RAISED + raisingFunction(error)
    : describe(code, message) + namedObjects(error);
}

/** The innermost function, out of the first line of the context: `PL/pgSQL function check_price() line 3 at RAISE`. */
function raisingFunction(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return '';
  const [innermost = ''] = (error.where ?? '').split('\n');
  const found = /^PL\/pgSQL\S* .*?([\p{L}_][\p{L}\p{N}_$.]*)\([\p{L}\p{N}_ ,."[\]]*\)/u.exec(
    innermost,
  );
  return found?.[1] === undefined ? '' : ` (${found[1]})`;
}

/** SQLSTATEs whose detail says which objects are in the way: of DROP, and of TRUNCATE. */
const NAMES_OBJECTS = new Set(['2BP01', '0A000']);

function namedObjects(error: unknown): string {
  if (!(error instanceof pg.DatabaseError) || !NAMES_OBJECTS.has(error.code ?? '')) return '';
  return error.detail === undefined ? '' : ` (${error.detail})`;
}

const RAISED = 'a trigger or function of the target raised an exception';

/** The text of RAISE and ASSERT is the user's own, whatever SQLSTATE it comes with, and may hold anything of a row. */
function isRaised(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.routine === 'exec_stmt_raise' || error.code?.startsWith('P0') === true;
}

/**
 * Messages of data exceptions (class 22) quote the value and next to nothing else; quotes within it are not escaped, so all
 * from the first to the last is masked. Bytes of a text in a wrong encoding stand there as `0xe4 0xf6`. The quotes are those
 * of the server's language.
 */
function maskValues(message: string): string {
  return message
    .replace(/["«»„“”'‘’「『].*["«»„“”'‘’」』]/su, '"…"')
    .replace(/0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/gi, '0x…');
}

function readError(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly name: string;
} {
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  // The code of a DOMException, such as an abort, is a number.
  return {
    code: typeof code === 'string' ? code : '',
    message: String(message),
    name: String(name),
  };
}

function isConnectionLoss(code: string, message: string): boolean {
  return (
    NETWORK_CODES.has(code) ||
    /connection terminated|connection ended|timeout expired|timeout exceeded|not queryable/i.test(
      message,
    )
  );
}

function describe(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown host';
  if (/timeout e|connection timeout/i.test(message)) return 'no answer in time';
  if (message === '') return code;
  return code.startsWith('22') ? maskValues(message) : message;
}
