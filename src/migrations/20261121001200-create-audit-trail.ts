import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

/** No reference to users: what happened stays told when they are gone. */
export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.audit_trail (
      id uuid NOT NULL,
      at timestamptz(3) NOT NULL DEFAULT now(),
      actor_id uuid,
      actor text,
      action text NOT NULL,
      entity_type text,
      entity_id text,
      outcome text NOT NULL,
      ip text,
      user_agent text,
      request_id text,
      detail jsonb,
      seq int8,
      prev_hash char(64),
      hash char(64),
      CONSTRAINT audit_trail_pkey PRIMARY KEY (id),
      CONSTRAINT audit_trail_seq_key UNIQUE (seq),
      CONSTRAINT audit_trail_outcome_check CHECK (outcome IN ('success', 'failure', 'denied')),
      CONSTRAINT audit_trail_seal_check CHECK ((seq IS NULL) = (hash IS NULL))
    )`);
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS audit_trail_at_id_idx ON ${schema}.audit_trail (at, id)`,
  );
  await sequelize.query(
    `CREATE INDEX IF NOT EXISTS audit_trail_unsealed_idx ON ${schema}.audit_trail (at, id) WHERE seq IS NULL`,
  );
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  await sequelize.query(`DROP TABLE IF EXISTS ${quotedSchemaOf(sequelize)}.audit_trail`);
}
