import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { AppError } from '../errors/app-error.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationLog } from '../models/migration-log.ts';
import { presentLog } from '../presenters/job-details.ts';
import { presentJob } from '../presenters/migration-jobs.ts';
import type { IdInput } from '../validators/page.ts';
import { EventStream, readLastEventId } from './event-stream.ts';

const POLL_MS = 250;
const HEARTBEAT_MS = 15_000;
const LOG_BATCH = 500;

/**
 * A job, live: `log` for each line of its log (id = seq, so `Last-Event-ID` goes on without gap or double), `job` whenever the
 * job has changed, `end` when nothing more will come, `shutdown` when this process stops. All of it is read from the
 * database by number, so any API process can take a stream over from any other.
 */
export function jobEventsController(isDraining: () => boolean) {
  return {
    stream: async (request: Request, response: Response, { id }: IdInput) => {
      const lastSeq = readLastEventId(request);
      if ((await MigrationJob.findByPk(id)) === null)
        throw new AppError('NOT_FOUND', { entity: 'Job' });

      const stream = new EventStream(response);
      const feed = new JobFeed(id, lastSeq, stream);
      let isEnded = false;
      while (!isEnded && !stream.closed.aborted && !isDraining()) {
        isEnded = await feed.advance();
        if (!isEnded)
          await sleep(POLL_MS, undefined, { signal: stream.closed }).catch(() => undefined);
      }
      await stream.send({ event: isEnded ? 'end' : 'shutdown', data: {} });
      stream.end();
    },
  };
}

/** What one client has seen of a job. */
class JobFeed {
  readonly #jobId: string;
  readonly #stream: EventStream;
  #seq: number;
  #lastJob = '';
  #lastSentAt = Date.now();

  constructor(jobId: string, seq: number, stream: EventStream) {
    this.#jobId = jobId;
    this.#seq = seq;
    this.#stream = stream;
  }

  /** Sends what is new; true = the job is finished and everything has been sent. */
  async advance(): Promise<boolean> {
    // The job before its log: a line that comes between the two reads is sent before the job is called ended.
    const job = await MigrationJob.findByPk(this.#jobId);
    const hasNewLines = await this.#sendLog();
    if (job === null) return true;

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
