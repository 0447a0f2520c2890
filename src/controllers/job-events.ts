import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { AppError, isAppError } from '../errors/app-error.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationLog } from '../models/migration-log.ts';
import { presentLog } from '../presenters/job-details.ts';
import { presentJob } from '../presenters/migration-jobs.ts';
import type { IdInput } from '../validators/page.ts';
import { EventStream, readLastEventId } from './event-stream.ts';

const ACTIVE_POLL_MS = 250;
/** Drafts and paused jobs change when a person does something. */
const QUIET_POLL_MS = 1000;
/** How long a stream may go on after a logout, or after its user was disabled. */
const RECHECK_MS = 15_000;
const HEARTBEAT_MS = 15_000;
const LOG_BATCH = 500;

/** Why a stream ends, as its last event says. */
type Ending = 'end' | 'shutdown' | 'unauthorized';

export interface JobEventsOptions {
  /** Shorter in tests only. */
  readonly recheckMs?: number;
}

/**
 * A job, live: `log` for each line of its log (id = seq, so `Last-Event-ID` goes on without gap or double), `job` whenever the
 * job has changed, `end` when nothing more will come, `shutdown` when this process stops, `unauthorized` when the reader has to
 * come with another token. All of it is read from the database by number, so any API process can take a stream over from any
 * other.
 */
export function jobEventsController(
  isDraining: () => boolean,
  { recheckMs = RECHECK_MS }: JobEventsOptions = {},
) {
  return {
    stream: async (request: Request, response: Response, { id }: IdInput) => {
      const lastSeq = readLastEventId(request);
      const right = new ReadingRight(request.access, recheckMs);
      if ((await MigrationJob.findByPk(id)) === null)
        throw new AppError('NOT_FOUND', { entity: 'Job' });

      const stream = new EventStream(response);
      const feed = new JobFeed(id, lastSeq, stream);
      let ending: Ending | null = null;
      while (ending === null && !stream.closed.aborted) {
        ending = isDraining() ? 'shutdown' : await advance(feed, right);
        if (ending === null)
          await sleep(feed.pollMs, undefined, { signal: stream.closed }).catch(() => undefined);
      }
      if (ending !== null) await stream.send({ event: ending, data: {} });
      stream.end();
    },
  };
}

async function advance(feed: JobFeed, right: ReadingRight): Promise<Ending | null> {
  if (!(await right.holds())) return 'unauthorized';
  return (await feed.advance()) ? 'end' : null;
}

/** Whether whoever opened a stream may still read it: no stream outlives its token, its session or its user's account. */
class ReadingRight {
  readonly #access: Request['access'];
  readonly #recheckMs: number;
  #checkedAt = Date.now();

  constructor(access: Request['access'], recheckMs: number) {
    this.#access = access;
    this.#recheckMs = recheckMs;
  }

  async holds(): Promise<boolean> {
    const now = Date.now();
    if (this.#access === undefined || now >= this.#access.expiresAtMs) return false;
    if (now - this.#checkedAt < this.#recheckMs) return true;
    this.#checkedAt = now;
    try {
      return (await this.#access.renew()).scopes.has('jobs:read');
    } catch (error) {
      if (isAppError(error, 'INVALID_TOKEN')) return false;
      throw error;
    }
  }
}

/** What one client has seen of a job. */
class JobFeed {
  readonly #jobId: string;
  readonly #stream: EventStream;
  #seq: number;
  #lastJob = '';
  #lastSentAt = Date.now();
  #pollMs = ACTIVE_POLL_MS;

  constructor(jobId: string, seq: number, stream: EventStream) {
    this.#jobId = jobId;
    this.#seq = seq;
    this.#stream = stream;
  }

  /** How long to wait before looking again. */
  get pollMs(): number {
    return this.#pollMs;
  }

  /** Sends what is new; true = the job is finished and everything has been sent. */
  async advance(): Promise<boolean> {
    // The job before its log: a line that comes between the two reads is sent before the job is called ended.
    const job = await MigrationJob.findByPk(this.#jobId);
    const hasNewLines = await this.#sendLog();
    if (job === null) return true;

    this.#pollMs = job.isActive() ? ACTIVE_POLL_MS : QUIET_POLL_MS;
    const data = presentJob(job);
    const text = JSON.stringify(data);
    const hasChanged = text !== this.#lastJob;
    this.#lastJob = text;
    if (hasChanged) await this.#stream.send({ event: 'job', data });
    if (hasChanged || hasNewLines) this.#lastSentAt = Date.now();
    else if (Date.now() - this.#lastSentAt > HEARTBEAT_MS) await this.#beat();
    return job.isFinished();
  }

  async #sendLog(): Promise<boolean> {
    const before = this.#seq;
    let logs: MigrationLog[];
    do {
      logs = await MigrationLog.findAfter(this.#jobId, this.#seq, LOG_BATCH);
      for (const log of logs)
        await this.#stream.send({ event: 'log', data: presentLog(log), id: log.seq });
      this.#seq = logs.at(-1)?.seq ?? this.#seq;
    } while (logs.length === LOG_BATCH && !this.#stream.closed.aborted);
    return this.#seq !== before;
  }

  async #beat(): Promise<void> {
    this.#lastSentAt = Date.now();
    await this.#stream.beat();
  }
}
