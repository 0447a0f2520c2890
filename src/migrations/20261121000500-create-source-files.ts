import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.source_files (
      id uuid NOT NULL,
      name varchar(255) NOT NULL,
      size int8 NOT NULL,
      sha256 char(64) NOT NULL,
      path text NOT NULL,
      created_by uuid,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT source_files_pkey PRIMARY KEY (id),
      CONSTRAINT source_files_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES ${schema}.users (id) ON DELETE RESTRICT
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.source_files`);
}
