import { Worker } from 'node:worker_threads';

import { AppError } from '../../../errors/app-error.ts';
import {
  fromWire,
  type CallTable,
  type FromThread,
  type StreamTable,
  type ToThread,
} from './protocol.ts';

/** How long what was cancelled may run on before its thread is ended. */
const CANCEL_GRACE_MS = 250;

interface Pending {
  readonly receive: (message: FromThread) => void;
  readonly fail: (error: Error) => void;
}

export interface ReaderThreadOptions {
  /** The module that calls `serveReader`. */
  readonly entry: URL;
  /** `workerData` of the thread. */
  readonly workerData: unknown;
  /** The thread holds something that a new one would not have, a transaction for example. */
  readonly keepsState: boolean;
}

/**
 * The near side of a thread that reads a source: one thing at a time, the others wait. A thread that is cancelled and does
 * not stop soon is ended, and the next call begins a new one, unless `keepsState` says that its transaction is lost with it.
 */
export class ReaderThread<Calls extends CallTable<Calls>, Streams extends StreamTable<Streams>> {
  readonly #options: ReaderThreadOptions;
  #worker: Worker | null = null;
  #pending: (Pending & { readonly id: number }) | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #isClosed = false;
  #wasEnded = false;

  constructor(options: ReaderThreadOptions) {
    this.#options = options;
  }

  /** Throws AppError with a SOURCE_ code, or the reason of the signal. */
  async call<Name extends keyof Calls & string>(
    name: Name,
    argument: Calls[Name]['argument'],
    signal?: AbortSignal,
  ): Promise<Calls[Name]['result']> {
    return await this.#exclusively(async () => {
      signal?.throwIfAborted();
      const id = this.#nextId++;
      return await this.#withSignal(id, signal, (pending) => {
        this.#begin(id, pending);
        this.#send({ kind: 'call', id, name, argument });
      });
    });
  }

  /** Never has more than a few batches under way: the thread waits until they are asked for. */
  async *stream<Name extends keyof Streams & string>(
    name: Name,
    argument: Streams[Name]['argument'],
    signal: AbortSignal,
  ): AsyncGenerator<Streams[Name]['item']> {
    const release = await this.#lock();
    const id = this.#nextId++;
    const inbox = new Inbox<Streams[Name]['item']>();
    const abort = (): void => inbox.fail(signal.reason as Error);
    let hasBegun = false;
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', abort, { once: true });
      this.#begin(id, inbox);
      hasBegun = true;
      this.#send({ kind: 'stream', id, name, argument });
      for (;;) {
        const batch = await inbox.next();
        if (batch === null) return;
        this.#send({ kind: 'credit', id });
        yield batch;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      if (hasBegun && !inbox.isFinished) await this.#cancel(id, inbox.finished);
      this.#end(id);
      release();
    }
  }

  /** Waits for what is under way no longer than something cancelled may take. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = null;
    this.#pending?.fail(closedError());
    if (worker === null) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies ToThread);
    if (!(await settlesWithin(exited, CANCEL_GRACE_MS))) void worker.terminate();
  }

  async #withSignal<Result>(
    id: number,
    signal: AbortSignal | undefined,
    start: (pending: Pending) => void,
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const answered = Promise.withResolvers<undefined>();
    start({
      receive: (message) => {
        answered.resolve(undefined);
        if (message.kind === 'result') resolve(message.value);
        if (message.kind === 'error') reject(fromWire(message.error));
      },
      fail: (error) => {
        answered.resolve(undefined);
        reject(error);
      },
    });
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return (await promise) as Result;
    } catch (error) {
      if (signal?.aborted === true) await this.#cancel(id, answered.promise);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#end(id);
    }
  }

  /** Gives the thread a moment to notice, then ends it: a statement of SQLite cannot be interrupted from here. */
  async #cancel(id: number, finished: Promise<unknown>): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#send({ kind: 'cancel', id });
    if (await settlesWithin(finished, CANCEL_GRACE_MS)) return;
    this.#worker = null;
    this.#wasEnded = true;
    // The thread is gone once what it runs comes back to JavaScript; nobody has to wait for that.
    void worker.terminate();
  }

  #begin(id: number, pending: Pending): void {
    this.#pending = { id, receive: pending.receive, fail: pending.fail };
    this.#running().ref();
  }

  #end(id: number): void {
    if (this.#pending?.id === id) this.#pending = null;
    // A thread that nobody waits for must not keep the process alive.
    this.#worker?.unref();
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #running(): Worker {
    if (this.#isClosed) throw closedError();
    if (this.#worker !== null) return this.#worker;
    if (this.#wasEnded && this.#options.keepsState) {
      throw new AppError('SOURCE_UNREACHABLE', {
        reason: 'reading was cancelled, and its snapshot is gone',
      });
    }
    const worker = new Worker(this.#options.entry, {
      workerData: this.#options.workerData,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.on('message', (message: FromThread) => {
      if (this.#pending?.id === message.id) this.#pending.receive(message);
    });
    const fail = (reason: string): void => {
      if (this.#worker === worker) this.#worker = null;
      else return;
      this.#wasEnded = true;
      this.#pending?.fail(new AppError('SOURCE_UNREACHABLE', { reason }));
    };
    worker.on('error', (error: Error) => fail(`its reader failed: ${error.message}`));
    worker.on('exit', () => fail('its reader ended'));
    this.#worker = worker;
    return worker;
  }

  async #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = await this.#lock();
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #lock(): Promise<() => void> {
    const before = this.#queue;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#queue = promise;
    await before;
    return () => resolve(undefined);
  }
}

function closedError(): AppError {
  return new AppError('SOURCE_UNREACHABLE', { reason: 'it has been closed' });
}

/** Batches that have arrived and were not asked for yet. */
class Inbox<Item> implements Pending {
  readonly finished: Promise<void>;
  isFinished = false;
  readonly #items: Item[] = [];
  #error: Error | null = null;
  #wake: () => void = () => undefined;
  readonly #finish: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.finished = promise;
    this.#finish = () => resolve(undefined);
  }

  readonly receive = (message: FromThread): void => {
    if (message.kind === 'batch') this.#items.push(message.value as Item);
    if (message.kind === 'error') this.#error ??= fromWire(message.error);
    if (message.kind === 'error' || message.kind === 'end') {
      this.isFinished = true;
      this.#finish();
    }
    this.#wake();
  };

  readonly fail = (error: Error): void => {
    this.#error ??= error;
    this.#wake();
  };

  /** The next batch, or null after the last. Throws at once when something has failed. */
  async next(): Promise<Item | null> {
    while (this.#items.length === 0 && this.#error === null && !this.isFinished) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== null) throw this.#error;
    return this.#items.shift() ?? null;
  }
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
