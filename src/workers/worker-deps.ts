import type { Logger } from 'pino';
import type { NamedSecret } from '../config/env-values.ts';
import type { SourceAddress } from '../engine/sources/registry.ts';
import type { TargetLocation } from '../engine/target/target.ts';
import type { Queue } from '../queue/queue.ts';

/** What a worker is made of. Built in one place, by `startWorker`. */
export interface WorkerDeps {
  /** Names this process among all workers. */
  readonly owner: string;
  readonly queue: Queue;
  readonly log: Logger;
  /** The first signs the certificates of finished jobs. */
  readonly connectionKeys: readonly NamedSecret[];
  /** Where a connection leads, with its secret decrypted and its host checked. */
  readonly locateSource: (connectionId: string) => Promise<SourceAddress>;
  readonly locateTarget: (connectionId: string) => Promise<TargetLocation>;
}
