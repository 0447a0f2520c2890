export interface LaneOptions {
  readonly lanes: number;
  readonly signal: AbortSignal;
}

/**
 * Works through `tasks` in order, `lanes` at a time. The first failure aborts the others and is thrown once all have
 * stopped, so that nothing still uses what the caller closes next.
 */
export async function inLanes<Task>(
  tasks: readonly Task[],
  { lanes, signal }: LaneOptions,
  work: (task: Task, lane: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const laneSignal = AbortSignal.any([signal, stop.signal]);
  const next = tasks.values();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      try {
        for (const task of next) {
          laneSignal.throwIfAborted();
          await work(task, lane, laneSignal);
        }
      } catch (error) {
        stop.abort(error);
      }
    }),
  );
  stop.signal.throwIfAborted();
}
