/**
 * The closed sets of the hub's own data. The same values stand as CHECK constraints in the schema migrations: a new value
 * needs a schema migration too, and a test compares both.
 */

export const USER_ROLES = ['viewer', 'operator', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

export const SESSION_KINDS = ['bearer', 'cookie'] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

export const CONNECTION_KINDS = ['sqlite', 'mysql', 'postgres', 'csv'] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

export const JOB_STATUSES = [
  'draft',
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
  'rolled_back',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const JOB_PHASES = [
  'assess',
  'plan',
  'create',
  'copy',
  'finish',
  'verify',
  'rollback',
  'replay',
] as const;
export type JobPhase = (typeof JOB_PHASES)[number];

/** What a job was last asked to do. `migrate` is everything from assess to verify. */
export const JOB_ACTIONS = ['assess', 'plan', 'migrate', 'verify', 'rollback', 'replay'] as const;
export type JobAction = (typeof JOB_ACTIONS)[number];

export const TABLE_PHASES = ['pending', 'create', 'copy', 'finish', 'verify', 'done'] as const;
export type TablePhase = (typeof TABLE_PHASES)[number];

export const VERDICTS = ['pending', 'passed', 'failed', 'skipped'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const CHUNK_STATES = [
  'pending',
  'copying',
  'copied',
  'verified',
  'mismatched',
  'failed',
] as const;
export type ChunkState = (typeof CHUNK_STATES)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const AUDIT_OUTCOMES = ['success', 'failure', 'denied'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Longest texts in characters (code points), as wide as their columns. */
export const MAX_LENGTHS = { email: 254, username: 64, name: 100, fileName: 255 } as const;
