import { availableParallelism } from 'node:os';

import bcrypt from 'bcryptjs';
import { Piscina } from 'piscina';

import { AppError } from '../errors/app-error.ts';
import type { PasswordTask } from './password-worker.ts';

export interface PasswordsOptions {
  /** bcrypt's cost, as a power of two. */
  readonly cost?: number;
  readonly threads?: number;
}

const DEFAULT_COST = 12;
/** At a quarter of a second each, whoever comes last waits about six seconds. */
const WAITING_PER_THREAD = 24;
const BCRYPT_DIGEST_LENGTH = 31;

/** bcrypt ignores what comes after, so longer passwords are refused rather than cut. */
export const MAX_PASSWORD_BYTES = 72;

/**
 * bcrypt in threads of its own: even its asynchronous form would hold up the event loop. Beyond a ceiling of waiting checks
 * it answers at once instead of letting everybody wait for a flood of logins.
 */
export class Passwords {
  readonly #pool: Piscina<PasswordTask, string | boolean>;
  readonly #cost: number;
  readonly #ceiling: number;
  readonly #decoyHash: string;
  #pending = 0;

  constructor({ cost = DEFAULT_COST, threads = defaultThreads() }: PasswordsOptions = {}) {
    this.#cost = cost;
    this.#ceiling = threads * WAITING_PER_THREAD;
    // No password gives this one, but trying takes as long as with any other.
    this.#decoyHash = bcrypt.genSaltSync(cost) + '.'.repeat(BCRYPT_DIGEST_LENGTH);
    this.#pool = new Piscina({
      filename: new URL('./password-worker.ts', import.meta.url).href,
      name: 'runPasswordTask',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 60_000,
    });
  }

  /** @throws AppError TOO_MANY_PASSWORD_CHECKS */
  async hash(password: string): Promise<string> {
    return (await this.#run({ kind: 'hash', password, cost: this.#cost })) as string;
  }

  /**
   * `hash` null = there is no such user: false, after the same time.
   * @throws AppError TOO_MANY_PASSWORD_CHECKS
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    const task = { kind: 'verify', password, hash: hash ?? this.#decoyHash } as const;
    return (await this.#run(task)) === true;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #run(task: PasswordTask): Promise<string | boolean> {
    if (this.#pending >= this.#ceiling) {
      throw new AppError('TOO_MANY_PASSWORD_CHECKS', { retryAfterSeconds: 5 });
    }
    this.#pending += 1;
    try {
      return await this.#pool.run(task);
    } finally {
      this.#pending -= 1;
    }
  }
}

/** One core stays with the event loop. */
function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}
