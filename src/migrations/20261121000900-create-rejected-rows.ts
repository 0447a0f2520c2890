import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.rejected_rows (
      id uuid NOT NULL,
      job_id uuid NOT NULL,
      table_id uuid NOT NULL,
      chunk_number int4 NOT NULL,
      row_key jsonb NOT NULL,
      locator text,
      column_name text,
      reason_code text NOT NULL,
      message text NOT NULL,
      "row" jsonb NOT NULL,
      replayed_at timestamptz,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT rejected_rows_pkey PRIMARY KEY (id),
      CONSTRAINT rejected_rows_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES ${schema}.migration_jobs (id) ON DELETE CASCADE,
      CONSTRAINT rejected_rows_table_id_fkey
        FOREIGN KEY (table_id) REFERENCES ${schema}.migration_tables (id) ON DELETE CASCADE
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS rejected_rows_job_id_id_idx ON ${schema}.rejected_rows (job_id, id)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS rejected_rows_table_id_chunk_number_idx ON ${schema}.rejected_rows (table_id, chunk_number)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.rejected_rows`);
}
