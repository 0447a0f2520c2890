import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.migration_chunks (
      id uuid NOT NULL,
      job_id uuid NOT NULL,
      table_id uuid NOT NULL,
      number int4 NOT NULL,
      lower_bound jsonb,
      upper_bound jsonb,
      state text NOT NULL DEFAULT 'pending',
      attempts int4 NOT NULL DEFAULT 0,
      rows_read int8 NOT NULL DEFAULT 0,
      rows_copied int8 NOT NULL DEFAULT 0,
      rows_rejected int8 NOT NULL DEFAULT 0,
      bytes int8 NOT NULL DEFAULT 0,
      digest text,
      worker text,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT migration_chunks_pkey PRIMARY KEY (id),
      CONSTRAINT migration_chunks_table_id_number_key UNIQUE (table_id, number),
      CONSTRAINT migration_chunks_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE,
      CONSTRAINT migration_chunks_table_id_fkey
        FOREIGN KEY (table_id) REFERENCES ${schema}.migration_tables (id) ON DELETE CASCADE,
      CONSTRAINT migration_chunks_state_check CHECK (state IN (
        'pending', 'copying', 'copied', 'verified', 'mismatched', 'failed'
      ))
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS migration_chunks_job_id_state_idx ON ${schema}.migration_chunks (job_id, state)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.migration_chunks`);
}
