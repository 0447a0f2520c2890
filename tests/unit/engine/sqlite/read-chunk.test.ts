import { DatabaseSync } from 'node:sqlite';

import {
  DEFAULT_JOB_OPTIONS,
  type EncodedBatch,
  type PlannedTable,
} from '../../../../src/engine/contract.ts';
import { openDatabase, type OpenDatabase } from '../../../../src/engine/sources/sqlite/open.ts';
import { encodeChunk } from '../../../../src/engine/sources/sqlite/read-chunk.ts';
import { buildLegacySqlite } from '../../../helpers/legacy-sqlite.ts';
import { plannedTable, planSqlite } from '../../../helpers/legacy-sqlite-plan.ts';

const { policies } = DEFAULT_JOB_OPTIONS;
const ROWS = 3000;
const NUMBERS = `WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < ${String(ROWS)})`;

function encode(
  database: OpenDatabase,
  table: PlannedTable,
): { lines: string[]; rejects: EncodedBatch['rejects'] } {
  const batches = table.chunks.flatMap((chunk) => [
    ...encodeChunk(database, { table, chunk, policies }),
  ]);
  return {
    lines: Buffer.concat(batches.map(({ lines }) => lines))
      .toString()
      .split('\n')
      .slice(0, -1),
    rejects: batches.flatMap(({ rejects }) => rejects),
  };
}

describe('a chunk is read the same whatever way its values ask for', () => {
  it.each([
    ['plain', 'id INTEGER PRIMARY KEY', 'i', "'plain'", ''],
    ['beyond 2^53', 'id INTEGER PRIMARY KEY', 'i + 9007199254740000', 'i * 9007199254740993', ''],
    [
      'now and then unusual',
      'id INTEGER PRIMARY KEY',
      'i',
      "CASE WHEN i % 50 = 0 THEN x'ff' ELSE 'text' END",
      '',
    ],
    [
      'mostly unusual',
      'id INTEGER PRIMARY KEY',
      'i',
      "CASE WHEN i % 3 = 0 THEN 'text' WHEN i % 3 = 1 THEN x'ff' ELSE CAST(x'ff' AS TEXT) END",
      '',
    ],
    [
      'unusual later',
      'id INTEGER PRIMARY KEY',
      'i',
      "CASE WHEN i < 1000 THEN 'text' ELSE 9223372036854775807 - i END",
      '',
    ],
    [
      'without a row number',
      'id INTEGER PRIMARY KEY',
      'i',
      "CASE WHEN i % 2 = 0 THEN 'text' ELSE x'ff' END",
      'WITHOUT ROWID',
    ],
    [
      'by text keys',
      'id TEXT PRIMARY KEY',
      "printf('ké%d', i)",
      "CASE WHEN i % 9 = 0 THEN x'ff' ELSE i * 1e15 END",
      'WITHOUT ROWID',
    ],
    [
      'by text keys of a table with row numbers',
      'id TEXT PRIMARY KEY',
      "printf('k%d', i)",
      "CASE WHEN i % 2 = 0 THEN x'ff' ELSE 'text' END",
      '',
    ],
    ['without a key', 'id INTEGER', 'i % 7', "CASE WHEN i % 2 = 0 THEN x'ff' ELSE 'text' END", ''],
  ])('%s', async (_, ...[key, keys, values, suffix]) => {
    const file = await buildLegacySqlite(
      `CREATE TABLE t (${key}, v TEXT, n ANY) ${suffix}; ${NUMBERS} INSERT INTO t SELECT ${keys}, ${values}, i FROM g`,
    );
    const planned = planSqlite(file.path, { chunkRows: 700 });
    try {
      const table = plannedTable(planned, 't');
      expect(table.chunks.length).toBe(5);

      const chunks = encode(planned.database, table);
      const exact = encode(planned.database, {
        ...table,
        chunkKey: null,
        chunks: [{ number: 1, lower: null, upper: null }],
      });

      expect(chunks.lines.length + chunks.rejects.length).toBe(ROWS);
      // Without a key the rows come in the table's own order.
      expect([...chunks.lines].sort()).toEqual([...exact.lines].sort());
      const locators = ({ rejects }: typeof chunks): string[] =>
        rejects.map(({ locator }) => locator).sort();
      expect(locators(chunks)).toEqual(locators(exact));
    } finally {
      planned.database.db.close();
      await file.remove();
    }
  });
});

describe('rows that have come since the plan was made', () => {
  it('are encoded or rejected, never taken for something else', async () => {
    const file = await buildLegacySqlite(
      `CREATE TABLE t (k INT UNIQUE PRIMARY KEY, v BOOLEAN NOT NULL); INSERT INTO t VALUES (1, 1), (2, 0), (3, 1), (4, 0)`,
    );
    const planned = planSqlite(file.path, { chunkRows: 2 });
    planned.database.db.close();
    const writer = new DatabaseSync(file.path);
    writer.exec(`INSERT INTO t VALUES (NULL, 1), ('text', 1), (9223372036854775807, 0), (5, 2)`);
    writer.close();

    const database = openDatabase(file.path);
    const { lines, rejects } = encode(database, plannedTable(planned, 't'));
    database.db.close();

    expect([...lines].sort()).toEqual(['1\tt', '2\tf', '3\tt', '4\tf', '9223372036854775807\tf']);
    expect(rejects.map(({ column, reasonCode }) => `${column} ${reasonCode}`).sort()).toEqual([
      'k PK_NULL',
      'k TYPE_MISMATCH',
      'v TYPE_MISMATCH',
    ]);
    await file.remove();
  });
});
