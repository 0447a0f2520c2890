import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { QueryTypes, Sequelize, type QueryInterface } from 'sequelize';

import { createSequelize } from '../../../src/config/database.ts';
import { Lease } from '../../../src/models/lease.ts';
import { migrate, pendingMigrations, withSchemaLease } from '../../../src/models/schema.ts';
import { describeCatalog } from './catalog.ts';
import { openEmptyDatabase, SCHEMA, type HubDatabase } from './hub-database.ts';

interface Migration {
  up(queryInterface: QueryInterface, sequelize: typeof Sequelize): Promise<void>;
  down(queryInterface: QueryInterface, sequelize: typeof Sequelize): Promise<void>;
}

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(root, 'src/migrations');

// Each call of sequelize-cli is a process, and all of them share two cores with PostgreSQL.
const CLI_TIMEOUT_MS = 120_000;

let database: HubDatabase;

beforeEach(async () => {
  database = await openEmptyDatabase();
});

afterEach(async () => {
  await database.close();
});

async function sequelizeCli(command: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [path.join(root, 'node_modules/sequelize-cli/lib/sequelize'), command],
    {
      cwd: root,
      env: {
        ...process.env,
        NODE_ENV: 'development',
        DATABASE_URL: database.url,
        DB_SCHEMA: SCHEMA,
        ...env,
      },
    },
  );
  return stdout;
}

async function loadMigrations(): Promise<{ file: string; migration: Migration }[]> {
  const files = (await readdir(folder)).sort();
  return Promise.all(
    files.map(async (file) => ({
      file,
      migration: (await import(path.join(folder, file))) as Migration,
    })),
  );
}

describe('schema migrations', () => {
  it(
    'give the same catalog by sequelize-cli, after undoing all and doing them again, and at start-up',
    async () => {
      const { sequelize } = database;

      await sequelizeCli('db:migrate');
      const first = await describeCatalog(sequelize, SCHEMA);
      await sequelizeCli('db:migrate:undo:all');
      const undone = await describeCatalog(sequelize, SCHEMA);
      await sequelizeCli('db:migrate');
      const again = await describeCatalog(sequelize, SCHEMA);
      const leftForStartUp = await migrate(sequelize);
      await sequelize.query(`DROP SCHEMA ${SCHEMA} CASCADE`);
      await migrate(sequelize);
      const atStartUp = await describeCatalog(sequelize, SCHEMA);

      expect(first.length).toBeGreaterThan(150);
      expect(undone.filter((line) => !line.includes('SequelizeMeta'))).toEqual([]);
      expect(again).toEqual(first);
      expect(leftForStartUp).toEqual([]);
      expect(atStartUp).toEqual(first);
    },
    CLI_TIMEOUT_MS,
  );

  it(
    'are known to sequelize-cli when start-up has run them',
    async () => {
      await migrate(database.sequelize);

      const status = await sequelizeCli('db:migrate:status');

      expect(status).toContain('up 20261121000100-create-users.ts');
      expect(status).not.toMatch(/^down/m);
    },
    CLI_TIMEOUT_MS,
  );

  it('bear each statement being run twice, up and down', async () => {
    const { sequelize } = database;
    const queryInterface = sequelize.getQueryInterface();
    const migrations = await loadMigrations();
    await sequelize.query(`CREATE SCHEMA ${SCHEMA}`);

    for (const { migration } of migrations) {
      await migration.up(queryInterface, Sequelize);
      const once = await describeCatalog(sequelize, SCHEMA);
      await migration.up(queryInterface, Sequelize);
      expect(await describeCatalog(sequelize, SCHEMA)).toEqual(once);
    }
    for (const { migration } of migrations.reverse()) {
      await migration.down(queryInterface, Sequelize);
      await migration.down(queryInterface, Sequelize);
    }

    expect(await describeCatalog(sequelize, SCHEMA)).toEqual([]);
  });

  it('use one schema only, whatever its name', async () => {
    const { url } = database;
    const elsewhere = createSequelize({ url, schema: 'Other "hub"' });

    await migrate(elsewhere);
    const schemas = await elsewhere.query<{ schema: string }>(
      `SELECT DISTINCT table_schema AS schema FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
      { type: QueryTypes.SELECT },
    );
    await elsewhere.close();

    expect(schemas).toEqual([{ schema: 'Other "hub"' }]);
  });
});

describe('migrate', () => {
  it('lets one of several processes that start at once do all of it', async () => {
    const others = [1, 2, 3].map(() => createSequelize({ url: database.url, schema: SCHEMA }));

    const ran = await Promise.all(
      [database.sequelize, ...others].map((sequelize) => migrate(sequelize)),
    );
    await Promise.all(others.map((sequelize) => sequelize.close()));

    const files = (await readdir(folder)).sort();
    expect(ran.filter((names) => names.length > 0)).toEqual([files]);
    expect(await pendingMigrations(database.sequelize)).toEqual([]);
  });

  it('goes on where another one stopped half-way', async () => {
    const { sequelize } = database;
    await migrate(sequelize);
    const whole = await describeCatalog(sequelize, SCHEMA);
    await sequelize.query(
      `DELETE FROM ${SCHEMA}."SequelizeMeta" WHERE name LIKE '%migration-jobs.ts';
       DROP INDEX ${SCHEMA}.migration_jobs_status_idx`,
    );

    const ran = await migrate(sequelize);

    expect(ran).toEqual(['20261121000600-create-migration-jobs.ts']);
    expect(await describeCatalog(sequelize, SCHEMA)).toEqual(whole);
  });

  it('gives up when another process does not finish', async () => {
    const { sequelize } = database;
    const other = withSchemaLease(sequelize, async () => {
      await expect(migrate(sequelize, { waitSeconds: 0 })).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
      });
    });

    await other;

    expect((await pendingMigrations(sequelize)).length).toBeGreaterThan(0);
  });

  it('leaves the lease free for the next', async () => {
    await migrate(database.sequelize);

    const held = await Lease.acquire({ name: 'schema', owner: 'next', seconds: 5 });

    expect(held).toMatchObject({ owner: 'next', token: 2 });
  });
});

describe('demo users', () => {
  it(
    'are refused in production',
    async () => {
      await migrate(database.sequelize);

      const seeding = sequelizeCli('db:seed:all', { NODE_ENV: 'production' });

      await expect(seeding).rejects.toMatchObject({ code: 1 });
      expect(await countUsers(database.sequelize)).toBe(0);
    },
    CLI_TIMEOUT_MS,
  );

  it(
    'are made once, each with a password of its own that is printed',
    async () => {
      await migrate(database.sequelize);

      const first = await sequelizeCli('db:seed:all');
      await database.sequelize.query(`DELETE FROM ${SCHEMA}."SequelizeData"`);
      const second = await sequelizeCli('db:seed:all');

      const passwords = [...first.matchAll(/^demo user \w+: password (\S{20})$/gm)].map(
        ([, password]) => password,
      );
      expect(new Set(passwords).size).toBe(3);
      expect(second.match(/exists already/g)).toHaveLength(3);
      expect(await countUsers(database.sequelize)).toBe(3);
    },
    CLI_TIMEOUT_MS,
  );
});

async function countUsers(sequelize: Sequelize): Promise<number> {
  const [row] = await sequelize.query<{ users: number }>(
    `SELECT count(*)::int4 AS users FROM ${SCHEMA}.users`,
    { type: QueryTypes.SELECT },
  );
  return row?.users ?? -1;
}
