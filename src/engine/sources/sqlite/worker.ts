/** The entry of a thread: one connection to one file, one thing at a time. */
import { parentPort, workerData } from 'node:worker_threads';

import { readCatalog, readVersion } from './catalog.ts';
import { toWire } from './errors.ts';
import { openDatabase, type OpenDatabase } from './open.ts';
import {
  CREDITS,
  type FromThread,
  type ThreadCalls,
  type ThreadStreams,
  type ToThread,
} from './protocol.ts';
import { firstRow, quoteName } from './query.ts';
import { renderCanonical } from './read-canonical.ts';
import { encodeChunk } from './read-chunk.ts';
import { scanTable } from './scan.ts';

if (parentPort === null) throw new Error('worker.ts runs in a worker thread');
const port = parentPort;
const { path } = workerData as { readonly path: string };

let database: OpenDatabase | null = null;

const CALLS: {
  readonly [Name in keyof ThreadCalls]: (
    argument: ThreadCalls[Name]['argument'],
  ) => ThreadCalls[Name]['result'];
} = {
  version: () => readVersion(open().db),
  readCatalog: () => readCatalog(open().db),
  scanTable: (argument) => scanTable(open(), argument),
  countRows: ({ table }) =>
    Number(firstRow(open().db, `SELECT count(*) FROM main.${quoteName(table)}`)[0]),
  dataVersion: () => Number(firstRow(open().db, 'PRAGMA data_version')[0]),
  beginSnapshot: () => {
    const { db } = open();
    db.exec('BEGIN');
    // The moment is fixed by the first read, not by BEGIN.
    firstRow(db, 'SELECT count(*) FROM sqlite_schema');
    return null;
  },
  endSnapshot: () => {
    open().db.exec('ROLLBACK');
    return null;
  },
};

const STREAMS: {
  readonly [Name in keyof ThreadStreams]: (
    argument: ThreadStreams[Name]['argument'],
  ) => Generator<ThreadStreams[Name]['item']>;
} = {
  readChunk: (argument) => encodeChunk(open(), argument),
  readCanonical: (argument) => renderCanonical(open(), argument),
};

function open(): OpenDatabase {
  return (database ??= openDatabase(path));
}

interface RunningStream {
  readonly id: number;
  credits: number;
  cancelled: boolean;
  wake: () => void;
}

let stream: RunningStream | null = null;

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'call':
      answer(message.id, message.name, message.argument);
      break;
    case 'stream':
      void run(message.id, message.name, message.argument);
      break;
    case 'credit':
    case 'cancel':
      if (stream?.id !== message.id) break;
      if (message.kind === 'credit') stream.credits++;
      else stream.cancelled = true;
      stream.wake();
      break;
    case 'close':
      database?.db.close();
      port.close();
      break;
  }
});

function answer(id: number, name: keyof ThreadCalls, argument: unknown): void {
  try {
    const call = CALLS[name] as (argument: unknown) => unknown;
    send({ kind: 'result', id, value: call(argument) });
  } catch (error) {
    send({ kind: 'error', id, error: toWire(error, describe(argument)) });
  }
}

async function run(id: number, name: keyof ThreadStreams, argument: unknown): Promise<void> {
  const running: RunningStream = { id, credits: CREDITS, cancelled: false, wake: () => undefined };
  stream = running;
  try {
    const start = STREAMS[name] as (argument: unknown) => Generator<{ readonly lines: Uint8Array }>;
    for (const batch of start(argument)) {
      send({ kind: 'batch', id, value: batch }, [batch.lines.buffer as ArrayBuffer]);
      running.credits--;
      await credit(running);
      if (running.cancelled) break;
    }
    send({ kind: 'end', id });
  } catch (error) {
    send({ kind: 'error', id, error: toWire(error, describe(argument)) });
  } finally {
    stream = null;
  }
}

/** Waits until one more batch may be under way; lets a cancellation in also where none has to be waited for. */
async function credit(running: RunningStream): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  while (running.credits <= 0 && !running.cancelled) {
    await new Promise<void>((resolve) => {
      running.wake = resolve;
    });
  }
}

function send(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** The table that an argument is about, for an error's message. */
function describe(argument: unknown): string {
  const table = (argument as { table?: string | { name?: string; source?: string } } | null)?.table;
  return typeof table === 'string' ? table : (table?.name ?? table?.source ?? 'the source');
}
