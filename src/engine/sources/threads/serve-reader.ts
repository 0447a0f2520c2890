import { parentPort } from 'node:worker_threads';

import type { AppError } from '../../../errors/app-error.ts';
import {
  CREDITS,
  toWire,
  type CallTable,
  type FromThread,
  type StreamTable,
  type ToThread,
} from './protocol.ts';

/** What a thread can do. `signal` aborts when the near side does not want the answer any more. */
export interface Reader<Calls extends CallTable<Calls>, Streams extends StreamTable<Streams>> {
  readonly calls: {
    readonly [Name in keyof Calls]: (
      argument: Calls[Name]['argument'],
      signal: AbortSignal,
    ) => Calls[Name]['result'] | Promise<Calls[Name]['result']>;
  };
  readonly streams: {
    readonly [Name in keyof Streams]: (
      argument: Streams[Name]['argument'],
      signal: AbortSignal,
    ) => Iterable<Streams[Name]['item']> | AsyncIterable<Streams[Name]['item']>;
  };
  /** Any error of the above as one that the near side may throw. `what` names the table, or the whole source. */
  readonly mapError: (error: unknown, what: string) => AppError;
  /** Called once, when nothing else will be asked. */
  readonly close: () => void | Promise<void>;
}

type AnyCall = (argument: unknown, signal: AbortSignal) => unknown;
type AnyStream = (
  argument: unknown,
  signal: AbortSignal,
) => AsyncIterable<{ readonly lines: Uint8Array }>;

interface Running {
  readonly id: number;
  readonly stop: AbortController;
  credits: number;
  wake: () => void;
}

/** The far side of a `ReaderThread`: answers one thing at a time. Call it once, in the thread's entry file. */
export function serveReader<Calls extends CallTable<Calls>, Streams extends StreamTable<Streams>>(
  reader: Reader<Calls, Streams>,
): void {
  if (parentPort === null) throw new Error('a reader runs in a worker thread');
  const port = parentPort;
  // The near side's types name only what is there; what crosses the thread has lost them.
  const calls = reader.calls as Readonly<Record<string, AnyCall>>;
  const streams = reader.streams as Readonly<Record<string, AnyStream>>;
  let running: Running | null = null;

  const send = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);

  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'call':
      case 'stream':
        void answer(message);
        break;
      case 'credit':
      case 'cancel':
        if (running?.id !== message.id) break;
        if (message.kind === 'credit') running.credits++;
        else running.stop.abort();
        running.wake();
        break;
      case 'close':
        void Promise.resolve(reader.close()).finally(() => port.close());
        break;
    }
  });

  async function answer({
    kind,
    id,
    name,
    argument,
  }: Extract<ToThread, { readonly kind: 'call' | 'stream' }>): Promise<void> {
    const own: Running = {
      id,
      stop: new AbortController(),
      credits: CREDITS,
      wake: () => undefined,
    };
    running = own;
    try {
      if (kind === 'call') {
        send({ kind: 'result', id, value: await calls[name]?.(argument, own.stop.signal) });
        return;
      }
      for await (const batch of streams[name]?.(argument, own.stop.signal) ?? []) {
        send({ kind: 'batch', id, value: batch }, [batch.lines.buffer as ArrayBuffer]);
        own.credits--;
        await credit(own);
        if (own.stop.signal.aborted) break;
      }
      send({ kind: 'end', id });
    } catch (error) {
      send({ kind: 'error', id, error: toWire(reader.mapError(error, describe(argument))) });
    } finally {
      if (running === own) running = null;
    }
  }
}

/** Waits until one more batch may be under way; lets a cancellation in also where none has to be waited for. */
async function credit(running: Running): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  while (running.credits <= 0 && !running.stop.signal.aborted) {
    await new Promise<void>((resolve) => {
      running.wake = resolve;
    });
  }
}

/** The table that an argument is about, for an error's message. */
function describe(argument: unknown): string {
  const table = (argument as { table?: string | { name?: string; source?: string } } | null)?.table;
  return typeof table === 'string' ? table : (table?.name ?? table?.source ?? 'the source');
}
