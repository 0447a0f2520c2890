import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.connections (
      id uuid NOT NULL,
      name varchar(100) NOT NULL,
      kind text NOT NULL,
      options jsonb NOT NULL,
      secret_ciphertext bytea,
      secret_key_id text,
      created_by uuid,
      version int4 NOT NULL DEFAULT 1,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT connections_pkey PRIMARY KEY (id),
      CONSTRAINT connections_name_key UNIQUE (name),
      CONSTRAINT connections_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES ${schema}.users (id) ON DELETE RESTRICT,
      CONSTRAINT connections_kind_check CHECK (kind IN ('sqlite', 'mysql', 'postgres', 'csv')),
      CONSTRAINT connections_secret_check
        CHECK ((secret_ciphertext IS NULL) = (secret_key_id IS NULL))
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.connections`);
}
