import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

/** The first of all, because who migrates at start-up needs a lease for it: `migrate` runs this one before it has one. */
export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.leases (
      name text NOT NULL,
      owner text NOT NULL,
      token int4 NOT NULL,
      expires_at timestamptz NOT NULL,
      CONSTRAINT leases_pkey PRIMARY KEY (name)
    )`);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.leases`);
}
