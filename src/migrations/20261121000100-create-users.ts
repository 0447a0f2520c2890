import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.users (
      id uuid NOT NULL,
      email varchar(254) NOT NULL,
      username varchar(64) NOT NULL,
      password_hash text NOT NULL,
      role text NOT NULL,
      disabled_at timestamptz,
      version int4 NOT NULL DEFAULT 1,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT users_pkey PRIMARY KEY (id),
      CONSTRAINT users_email_key UNIQUE (email),
      CONSTRAINT users_username_key UNIQUE (username),
      CONSTRAINT users_email_check CHECK (email = lower(email)),
      CONSTRAINT users_username_check CHECK (username = lower(username) AND username NOT LIKE '%@%'),
      CONSTRAINT users_role_check CHECK (role IN ('viewer', 'operator', 'admin'))
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.users`);
}
