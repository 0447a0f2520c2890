import { setTimeout as sleep } from 'node:timers/promises';

import type { Request, Response } from 'express';

import { AppError } from '../errors/app-error.ts';
import type { Hub } from '../services/hub.ts';

/** A probe that waits for the pool's own time limit would be taken for a dead process. */
const PROBE_TIMEOUT_MS = 2_000;

export interface Readiness {
  /** True once the process has begun to stop: no new requests, please. */
  readonly isDraining: () => boolean;
}

export function healthController(hub: Pick<Hub, 'sequelize'>, { isDraining }: Readiness) {
  return {
    /** The process runs. Asks nothing else, so that a lost database does not get it restarted. */
    live: (_request: Request, response: Response) => {
      response.json({ status: 'ok' });
    },

    ready: async (_request: Request, response: Response) => {
      if (isDraining()) throw new AppError('SERVICE_UNAVAILABLE');
      await assertDatabaseAnswers(hub);
      response.json({ status: 'ok' });
    },
  };
}

async function assertDatabaseAnswers({ sequelize }: Pick<Hub, 'sequelize'>): Promise<void> {
  const stopped = new AbortController();
  const timeout = sleep(PROBE_TIMEOUT_MS, undefined, { signal: stopped.signal }).then(() => {
    throw new AppError('SERVICE_UNAVAILABLE');
  });
  // When the query wins, the timer is stopped, and its rejection is nobody's business.
  timeout.catch(() => undefined);
  try {
    await Promise.race([sequelize.query('SELECT 1'), timeout]);
  } finally {
    stopped.abort();
  }
}
