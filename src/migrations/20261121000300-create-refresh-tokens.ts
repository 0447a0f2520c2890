import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.refresh_tokens (
      id uuid NOT NULL,
      session_id uuid NOT NULL,
      token_hash bytea NOT NULL,
      parent_id uuid,
      used_at timestamptz,
      revoked_at timestamptz,
      expires_at timestamptz NOT NULL,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT refresh_tokens_pkey PRIMARY KEY (id),
      CONSTRAINT refresh_tokens_token_hash_key UNIQUE (token_hash),
      CONSTRAINT refresh_tokens_session_id_fkey
        FOREIGN KEY (session_id) REFERENCES ${schema}.sessions (id) ON DELETE CASCADE,
      CONSTRAINT refresh_tokens_parent_id_fkey
        FOREIGN KEY (parent_id) REFERENCES ${schema}.refresh_tokens (id) ON DELETE SET NULL
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS refresh_tokens_session_id_idx ON ${schema}.refresh_tokens (session_id)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS refresh_tokens_parent_id_idx ON ${schema}.refresh_tokens (parent_id)`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.refresh_tokens`);
}
