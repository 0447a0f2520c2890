import { BaseError, UniqueConstraintError } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { isConnectionLoss } from '../models/connection-loss.ts';
import { FOREIGN_KEYS, UNIQUE_CONSTRAINTS } from '../models/constraints.ts';
import { sqlStateOf } from '../models/transaction.ts';
import { invalidInput } from '../services/invalid-input.ts';

/** body-parser's names for what can be wrong with a body. */
const BODY_ERRORS: Readonly<Record<string, ErrorCode>> = {
  'entity.parse.failed': 'MALFORMED_JSON',
  'entity.too.large': 'PAYLOAD_TOO_LARGE',
  'charset.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
  'encoding.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
  'request.aborted': 'UPLOAD_INTERRUPTED',
  'request.size.invalid': 'UPLOAD_INTERRUPTED',
};

/** SQLSTATE: the client has sent a value that the column cannot hold, and no validator has noticed. */
const BAD_VALUES: ReadonlySet<string> = new Set([
  '22021',
  '22P05',
  '22P02',
  '22003',
  '22001',
  '22007',
  '22008',
  '2201W',
  '2201X',
  '23502',
  '23514',
]);
/** PostgreSQL 18 has a state of its own (restrict_violation) for ON DELETE RESTRICT; Sequelize does not know it. */
const FOREIGN_KEY_VIOLATIONS: readonly string[] = ['23503', '23001'];
/** SQLSTATE or class of it: it may work in a moment. */
const TEMPORARY = /^(08|40001|40P01|55P03|57014|53300|57P0[1-3])/;
const RETRY_AFTER_SECONDS = 2;

/**
 * What a failure means to the client; null = nothing that it could know or do anything about. Never takes over a message of
 * the database: it holds columns and values.
 */
export function toAppError(error: unknown, method: string): AppError | null {
  if (error instanceof AppError) return error;
  if (error instanceof URIError) return new AppError('MALFORMED_URL', {}, { cause: error });
  if (error instanceof BaseError || sqlStateOf(error) !== null) return fromDatabase(error, method);
  return fromHttpError(error);
}

function fromHttpError(error: unknown): AppError | null {
  if (typeof error !== 'object' || error === null) return null;
  const { type, status, name } = error as { type?: unknown; status?: unknown; name?: unknown };
  // Under Jest, Node's own errors are of another realm, and instanceof does not know them.
  if (name === 'URIError') return new AppError('MALFORMED_URL', {}, { cause: error });
  const code = typeof type === 'string' ? BODY_ERRORS[type] : undefined;
  if (code) return new AppError(code, {}, { cause: error });
  const isClientsFault = typeof status === 'number' && status >= 400 && status < 500;
  return isClientsFault ? new AppError('MALFORMED_JSON', {}, { cause: error }) : null;
}

function fromDatabase(error: unknown, method: string): AppError | null {
  if (error instanceof UniqueConstraintError) return fromUniqueConstraint(error);
  const state = sqlStateOf(error) ?? '';
  if (FOREIGN_KEY_VIOLATIONS.includes(state)) return fromForeignKey(error, method);
  if (BAD_VALUES.has(state)) {
    const reason = 'A value is out of range or malformed';
    return new AppError('VALIDATION_FAILED', { reason }, { cause: error });
  }
  return TEMPORARY.test(state) || isConnectionLoss(error) ? unavailable(error) : null;
}

function fromUniqueConstraint(error: UniqueConstraintError): AppError | null {
  const { constraint = '' } = error.original as { constraint?: string };
  const known = UNIQUE_CONSTRAINTS[constraint];
  return known ? new AppError('DUPLICATE', { ...known }, { cause: error }) : null;
}

function fromForeignKey(error: unknown, method: string): AppError | null {
  const { constraint = '' } = (error as { original?: { constraint?: string } }).original ?? {};
  const known = FOREIGN_KEYS[constraint];
  if (!known) return null;
  const { entity, field, user } = known;
  if (method === 'DELETE') return new AppError('IN_USE', { entity, user }, { cause: error });
  return invalidInput({ error: `${entity} not found`, field });
}

function unavailable(error: unknown): AppError {
  const details = { retryAfterSeconds: RETRY_AFTER_SECONDS };
  return new AppError('SERVICE_UNAVAILABLE', details, { cause: error });
}
