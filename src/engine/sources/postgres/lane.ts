import { AppError } from '../../../errors/app-error.ts';
import type { PostgresServer, PostgresSession } from './session.ts';

/** `shared`: a moment that another session exports. `own`: that of the first transaction. `each`: that of each request. */
export type Moment =
  | { readonly kind: 'shared'; readonly id: string }
  | { readonly kind: 'own' }
  | { readonly kind: 'each' };

/**
 * One reader: a connection that does one thing at a time. A connection that was aborted or has failed is replaced at the next
 * request, as long as the moment can still be joined. Throws AppError, or the reason of the request's signal.
 */
export class Lane {
  readonly #server: PostgresServer;
  readonly #moment: Moment;
  #session: PostgresSession | null = null;
  #hasBegun = false;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(server: PostgresServer, moment: Moment) {
    this.#server = server;
    this.#moment = moment;
  }

  /** Runs `work` in the lane's transaction. `what` names the table in an error. */
  async use<Result>(
    what: string,
    signal: AbortSignal,
    work: (session: PostgresSession) => Promise<Result>,
  ): Promise<Result> {
    const leave = await this.#enter();
    let isClean = false;
    try {
      const session = await this.#ready(signal);
      const result = await this.#server.guard(session, what, signal, () => work(session));
      await this.#finish(session);
      isClean = true;
      return result;
    } finally {
      if (!isClean) this.#discard();
      leave();
    }
  }

  /** The same for work that yields; a consumer that leaves early costs the connection. */
  async *stream<Item>(
    what: string,
    signal: AbortSignal,
    work: (session: PostgresSession) => AsyncIterable<Item>,
  ): AsyncGenerator<Item, void, undefined> {
    const leave = await this.#enter();
    let isClean = false;
    try {
      const session = await this.#ready(signal);
      const items = work(session)[Symbol.asyncIterator]();
      for (;;) {
        const next = await this.#server.guard(session, what, signal, () => items.next());
        if (next.done === true) break;
        yield next.value;
      }
      await this.#finish(session);
      isClean = true;
    } finally {
      if (!isClean) this.#discard();
      leave();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#discard();
  }

  async #enter(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#last = promise;
    await before;
    return () => resolve(undefined);
  }

  async #ready(signal: AbortSignal): Promise<PostgresSession> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new AppError('SOURCE_UNREACHABLE', { reason: 'it was closed' });
    if (this.#session?.isOver === true) this.#session = null;
    if (this.#session !== null && this.#moment.kind !== 'each') return this.#session;
    if (this.#hasBegun && this.#moment.kind === 'own') throw momentLost();
    const session = (this.#session ??= await this.#server.connect());
    const id = this.#moment.kind === 'shared' ? this.#moment.id : undefined;
    try {
      await this.#server.guard(session, 'the source', signal, () => session.begin(id));
    } catch (error) {
      signal.throwIfAborted();
      throw this.#hasBegun && this.#moment.kind === 'shared' ? momentLost(error) : error;
    }
    this.#hasBegun = true;
    return session;
  }

  async #finish(session: PostgresSession): Promise<void> {
    if (this.#moment.kind === 'each') await session.rollback();
  }

  #discard(): void {
    this.#session?.end();
    this.#session = null;
  }
}

function momentLost(cause?: unknown): AppError {
  return new AppError(
    'SOURCE_UNREACHABLE',
    { reason: 'the connection that held the moment of the snapshot is lost' },
    { cause },
  );
}
