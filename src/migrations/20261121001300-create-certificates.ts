import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.certificates (
      id uuid NOT NULL,
      job_id uuid NOT NULL,
      hash char(64) NOT NULL,
      document text NOT NULL,
      created_at timestamptz(3) NOT NULL,
      CONSTRAINT certificates_pkey PRIMARY KEY (id),
      CONSTRAINT certificates_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS certificates_job_id_created_at_idx ON ${schema}.certificates (job_id, created_at)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.certificates`);
}
