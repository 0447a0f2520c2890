import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from '../../../../src/engine/lanes.ts';

const never = new AbortController().signal;

describe('inLanes', () => {
  it('does every task once, no more than the lanes at a time', async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;

    await inLanes([1, 2, 3, 4, 5, 6, 7], { lanes: 3, signal: never }, async (task) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(2);
      running -= 1;
      done.push(task);
    });

    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('throws the first failure, once all lanes have stopped', async () => {
    let running = 0;
    const started: number[] = [];

    const work = inLanes(
      [1, 2, 3, 4, 5, 6],
      { lanes: 2, signal: never },
      async (task, _, signal) => {
        started.push(task);
        if (task === 2) throw new Error('two');
        running += 1;
        await sleep(1000, undefined, { signal }).catch(() => undefined);
        running -= 1;
      },
    );

    await expect(work).rejects.toThrow('two');
    expect(running).toBe(0);
    expect(started).toEqual([1, 2]);
  });

  it('stops when the caller aborts, with the reason of the caller', async () => {
    const abort = new AbortController();
    const work = inLanes([1, 2], { lanes: 1, signal: abort.signal }, (_, __, signal) => {
      abort.abort(new Error('enough'));
      return Promise.reject(signal.reason as Error);
    });

    await expect(work).rejects.toThrow('enough');
  });
});
