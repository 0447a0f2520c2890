import { QueryTypes } from 'sequelize';

import { createSequelize } from '../../../src/config/database.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

describe('createSequelize', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  it('speaks UTC and says who it is', async () => {
    const sequelize = createSequelize({ url: database.url, schema: 'hub' });

    const rows = await sequelize.query(
      "SELECT current_setting('timezone') AS timezone, current_setting('application_name') AS name",
      { type: QueryTypes.SELECT },
    );
    await sequelize.close();

    expect(rows).toEqual([{ timezone: 'UTC', name: 'legacy-migration-hub' }]);
  });
});
