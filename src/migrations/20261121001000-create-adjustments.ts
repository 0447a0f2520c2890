import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.adjustments (
      id uuid NOT NULL,
      job_id uuid NOT NULL,
      table_id uuid NOT NULL,
      chunk_number int4 NOT NULL,
      column_name text NOT NULL,
      rule text NOT NULL,
      count int8 NOT NULL,
      sample_keys jsonb NOT NULL DEFAULT '[]',
      CONSTRAINT adjustments_pkey PRIMARY KEY (id),
      CONSTRAINT adjustments_table_id_chunk_number_column_name_rule_key
        UNIQUE (table_id, chunk_number, column_name, rule),
      CONSTRAINT adjustments_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE,
      CONSTRAINT adjustments_table_id_fkey
        FOREIGN KEY (table_id) REFERENCES ${schema}.migration_tables (id) ON DELETE CASCADE
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS adjustments_job_id_idx ON ${schema}.adjustments (job_id)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.adjustments`);
}
