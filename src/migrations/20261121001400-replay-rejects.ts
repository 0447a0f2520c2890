import type { QueryInterface } from 'sequelize';

import { quotedSchemaOf } from '../models/hub-schema.ts';

const PHASES = ['assess', 'plan', 'create', 'copy', 'finish', 'verify', 'rollback'];
const ACTIONS = ['assess', 'plan', 'migrate', 'verify', 'rollback'];

/** Jobs can replay rejects: what was asked for is kept with the job, what was mended with the reject. */
export async function up({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  await sequelize.query(
    `ALTER TABLE ${schema}.migration_jobs ADD COLUMN IF NOT EXISTS request jsonb`,
  );
  await sequelize.query(
    `ALTER TABLE ${schema}.rejected_rows ADD COLUMN IF NOT EXISTS mended jsonb`,
  );
  await allow(sequelize, [...PHASES, 'replay'], [...ACTIONS, 'replay']);
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  for (const table of ['migration_jobs', 'migration_logs'])
    await sequelize.query(`UPDATE ${schema}.${table} SET phase = 'verify' WHERE phase = 'replay'`);
  await sequelize.query(
    `UPDATE ${schema}.migration_jobs SET action = 'verify' WHERE action = 'replay'`,
  );
  await allow(sequelize, PHASES, ACTIONS);
  await sequelize.query(`ALTER TABLE ${schema}.rejected_rows DROP COLUMN IF EXISTS mended`);
  await sequelize.query(`ALTER TABLE ${schema}.migration_jobs DROP COLUMN IF EXISTS request`);
}

async function allow(
  sequelize: QueryInterface['sequelize'],
  phases: readonly string[],
  actions: readonly string[],
): Promise<void> {
  const schema = quotedSchemaOf(sequelize);
  for (const [table, column, values] of [
    ['migration_jobs', 'phase', phases],
    ['migration_logs', 'phase', phases],
    ['migration_jobs', 'action', actions],
  ] as const) {
    const name = `${table}_${column}_check`;
    const list = values.map((value) => `'${value}'`).join(', ');
    await sequelize.query(`ALTER TABLE ${schema}.${table} DROP CONSTRAINT IF EXISTS ${name}`);
    await sequelize.query(
      `ALTER TABLE ${schema}.${table} ADD CONSTRAINT ${name} CHECK (${column} IN (${list}))`,
    );
  }
}
