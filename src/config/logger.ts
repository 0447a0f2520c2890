import { pino, type DestinationStream, type Logger } from 'pino';

import { findErrorCode } from './error-code.ts';

const MASK = '***';

export interface LoggerOptions {
  readonly level: string;
  /** Standard output where left out. */
  readonly destination?: DestinationStream;
}

/** What a log line may say of an error. */
export interface SerializedError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: SerializedError;
}

/** Makes the logger of a process: JSON, one line an event. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: serializeError, error: serializeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * Tells of an error only what is on this list. pino's own serializer copies every property, and
 * Sequelize hangs the statement, its bound values and the offending row on its errors.
 */
export function serializeError(error: unknown): SerializedError {
  if (!Error.isError(error)) {
    return { name: typeof error, message: maskSecrets(String(error)) };
  }
  const code = findCode(error);
  const frames = findFrames(error);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: describeMessage(error.message, code),
    ...(frames === '' ? {} : { stack: frames }),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/** Hides passwords in free text: in URLs, in `password=…` and in JSON. */
export function maskSecrets(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/]*@/gi, `$1${MASK}@`)
    .replace(
      /((?:password|passwd|pwd|secret|token|api_?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)/gi,
      `$1${MASK}`,
    );
}

/** SQLSTATE class 22 quotes the value that did not fit; it may be anything a user has typed. */
function describeMessage(message: string, code: string | undefined): string {
  const masked = maskSecrets(message);
  return code?.startsWith('22') ? masked.replace(/"[^]*"/, `"${MASK}"`) : masked;
}

/** Sequelize keeps the SQLSTATE on the driver's error, below its own. */
function findCode(error: Error): string | undefined {
  return findErrorCode(error) ?? findErrorCode((error as { original?: unknown }).original);
}

/** The stack without its first lines: they repeat the message as it was. */
function findFrames(error: Error): string {
  const lines = (error.stack ?? '').split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}
