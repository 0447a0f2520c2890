import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.migration_jobs (
      id uuid NOT NULL,
      name varchar(100) NOT NULL,
      source_id uuid NOT NULL,
      target_id uuid NOT NULL,
      options jsonb NOT NULL DEFAULT '{}',
      status text NOT NULL DEFAULT 'draft',
      phase text,
      action text,
      counters jsonb NOT NULL DEFAULT '{}',
      assessment jsonb,
      plan jsonb,
      plan_hash char(64),
      result jsonb,
      error jsonb,
      version int4 NOT NULL DEFAULT 1,
      created_by uuid,
      lease_owner text,
      lease_token int4 NOT NULL DEFAULT 0,
      lease_expires_at timestamptz,
      log_seq int8 NOT NULL DEFAULT 0,
      started_at timestamptz,
      finished_at timestamptz,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT migration_jobs_pkey PRIMARY KEY (id),
      CONSTRAINT migration_jobs_source_id_fkey
        FOREIGN KEY (source_id) REFERENCES ${schema}.connections (id) ON DELETE RESTRICT,
      CONSTRAINT migration_jobs_target_id_fkey
        FOREIGN KEY (target_id) REFERENCES ${schema}.connections (id) ON DELETE RESTRICT,
      CONSTRAINT migration_jobs_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES ${schema}.users (id) ON DELETE RESTRICT,
      CONSTRAINT migration_jobs_status_check CHECK (status IN (
        'draft', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled', 'rolled_back'
      )),
      CONSTRAINT migration_jobs_phase_check CHECK (phase IN (
        'assess', 'plan', 'create', 'copy', 'finish', 'verify', 'rollback'
      )),
      CONSTRAINT migration_jobs_action_check CHECK (action IN (
        'assess', 'plan', 'migrate', 'verify', 'rollback'
      ))
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS migration_jobs_status_idx ON ${schema}.migration_jobs (status)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS migration_jobs_created_at_id_idx ON ${schema}.migration_jobs (created_at, id)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS migration_jobs_source_id_idx ON ${schema}.migration_jobs (source_id)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS migration_jobs_target_id_idx ON ${schema}.migration_jobs (target_id)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.migration_jobs`);
}
