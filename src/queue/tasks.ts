/** What the hub does outside a request: task name → payload. */
export interface TaskPayloads {
  /** Takes a job on from where it is. Harmless when doubled: only one worker can claim the job. */
  readonly 'run-job': { readonly jobId: string };
}

export type TaskName = keyof TaskPayloads;

interface TaskDefinition<Payload> {
  /** Of tasks with one key only one waits at a time: it serves all who asked. */
  readonly keyOf: (payload: Payload) => string;
  readonly retryLimit: number;
  readonly retryDelaySeconds: number;
  /**
   * A task whose worker has not been heard of for so long is given to another. Longer than a job's own lease, which is what
   * decides: this is for tasks that were taken and never begun.
   */
  readonly heartbeatSeconds: number;
  /** How long one attempt may take; then the task goes to the next worker, which continues. pg-boss allows 24 hours. */
  readonly expireSeconds: number;
}

const LONGEST_SECONDS = 86_400;

export const TASKS: { readonly [Name in TaskName]: TaskDefinition<TaskPayloads[Name]> } = {
  'run-job': {
    keyOf: ({ jobId }) => jobId,
    retryLimit: 1_000_000,
    retryDelaySeconds: 1,
    heartbeatSeconds: 60,
    expireSeconds: LONGEST_SECONDS,
  },
};

export const TASK_NAMES = Object.keys(TASKS) as readonly TaskName[];
