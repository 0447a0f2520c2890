import type { Sequelize } from 'sequelize';

import { createSequelize } from '../../../src/config/database.ts';
import { Connection } from '../../../src/models/connection.ts';
import { MigrationJob } from '../../../src/models/migration-job.ts';
import { initModels } from '../../../src/models/models.ts';
import { migrate } from '../../../src/models/schema.ts';
import { createTestDatabase } from '../../helpers/test-database.ts';

export const SCHEMA = 'hub';

export interface HubDatabase {
  readonly url: string;
  readonly sequelize: Sequelize;
  close(): Promise<void>;
}

/** An empty database with a Sequelize instance on it, nothing migrated. */
export async function openEmptyDatabase(): Promise<HubDatabase> {
  const database = await createTestDatabase();
  const sequelize = createSequelize({ url: database.url, schema: SCHEMA, poolMax: 12 });
  return {
    url: database.url,
    sequelize,
    async close() {
      await sequelize.close();
      await database.drop();
    },
  };
}

/** A database with the hub's schema, and the models on it. */
export async function openHubDatabase(): Promise<HubDatabase> {
  const database = await openEmptyDatabase();
  await migrate(database.sequelize);
  initModels(database.sequelize);
  return database;
}

let built = 0;

export async function buildConnection(): Promise<Connection> {
  built += 1;
  return Connection.create({ name: `connection ${String(built)}`, kind: 'sqlite', options: {} });
}

export async function buildJob(): Promise<MigrationJob> {
  const [source, target] = await Promise.all([buildConnection(), buildConnection()]);
  return MigrationJob.create({ name: 'job', sourceId: source.id, targetId: target.id });
}
