import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Transaction } from 'sequelize';
import type { DatabaseConnection } from '../config/database-url.ts';
import { TASK_NAMES, TASKS, type TaskName, type TaskPayloads } from './tasks.ts';

export interface QueueOptions {
  readonly connection: DatabaseConnection;
  /** PostgreSQL schema of the queue's own tables. */
  readonly schema: string;
  /** A problem of the queue, or a handler that failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export type TaskHandler<Name extends TaskName> = (payload: TaskPayloads[Name]) => Promise<void>;

/** Seconds between looks at the queue when nothing wakes a worker: NOTIFY is only there to be faster. */
const POLLING_SECONDS = 1;
/** How often dead workers' tasks are looked for. */
const SUPERVISION_SECONDS = 5;

/** The queue of tasks: pg-boss on the hub's own database. A task is enqueued in the transaction of what it is about. */
export class Queue {
  readonly #boss: PgBoss;
  readonly #onError: QueueOptions['onError'];

  constructor({ connection, schema, onError }: QueueOptions) {
    this.#boss = new PgBoss({
      ...connection,
      schema,
      application_name: 'legacy-migration-hub',
      max: 4,
      useListenNotify: true,
      superviseIntervalSeconds: SUPERVISION_SECONDS,
      monitorIntervalSeconds: SUPERVISION_SECONDS,
      schedule: false,
    });
    this.#boss.on('error', onError);
    this.#onError = onError;
  }

  /** Installs or upgrades the queue's tables and makes the queues. */
  async start(): Promise<void> {
    await this.#boss.start();
    for (const name of TASK_NAMES) {
      const definition = TASKS[name];
      const options = {
        retryLimit: definition.retryLimit,
        retryDelay: definition.retryDelaySeconds,
        heartbeatSeconds: definition.heartbeatSeconds,
        expireInSeconds: definition.expireSeconds,
        deleteAfterSeconds: 3600,
        notify: true,
      };
      await this.#boss.createQueue(name, { policy: 'short', ...options });
      await this.#boss.updateQueue(name, options);
    }
  }

  /**
   * Enqueues a task that exists if, and only if, the transaction commits. Where one with the same key waits already, that
   * one will do.
   */
  async enqueue<Name extends TaskName>(
    transaction: Transaction,
    name: Name,
    payload: TaskPayloads[Name],
  ): Promise<void> {
    const { connection } = transaction as Transaction & { readonly connection: pg.ClientBase };
    const db = {
      executeSql: async (text: string, values?: unknown[]) =>
        await connection.query<Record<string, unknown>>(text, values),
    };
    await this.#boss.send(name, payload, { db, singletonKey: TASKS[name].keyOf(payload) });
  }

  /** Starts `concurrency` workers for one kind of task. A handler that throws has its task tried again. */
  async work<Name extends TaskName>(
    name: Name,
    handler: TaskHandler<Name>,
    concurrency: number,
  ): Promise<void> {
    const options = { pollingIntervalSeconds: POLLING_SECONDS, localConcurrency: concurrency };
    await this.#boss.work<TaskPayloads[Name]>(name, options, async ([task]) => {
      if (task === undefined) return;
      try {
        await handler(task.data);
      } catch (error) {
        this.#onError(error);
        throw error;
      }
    });
  }

  /** Takes no new tasks, waits for running handlers up to `seconds`. */
  async stop(seconds: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: seconds * 1000 });
  }
}
