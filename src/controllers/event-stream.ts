import { once } from 'node:events';
import type { Request, Response } from 'express';
import { AppError } from '../errors/app-error.ts';

/** How long a client waits before it connects again. */
const RECONNECT_MS = 2000;

export interface ServerEvent {
  readonly event: string;
  readonly data: object;
  /** Comes back as `Last-Event-ID` when the client connects again. */
  readonly id?: number;
}

/** Server-sent events on one response (WHATWG HTML, section 9.2). A slow reader holds the writer back. */
export class EventStream {
  /** Aborted when the client has gone. */
  readonly closed: AbortSignal;
  readonly #response: Response;

  constructor(response: Response) {
    const closed = new AbortController();
    response.once('close', () => {
      closed.abort();
    });
    // A client that left while its request was looked at: `close` has fired and will not fire again.
    if (response.destroyed || response.writableEnded) closed.abort();
    this.closed = closed.signal;
    this.#response = response;
    if (this.closed.aborted) return;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      // Proxies must neither keep nor compress nor collect what is meant to arrive now.
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${String(RECONNECT_MS)}\n\n`);
  }

  async send({ event, data, id }: ServerEvent): Promise<void> {
    const idLine = id === undefined ? '' : `id: ${String(id)}\n`;
    await this.#write(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Keeps proxies from taking a quiet stream for a dead one. */
  async beat(): Promise<void> {
    await this.#write(': still here\n\n');
  }

  end(): void {
    this.#response.end();
  }

  async #write(text: string): Promise<void> {
    if (this.closed.aborted || this.#response.write(text)) return;
    await once(this.#response, 'drain', { signal: this.closed }).catch(() => undefined);
  }
}

/** The number after which a client goes on; 0 = from the beginning. @throws AppError VALIDATION_FAILED */
export function readLastEventId(request: Request): number {
  const header = request.get('Last-Event-ID') ?? '';
  if (header === '') return 0;
  if (/^(0|[1-9]\d{0,14})$/.test(header)) return Number(header);
  throw new AppError('VALIDATION_FAILED', {
    reason: 'Must be the id of an event',
    field: 'Last-Event-ID',
  });
}
