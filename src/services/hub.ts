import type { Logger } from 'pino';
import type { Sequelize } from 'sequelize';

import type { Env } from '../config/env.ts';
import type { Queue } from '../queue/queue.ts';
import type { Passwords } from './passwords.ts';

/** What of the environment the use cases depend on. */
export type HubSettings = Pick<
  Env,
  | 'nodeEnv'
  | 'dataDir'
  | 'uploadMaxBytes'
  | 'jwtSecrets'
  | 'connectionKeys'
  | 'corsOrigins'
  | 'trustedProxies'
  | 'connectionHostsAllowed'
  | 'refreshGraceSeconds'
> & {
  /** The PostgreSQL that this hub started itself; null = none. */
  readonly embeddedServer: EmbeddedServer | null;
};

export interface EmbeddedServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The one database of it that connections may lead to: the hub's own lies beside it. */
  readonly targetDatabase: string;
}

/** What use cases are made with. Composed once a process, by the entry file. */
export interface Hub {
  readonly sequelize: Sequelize;
  readonly settings: HubSettings;
  readonly log: Logger;
  readonly passwords: Passwords;
  readonly queue: Pick<Queue, 'enqueue'>;
}
