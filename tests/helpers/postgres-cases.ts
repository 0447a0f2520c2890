import pg from 'pg';

import type { PartialJobOptions } from '../../src/engine/contract.ts';
import type { PostgresLocation } from '../../src/engine/sources/postgres.ts';
import { locationOf, startTestEngine, type TestEngine, type TestJob } from './engine.ts';
import { createTestDatabase } from './test-database.ts';

/** A schema of the source, moved into a schema of the target. */
export interface MovedSchema {
  readonly job: TestJob;
  /** Schema of the target. */
  readonly schema: string;
  /** Type of a column of the target, as PostgreSQL says it. */
  typeOf(column: string, table?: string): Promise<string>;
  /** Rows of `SELECT …` in the source, and in the target: one line of text a row. */
  source(select: string): Promise<unknown[]>;
  target(select: string): Promise<unknown[]>;
  rejects(): { column: string; reasonCode: string; key: object }[];
  adjustments(): { column: string; rule: string; count: number }[];
  evidence(column: string): Promise<string>;
  findings(): Promise<string[]>;
  unmoved(): Promise<string[]>;
}

/** A source database beside the target's. */
export interface PostgresCases {
  readonly engine: TestEngine;
  readonly location: PostgresLocation;
  /** Runs SQL in the source. */
  run(sql: string): Promise<void>;
  /** Makes a schema with this content, and a job that moves it. */
  build(content: string, options?: PartialJobOptions): Promise<Pick<MovedSchema, 'job' | 'schema'>>;
  /** The same, moved and verified by both comparisons. */
  move(content: string, options?: PartialJobOptions): Promise<MovedSchema>;
  close(): Promise<void>;
}

/** `encoding`: of the source database; left out = UTF8. */
export async function startPostgresCases(
  encoding?: string,
  location?: PostgresLocation,
): Promise<PostgresCases> {
  const engine = await startTestEngine();
  const database = location === undefined ? await createTestDatabase(encoding) : null;
  const source = location ?? locationOf(database?.url ?? '');
  const { host, port, user, password } = source;
  const client = new pg.Client({ host, port, user, password, database: source.database });
  client.on('error', () => undefined);
  await client.connect();
  if (encoding === 'SQL_ASCII') await client.query(`SET client_encoding = 'SQL_ASCII'`);
  const hand = await engine.connect();
  let schemas = 0;

  const build: PostgresCases['build'] = async (content, options = {}) => {
    schemas += 1;
    const schema = `case_${String(schemas)}`;
    await client.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}, ext`);
    await client.query(content);
    const address = { kind: 'postgres' as const, location: { ...source, schema } };
    return { schema, job: engine.buildJob(address, { targetSchema: schema, ...options }) };
  };

  return {
    engine,
    location: source,
    run: async (sql) => {
      await client.query(sql);
    },
    build,
    async move(content, options) {
      const { job, schema } = await build(content, options);
      await job.migrate();
      const { rowsRead, rowsCopied, rowsRejected } = job.journal.totals();
      expect(rowsRead).toBe(rowsCopied + rowsRejected);
      for (const mode of ['checksum', 'full'] as const) {
        const failed = (await job.verify(mode)).filter(({ verdict }) => verdict === 'failed');
        expect({ mode, failed }).toEqual({ mode, failed: [] });
      }
      const rowsOf = async (session: pg.ClientBase, path: string, text: string) => {
        await session.query(`SET search_path = ${path}; SET TimeZone = 'UTC'`);
        return (await session.query<unknown[]>({ text, rowMode: 'array' })).rows.map((row) =>
          row.length === 1 ? row[0] : row,
        );
      };
      return {
        job,
        schema,
        async typeOf(column, table = 't') {
          const [row] = await engine.sql<{ type: string }>(
            `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
              WHERE attrelid = $1::regclass AND attname = $2`,
            [`${schema}.${table}`, column],
          );
          return row?.type ?? 'missing';
        },
        source: (select) => rowsOf(client, `${schema}, ext`, select),
        target: (select) => rowsOf(hand, schema, select),
        rejects: () =>
          [...job.journal.rejects.values()]
            .flat()
            .map(({ column, reasonCode, key }) => ({ column, reasonCode, key })),
        adjustments: () =>
          [...job.journal.adjustments.values()]
            .flat()
            .map(({ column, rule, count }) => ({ column, rule, count })),
        evidence: async (column) =>
          (await job.plan()).tables
            .flatMap((table) => table.columns)
            .find((planned) => planned.source === column)?.evidence ?? '',
        findings: async () => (await job.plan()).findings.map(({ code }) => code),
        unmoved: async () => (await job.plan()).unmoved.map(({ kind, name }) => `${kind} ${name}`),
      };
    },
    async close() {
      await engine.close();
      await client.end();
      await database?.drop();
    },
  };
}
