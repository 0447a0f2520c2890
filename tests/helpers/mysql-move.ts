import type { PoolClient } from 'pg';

import type { PartialJobOptions } from '../../src/engine/contract.ts';
import type { MysqlLocation } from '../../src/engine/sources/mysql.ts';
import type { TestEngine, TestJob } from './engine.ts';
import { createTestMariaDb, type TestMariaDb } from './mariadb.ts';

/** What a job has moved, and ways to look at it. The legacy tables are called as in the source. */
export interface Moved {
  readonly job: TestJob;
  readonly schema: string;
  /** Target type of a column of table `t`, as PostgreSQL says it. */
  typeOf(column: string, table?: string): Promise<string>;
  /** Rows of `SELECT …` with the moved schema's tables; each value as `COPY` would print it, null for NULL. */
  rows(select: string): Promise<(string | null)[][]>;
  rejects(): { column: string; reasonCode: string; key: object }[];
  adjustments(): { column: string; rule: string; count: number }[];
  evidence(column: string): Promise<string>;
  findings(): Promise<string[]>;
}

/** A legacy database of its own, and the way from there into PostgreSQL. */
export interface LegacyMysql {
  readonly mariadb: TestMariaDb;
  readonly location: MysqlLocation;
  /** Runs the SQL under a lenient `sql_mode`, moves everything, verifies it by `checksum` and `full`. */
  move(sql: string, options?: PartialJobOptions): Promise<Moved>;
  close(): Promise<void>;
}

export async function startLegacyMysql(engine: TestEngine): Promise<LegacyMysql> {
  const mariadb = await createTestMariaDb();
  const { host, port, database, user, password } = mariadb;
  const location: MysqlLocation = { host, port, database, user, password, ssl: 'disable' };
  const session = await engine.connect();
  let schemas = 0;
  return {
    mariadb,
    location,
    move: async (sql, options = {}) => {
      await emptyDatabase(mariadb);
      await mariadb.sql(`SET sql_mode = 'ALLOW_INVALID_DATES'; SET time_zone = '+05:30'; ${sql}`);
      schemas += 1;
      const schema = `case_${String(schemas)}`;
      const job = engine.buildJob(
        { kind: 'mysql', location },
        { targetSchema: schema, ...options },
      );
      await job.migrate();
      const { rowsRead, rowsCopied, rowsRejected } = job.journal.totals();
      expect(rowsRead).toBe(rowsCopied + rowsRejected);
      for (const mode of ['checksum', 'full'] as const) {
        const failed = (await job.verify(mode)).filter(({ verdict }) => verdict === 'failed');
        expect({ mode, failed }).toEqual({ mode, failed: [] });
      }
      return describeMoved(engine, session, { job, schema });
    },
    close: () => mariadb.close(),
  };
}

function describeMoved(
  engine: TestEngine,
  session: PoolClient,
  { job, schema }: { readonly job: TestJob; readonly schema: string },
): Moved {
  return {
    job,
    schema,
    async typeOf(column, table = 't') {
      const [row] = await engine.sql<{ type: string }>(
        `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
          WHERE attrelid = $1::regclass AND attname = $2`,
        [`${schema}."${table}"`, column],
      );
      return row?.type ?? 'missing';
    },
    rows: async (select) => {
      await session.query(`SET search_path = ${schema}; SET TimeZone = 'UTC'`);
      const { rows } = await session.query({
        text: select,
        rowMode: 'array',
        types: { getTypeParser: () => (text: string | Buffer) => String(text) },
      });
      return rows as (string | null)[][];
    },
    rejects: () =>
      [...job.journal.rejects.values()]
        .flat()
        .map(({ column, reasonCode, key }) => ({ column, reasonCode, key })),
    adjustments: () =>
      [...job.journal.adjustments.values()]
        .flat()
        .map(({ column, rule, count }) => ({ column, rule, count })),
    evidence: async (column) => {
      const plan = await job.plan();
      return (
        plan.tables.flatMap((table) => table.columns).find(({ source }) => source === column)
          ?.evidence ?? ''
      );
    },
    findings: async () => (await job.plan()).findings.map(({ code }) => code),
  };
}

async function emptyDatabase(mariadb: TestMariaDb): Promise<void> {
  await mariadb.sql(
    `SET foreign_key_checks = 0; DROP DATABASE ${mariadb.database}; CREATE DATABASE ${mariadb.database} CHARACTER SET utf8mb4; USE ${mariadb.database}; SET foreign_key_checks = 1`,
  );
}
