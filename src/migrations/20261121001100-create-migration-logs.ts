import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.migration_logs (
      job_id uuid NOT NULL,
      seq int8 NOT NULL,
      at timestamptz(3) NOT NULL DEFAULT now(),
      level text NOT NULL,
      phase text,
      table_name text,
      message text NOT NULL,
      detail jsonb,
      CONSTRAINT migration_logs_pkey PRIMARY KEY (job_id, seq),
      CONSTRAINT migration_logs_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE,
      CONSTRAINT migration_logs_level_check CHECK (level IN ('debug', 'info', 'warn', 'error')),
      CONSTRAINT migration_logs_phase_check CHECK (phase IN (
        'assess', 'plan', 'create', 'copy', 'finish', 'verify', 'rollback'
      ))
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.migration_logs`);
}
