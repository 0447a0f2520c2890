/** What a caller can do next. `retriable`: the same call may work later; `fatal`: something has to change first. */
export type Recovery = 'retriable' | 'fatal';

interface ErrorDefinition {
  readonly status: number;
  readonly recovery: Recovery;
  /** For a person. `{name}` is replaced by the detail of that name. */
  readonly message: string;
}

/**
 * Every failure the hub can name: code → HTTP status, recovery, message. The code goes to the client in `X-Error-Code`.
 * Callers decide from `recovery`, never from a message.
 */
export const ERRORS = {
  // Requests
  MALFORMED_JSON: { status: 400, recovery: 'fatal', message: 'Malformed JSON' },
  VALIDATION_FAILED: { status: 400, recovery: 'fatal', message: '{reason}' },
  INVALID_CURSOR: { status: 400, recovery: 'fatal', message: 'Invalid cursor' },
  INVALID_ID: { status: 400, recovery: 'fatal', message: 'Not a valid id' },
  MALFORMED_REQUEST: { status: 400, recovery: 'fatal', message: 'Malformed request' },
  MALFORMED_URL: { status: 400, recovery: 'fatal', message: 'Malformed URL' },
  UNKNOWN_ROUTE: { status: 404, recovery: 'fatal', message: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, recovery: 'fatal', message: 'Method not allowed' },
  REQUEST_TIMEOUT: { status: 408, recovery: 'retriable', message: 'Request timeout' },
  HEADERS_TOO_LARGE: { status: 431, recovery: 'fatal', message: 'Request headers are too large' },
  PAYLOAD_TOO_LARGE: { status: 413, recovery: 'fatal', message: 'Payload too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, recovery: 'fatal', message: 'Unsupported media type' },
  PRECONDITION_REQUIRED: {
    status: 428,
    recovery: 'fatal',
    message: 'If-Match is required: send the ETag you read',
  },
  PRECONDITION_FAILED: {
    status: 412,
    recovery: 'fatal',
    message: 'Changed by someone else since it was read',
  },

  // Who may do what
  AUTHENTICATION_REQUIRED: { status: 401, recovery: 'fatal', message: 'Authentication required' },
  INVALID_TOKEN: { status: 401, recovery: 'fatal', message: 'Invalid or expired token' },
  INVALID_CREDENTIALS: { status: 401, recovery: 'fatal', message: 'Invalid email or password' },
  INVALID_REFRESH_TOKEN: { status: 401, recovery: 'fatal', message: 'Invalid refresh token' },
  REFRESH_IN_PROGRESS: {
    status: 409,
    recovery: 'retriable',
    message: 'Refresh already in progress',
  },
  INSUFFICIENT_SCOPE: { status: 403, recovery: 'fatal', message: 'Insufficient scope' },
  TOO_MANY_PASSWORD_CHECKS: {
    status: 503,
    recovery: 'retriable',
    message: 'Too many logins at once',
  },

  // Things that are not there, or are in the way
  NOT_FOUND: { status: 404, recovery: 'fatal', message: '{entity} not found' },
  DUPLICATE: {
    status: 409,
    recovery: 'fatal',
    message: '{entity} with this {field} exists already',
  },
  IN_USE: { status: 409, recovery: 'fatal', message: '{entity} is still in use by {user}' },

  // Source files and connections
  UPLOAD_MISSING: {
    status: 400,
    recovery: 'fatal',
    message: 'Send one file in the multipart field "file"',
  },
  UPLOAD_INTERRUPTED: {
    status: 400,
    recovery: 'retriable',
    message: 'The upload ended before the file was complete',
  },
  UPLOAD_EMPTY: { status: 400, recovery: 'fatal', message: 'The file is empty' },
  PATH_OUTSIDE_DATA_FOLDER: {
    status: 400,
    recovery: 'fatal',
    message: 'The path lies outside the data folder',
  },
  HOST_NOT_ALLOWED: { status: 400, recovery: 'fatal', message: 'Host is not allowed' },
  CONNECTION_KIND_UNSUITABLE: {
    status: 400,
    recovery: 'fatal',
    message: 'A {kind} connection cannot be a {role}',
  },
  SECRET_UNREADABLE: {
    status: 500,
    recovery: 'fatal',
    message:
      'The stored secret of this connection cannot be decrypted: its key {keyId} is not configured',
  },

  // Sources
  SOURCE_UNREACHABLE: {
    status: 502,
    recovery: 'retriable',
    message: 'The source cannot be reached: {reason}',
  },
  SOURCE_AUTHENTICATION_FAILED: {
    status: 422,
    recovery: 'fatal',
    message: 'The source refused the user name or the password',
  },
  SOURCE_DATABASE_MISSING: {
    status: 422,
    recovery: 'fatal',
    message: 'The source database {database} does not exist',
  },
  SOURCE_PERMISSION_DENIED: {
    status: 422,
    recovery: 'fatal',
    message: 'The source does not let this account read {table}: {reason}',
  },
  SOURCE_FILE_MISSING: {
    status: 422,
    recovery: 'fatal',
    message: 'The source file does not exist',
  },
  SOURCE_FILE_EMPTY: { status: 422, recovery: 'fatal', message: 'The source file is empty' },
  SOURCE_NOT_SQLITE: {
    status: 422,
    recovery: 'fatal',
    message: 'The file is not a SQLite database, or it is encrypted',
  },
  SOURCE_DAMAGED: {
    status: 422,
    recovery: 'fatal',
    message: 'The source is damaged or cut off: {reason}',
  },
  SOURCE_BUSY: {
    status: 503,
    recovery: 'retriable',
    message: 'The source is locked by another program',
  },
  SOURCE_WITHOUT_TABLES: {
    status: 422,
    recovery: 'fatal',
    message: 'The source has no table to move',
  },
  SOURCE_CHANGED: {
    status: 409,
    recovery: 'fatal',
    message: 'The schema of the source has changed since it was planned: plan the job again',
  },
  SOURCE_FILE_CHANGED: {
    status: 409,
    recovery: 'fatal',
    message: 'The file of {table} has changed since it was looked at: plan the job again',
  },
  SOURCE_FORMAT_UNSUITABLE: {
    status: 422,
    recovery: 'fatal',
    message: 'The files cannot be read with this {setting}',
  },
  SOURCE_READ_FAILED: {
    status: 502,
    recovery: 'retriable',
    message: 'Reading {table} failed: {reason}',
  },
  TOO_MANY_COLUMNS: {
    status: 422,
    recovery: 'fatal',
    message: 'Table {table} has {columns} columns; PostgreSQL allows 1600',
  },
  IDENTIFIER_COLLISION: {
    status: 422,
    recovery: 'fatal',
    message:
      '{names} would all be called {target} in the target: rename all but one, or choose other identifiers',
  },

  // Targets
  TARGET_UNREACHABLE: {
    status: 502,
    recovery: 'retriable',
    message: 'The target cannot be reached: {reason}',
  },
  TARGET_AUTHENTICATION_FAILED: {
    status: 422,
    recovery: 'fatal',
    message: 'The database refused the user name or the password',
  },
  TARGET_DATABASE_MISSING: {
    status: 422,
    recovery: 'fatal',
    message: 'The database {database} does not exist',
  },
  TARGET_READ_ONLY: { status: 422, recovery: 'fatal', message: 'The target is read-only' },
  TARGET_PERMISSION_DENIED: {
    status: 422,
    recovery: 'fatal',
    message: 'The target refused: {reason}',
  },
  TARGET_TABLE_EXISTS: {
    status: 409,
    recovery: 'fatal',
    message:
      'The target already has {tables}: choose onExisting, another targetSchema, or drop them',
  },
  TARGET_IS_SOURCE: {
    status: 409,
    recovery: 'fatal',
    message: 'The source is the schema {schema} of the target itself: choose another targetSchema',
  },
  TARGET_TABLE_UNSUITABLE: {
    status: 409,
    recovery: 'fatal',
    message: 'The existing table {table} of the target does not fit: {reason}',
  },
  TARGET_LACKS_ICU: {
    status: 422,
    recovery: 'fatal',
    message:
      'The target has no collation that compares as the source does ({reason}): use a PostgreSQL 12 or later that is built with ICU, or set keyCollation to drop',
  },
  TARGET_BUSY: {
    status: 503,
    recovery: 'retriable',
    message: 'Something else in the target is in the way: {reason}',
  },
  TARGET_OUT_OF_RESOURCES: {
    status: 507,
    recovery: 'retriable',
    message: 'The target has run out of resources: {reason}',
  },
  TARGET_REFUSED: {
    status: 422,
    recovery: 'fatal',
    message: 'The target refused {what}: {reason}',
  },
  TARGET_NOT_UNIQUE: {
    status: 422,
    recovery: 'fatal',
    message: 'The unique index {index} of {table} cannot be built: {reason}',
  },
  TARGET_OBJECT_MISSING: {
    status: 422,
    recovery: 'fatal',
    message: 'Missing in the target after the job: {objects}',
  },

  // Jobs
  JOB_STATUS_CONFLICT: {
    status: 409,
    recovery: 'fatal',
    message: 'Job is {status}: it cannot {action}',
  },
  JOB_ALREADY_RUNNING: { status: 409, recovery: 'fatal', message: 'Job is already running' },
  JOB_NOT_ASSESSED: {
    status: 404,
    recovery: 'fatal',
    message: 'The job has not been assessed yet',
  },
  JOB_NOT_PLANNED: { status: 404, recovery: 'fatal', message: 'The job has not been planned yet' },
  JOB_NOT_FINISHED: { status: 404, recovery: 'fatal', message: 'The job has not finished yet' },
  JOB_LEASE_LOST: {
    status: 409,
    recovery: 'retriable',
    message: 'Another worker has taken the job over',
  },
  ROW_REJECTED: {
    status: 422,
    recovery: 'fatal',
    message:
      'Table {table} has a row that cannot be stored faithfully ({reasonCode}), and onBadRow is fail',
  },
  TOO_MANY_REJECTS: {
    status: 422,
    recovery: 'fatal',
    message: 'More than {limit} rows were rejected',
  },
  ROWS_UNACCOUNTED: {
    status: 422,
    recovery: 'fatal',
    message: 'Rows are unaccounted for in {tables}: read is not copied plus rejected',
  },
  VERIFICATION_FAILED: {
    status: 422,
    recovery: 'fatal',
    message: 'Verification failed for {tables}',
  },
  NOTHING_TO_ROLL_BACK: {
    status: 409,
    recovery: 'fatal',
    message: 'Nothing in the target was made by this job alone: {reason}',
  },

  // The hub itself
  SERVICE_UNAVAILABLE: { status: 503, recovery: 'retriable', message: 'Service unavailable' },
  INTERNAL: { status: 500, recovery: 'fatal', message: 'Internal server error' },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;
