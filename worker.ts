import { compose, runEntry, stopSignal } from './compose.ts';
import { loadEnv } from './src/config/load-env.ts';

/** Longer than a chunk takes to stop: what is left then is taken over by another worker when its lease has run out. */
const DRAIN_SECONDS = 20;

/** A worker process: takes jobs from the queue until it is told to stop. Start as many as there are machines. */
async function main(): Promise<void> {
  const stopping = stopSignal();
  const { hub, startWorker, failing, close } = await compose(loadEnv());
  try {
    const worker = await startWorker();
    hub.log.info('worker is ready');
    const reason = await Promise.race([stopping, failing]);
    hub.log.info({ reason }, 'worker is stopping');
    await worker.stop(DRAIN_SECONDS);
  } finally {
    await close();
  }
  hub.log.info('worker has stopped');
}

runEntry(main);
