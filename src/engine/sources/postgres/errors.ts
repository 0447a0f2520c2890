import pg from 'pg';
import { AppError, isAppError } from '../../../errors/app-error.ts';
import type { ErrorCode } from '../../../errors/codes.ts';

/** SQLSTATE or SQLSTATE class → code. Source: PostgreSQL manual, appendix A. */
const SQLSTATE_CODES: Readonly<Record<string, ErrorCode>> = {
  '28P01': 'SOURCE_AUTHENTICATION_FAILED',
  '28000': 'SOURCE_AUTHENTICATION_FAILED',
  '3D000': 'SOURCE_DATABASE_MISSING',
  '42501': 'SOURCE_PERMISSION_DENIED',
  '42P01': 'SOURCE_CHANGED',
  '42703': 'SOURCE_CHANGED',
  '42704': 'SOURCE_CHANGED',
  '55P03': 'SOURCE_BUSY',
  '53300': 'SOURCE_UNREACHABLE',
  '08': 'SOURCE_UNREACHABLE',
  '57P': 'SOURCE_UNREACHABLE',
};

/**
 * An error of `pg` as an AppError; `what` names the table, or what was read. The server's message is kept as the reason, less
 * the values of rows that it quotes.
 */
export function mapPostgresError(
  error: unknown,
  what: string,
  location: { readonly database: string },
): AppError {
  if (isAppError(error)) return error;
  const { code, message } = readError(error);
  const mapped =
    SQLSTATE_CODES[code] ?? SQLSTATE_CODES[code.slice(0, 3)] ?? SQLSTATE_CODES[code.slice(0, 2)];
  const isServers = error instanceof pg.DatabaseError;
  const errorCode = mapped ?? (isServers ? 'SOURCE_READ_FAILED' : 'SOURCE_UNREACHABLE');
  const reason = describe(code, message);
  return new AppError(
    errorCode,
    { table: what, database: location.database, reason, ...(isServers ? { sqlState: code } : {}) },
    { cause: error },
  );
}

function readError(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', message: String(message) };
}

function describe(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown host';
  if (/timeout e|connection timeout/i.test(message)) return 'no answer in time';
  if (message === '') return code;
  // Data exceptions quote the value and next to nothing else, in the quotes of the server's language.
  return code.startsWith('22')
    ? message
        .replace(/["«»„“”'‘’「『].*["«»„“”'‘’」』]/su, '"…"')
        .replace(/0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/gi, '0x…')
    : message;
}
