import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.migration_tables (
      id uuid NOT NULL,
      job_id uuid NOT NULL,
      "position" int4 NOT NULL,
      source_table text NOT NULL,
      target_schema text NOT NULL,
      target_table text NOT NULL,
      rows_estimated int8 NOT NULL DEFAULT 0,
      rows_read int8 NOT NULL DEFAULT 0,
      rows_copied int8 NOT NULL DEFAULT 0,
      rows_rejected int8 NOT NULL DEFAULT 0,
      rows_adjusted int8 NOT NULL DEFAULT 0,
      rows_verified int8 NOT NULL DEFAULT 0,
      bytes int8 NOT NULL DEFAULT 0,
      phase text NOT NULL DEFAULT 'pending',
      verdict text NOT NULL DEFAULT 'pending',
      detail jsonb,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT migration_tables_pkey PRIMARY KEY (id),
      CONSTRAINT migration_tables_job_id_source_table_key UNIQUE (job_id, source_table),
      CONSTRAINT migration_tables_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE,
      CONSTRAINT migration_tables_phase_check CHECK (phase IN (
        'pending', 'create', 'copy', 'finish', 'verify', 'done'
      )),
      CONSTRAINT migration_tables_verdict_check CHECK (verdict IN (
        'pending', 'passed', 'failed', 'skipped'
      ))
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.migration_tables`);
}
