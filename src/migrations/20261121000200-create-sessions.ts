import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.sessions (
      id uuid NOT NULL,
      user_id uuid NOT NULL,
      kind text NOT NULL,
      ip text,
      user_agent text,
      expires_at timestamptz NOT NULL,
      absolute_expires_at timestamptz NOT NULL,
      revoked_at timestamptz,
      revoked_reason text,
      last_used_at timestamptz,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT sessions_pkey PRIMARY KEY (id),
      CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES ${schema}.users (id) ON DELETE CASCADE,
      CONSTRAINT sessions_kind_check CHECK (kind IN ('bearer', 'cookie'))
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS sessions_user_id_idx ON ${schema}.sessions (user_id)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.sessions`);
}
