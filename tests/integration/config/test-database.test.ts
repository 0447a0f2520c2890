import pg from 'pg';

import { createMigratedTestDatabase } from '../../helpers/test-database.ts';

async function countTables(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_tables WHERE schemaname = 'hub'");
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

describe('createMigratedTestDatabase', () => {
  it('gives each test its own copy of the migrated schema', async () => {
    const [one, other] = await Promise.all([
      createMigratedTestDatabase(),
      createMigratedTestDatabase(),
    ]);

    const tables = [await countTables(one.url), await countTables(other.url)];
    await Promise.all([one.drop(), other.drop()]);

    expect(one.name).not.toBe(other.name);
    expect(tables[0]).toBeGreaterThan(10);
    expect(tables[1]).toBe(tables[0]);
  });
});
