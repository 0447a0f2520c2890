import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Does something now and then again and again, never twice at once. A failure is logged and tried again. */
export function repeat(
  pauseMs: number,
  log: Logger,
  work: () => Promise<unknown>,
): { stop: () => Promise<void> } {
  const stopped = new AbortController();
  const { signal } = stopped;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        log.warn({ err: error }, 'what the worker does by the clock has failed');
      });
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
