import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import type { Express } from 'express';
import type { Sequelize } from 'sequelize';
import supertest from 'supertest';

import { createApp } from '../../app.ts';
import { createSequelize } from '../../src/config/database.ts';
import { createLogger } from '../../src/config/logger.ts';
import { initModels } from '../../src/models/models.ts';
import { User } from '../../src/models/user.ts';
import type { UserRole } from '../../src/models/vocabulary.ts';
import type { Hub, HubSettings } from '../../src/services/hub.ts';
import { Passwords } from '../../src/services/passwords.ts';
import { createMigratedTestDatabase, type TestDatabase } from './test-database.ts';

export const TEST_PASSWORD = 'correct horse battery';

export interface TestApi {
  readonly app: Express;
  readonly hub: Hub;
  readonly sequelize: Sequelize;
  readonly database: TestDatabase;
  readonly dataDir: string;
  /** Every line that the hub has logged. */
  readonly logLines: string[];
  /** A client without credentials. */
  readonly client: ReturnType<typeof supertest>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly settings?: Partial<HubSettings>;
}

/** The whole API over a database of its own. Everything is real but the queue, which nobody empties here. */
export async function startTestApi({ settings = {} }: TestApiOptions = {}): Promise<TestApi> {
  const database = await createMigratedTestDatabase();
  const sequelize = createSequelize({ url: database.url, schema: 'hub' });
  initModels(sequelize);
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'hub-api-'));
  const logLines: string[] = [];
  const hub: Hub = {
    sequelize,
    settings: { ...testSettings(dataDir), ...settings },
    log: createLogger({ level: 'trace', destination: { write: (line) => logLines.push(line) } }),
    // The cheapest cost there is: these tests are not about how long a hash takes.
    passwords: new Passwords({ cost: 4, threads: 1 }),
    queue: { enqueue: () => Promise.resolve() },
  };
  const app = createApp({ hub });
  return {
    app,
    hub,
    sequelize,
    database,
    dataDir,
    logLines,
    client: supertest(app),
    async close() {
      await hub.passwords.close();
      await sequelize.close();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function testSettings(dataDir: string): HubSettings {
  return {
    nodeEnv: 'test',
    dataDir,
    uploadMaxBytes: 1024 * 1024,
    jwtSecrets: [{ kid: 'test', secret: randomBytes(32) }],
    connectionKeys: [{ kid: 'test', secret: randomBytes(32) }],
    corsOrigins: ['https://app.example'],
    trustedProxies: [],
    connectionHostsAllowed: [],
    refreshGraceSeconds: 0,
    embeddedServer: null,
  };
}

export interface TestUser {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** To be set on a request: `.set(user.headers)`. */
  readonly headers: { readonly Authorization: string };
}

/** A user of this role with TEST_PASSWORD, logged in. */
export async function buildUser(api: TestApi, role: UserRole = 'admin'): Promise<TestUser> {
  const username = `${role}-${randomBytes(4).toString('hex')}`;
  const user = await User.create({
    email: `${username}@example.com`,
    username,
    role,
    passwordHash: await api.hub.passwords.hash(TEST_PASSWORD),
  });
  return { user, ...(await logIn(api, username)) };
}

export async function logIn(
  api: TestApi,
  credential: string,
): Promise<Pick<TestUser, 'accessToken' | 'refreshToken' | 'headers'>> {
  const response = await api.client
    .post('/api/v1/auth/login')
    .send({ credential, password: TEST_PASSWORD })
    .expect(200);
  const { accessToken, refreshToken } = response.body as Record<string, string>;
  if (!accessToken || !refreshToken) throw new Error('The login gave no tokens');
  return { accessToken, refreshToken, headers: { Authorization: `Bearer ${accessToken}` } };
}
