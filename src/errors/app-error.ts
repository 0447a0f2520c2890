import { ERRORS, type ErrorCode, type Recovery } from './codes.ts';

/** What a message template and the error handler may use. Never put a secret, SQL or a stack in it. */
export interface ErrorDetails {
  /** The single input that is to blame, as the client names it. */
  readonly field?: string;
  /** Every failing input of a validation. */
  readonly errors?: readonly { readonly error: string; readonly field: string }[];
  /** Seconds after which a retriable call may be tried again. */
  readonly retryAfterSeconds?: number;
  /** Values for the `{placeholders}` of the message. */
  readonly [placeholder: string]: unknown;
}

/** A failure with a name from the table of codes. Everything the hub throws on purpose is one. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(renderMessage(code, details), options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get recovery(): Recovery {
    return ERRORS[this.code].recovery;
  }
}

/** True for an AppError of the given code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

function renderMessage(code: ErrorCode, details: ErrorDetails): string {
  return ERRORS[code].message.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = details[name];
    if (Array.isArray(value)) return value.join(', ');
    return typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown';
  });
}
