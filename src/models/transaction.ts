import { setTimeout as sleep } from 'node:timers/promises';
import type { Sequelize, Transaction } from 'sequelize';

export interface InTransactionOptions {
  /** An open transaction to join: `work` runs in it, and who opened it commits, rolls back and retries. */
  readonly transaction?: Transaction | undefined;
  /** Default: the database's own (READ COMMITTED on PostgreSQL, SERIALIZABLE on CockroachDB). */
  readonly isolationLevel?: Transaction.ISOLATION_LEVELS;
  /** Runs before it gives up, the first one included. */
  readonly maxAttempts?: number;
}

const MAX_ATTEMPTS = 8;
const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 2_000;
/** serialization_failure and deadlock_detected: the transaction has left no trace and may simply be run again. */
const RETRIABLE_SQLSTATES: ReadonlySet<string> = new Set(['40001', '40P01']);

/**
 * Runs `work` in one transaction and gives its result after the commit. On SQLSTATE 40001 and 40P01, also from the COMMIT
 * itself, the whole of it runs again, with full jitter, until `maxAttempts`; then the last error is thrown. A retry of a single
 * statement would not do: PostgreSQL answers 25P02 until the transaction ends.
 *
 * So `work` runs any number of times: nothing in it may reach outside the transaction (no mail, no file, no event, no change of
 * a variable that survives). Do that after this returns; not in `transaction.afterCommit`, which Sequelize calls
 * also when the COMMIT has failed. Every query in `work` needs `{ transaction }`: one without it takes a second
 * connection, and with the pool full both wait for each other.
 */
export async function inTransaction<Result>(
  sequelize: Sequelize,
  work: (transaction: Transaction) => Promise<Result>,
  options: InTransactionOptions = {},
): Promise<Result> {
  if (options.transaction) return work(options.transaction);

  const { isolationLevel, maxAttempts = MAX_ATTEMPTS } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sequelize.transaction(isolationLevel ? { isolationLevel } : {}, work);
    } catch (error) {
      if (attempt >= maxAttempts || !isRetriable(error)) throw error;
    }
    await sleep(Math.random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
  }
}

/** The SQLSTATE behind an error of Sequelize or pg, or behind its cause; null where there is none (a lost connection has none). */
export function sqlStateOf(error: unknown): string | null {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const { code, original, cause } = current as Error & { code?: unknown; original?: unknown };
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code;
    current = original ?? cause;
  }
  return null;
}

function isRetriable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && RETRIABLE_SQLSTATES.has(state);
}
