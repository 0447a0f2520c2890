import type { Catalog, Table } from '../../../../src/engine/contract.ts';
import { readCatalog } from '../../../../src/engine/sources/sqlite/catalog.ts';
import { openDatabase, type OpenDatabase } from '../../../../src/engine/sources/sqlite/open.ts';
import { scanTable } from '../../../../src/engine/sources/sqlite/scan.ts';
import {
  buildHostileSqlite,
  buildLegacySqlite,
  LONG_NAME,
  type LegacySqlite,
} from '../../../helpers/legacy-sqlite.ts';

let file: LegacySqlite;
let database: OpenDatabase;
let catalog: Catalog;
beforeAll(async () => {
  file = await buildHostileSqlite();
  database = openDatabase(file.path);
  catalog = readCatalog(database.db);
});
afterAll(async () => {
  database.db.close();
  await file.remove();
});

function tableNamed(name: string): Table {
  const table = catalog.tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return table;
}

describe('readCatalog', () => {
  it('lists the tables by name, without internal and shadow tables', () => {
    expect(catalog.tables.map(({ name }) => name)).toEqual([
      'child',
      'composite',
      'empty',
      'keyless',
      LONG_NAME,
      'null_key',
      'odd_key',
      'only_rejects',
      'parent',
      'people',
      'select',
      'strict_table',
      'text_key',
      'wide',
      'without_rowid',
    ]);
  });

  it('lists views, triggers and virtual tables as not moved, and runs none of them', () => {
    expect(catalog.unmoved.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'trigger tg',
      'view endless',
      'virtual table search',
    ]);
  });

  it('reads names and defaults as they are', () => {
    expect(tableNamed('select').columns.map(({ name }) => name)).toEqual([
      'from',
      'Mixed Case',
      'quo"te',
      '😀',
    ]);
    expect(tableNamed('select').columns[3]?.defaultExpression).toBe("'a''b'");
  });

  it('reads the counter of AUTOINCREMENT (S12)', () => {
    expect(tableNamed('select').identity).toEqual({ column: 'from', lastValue: '3' });
    expect(tableNamed('wide').identity).toEqual({ column: 'id', lastValue: null });
    expect(tableNamed('text_key').identity).toBeNull();
  });

  it('reads generated columns and checks (S13)', () => {
    const { columns, checks } = tableNamed('people');

    expect(columns.slice(-2).map(({ name, generated }) => ({ name, generated }))).toEqual([
      { name: 'full_name', generated: { expression: "first || ' ' || last", stored: true } },
      { name: 'next_age', generated: { expression: 'age + 1', stored: false } },
    ]);
    expect(checks).toEqual([
      { name: null, expression: 'age >= 0' },
      { name: 'named_people', expression: 'length(first) > 0' },
    ]);
  });

  it('reads collations, partial and expression indexes (S14)', () => {
    const { columns, indexes } = tableNamed('people');

    expect(columns[1]).toMatchObject({ name: 'email', collation: 'NOCASE' });
    expect(indexes).toEqual([
      {
        name: 'people_active',
        unique: false,
        where: 'active = 1 AND last IS NOT NULL',
        parts: [{ column: 'last', expression: null, descending: false, collation: null }],
      },
      {
        name: 'people_lower',
        unique: false,
        where: null,
        parts: [
          { column: null, expression: 'lower(email)', descending: true, collation: null },
          { column: null, expression: 'age + 1', descending: false, collation: null },
        ],
      },
      {
        name: 'sqlite_autoindex_people_1',
        unique: true,
        where: null,
        parts: [{ column: 'email', expression: null, descending: false, collation: 'NOCASE' }],
      },
    ]);
  });

  it('reads foreign keys in the order in which they are written, with the parent’s key where none is named (S13)', () => {
    expect(tableNamed('child').foreignKeys).toEqual([
      {
        name: null,
        columns: ['nowhere'],
        references: { table: 'missing', columns: ['id'] },
        onUpdate: 'NO ACTION',
        onDelete: 'NO ACTION',
      },
      {
        name: 'to_parent',
        columns: ['a', 'b'],
        references: { table: 'parent', columns: ['a', 'b'] },
        onUpdate: 'NO ACTION',
        onDelete: 'CASCADE',
      },
    ]);
  });

  it('knows where NULL cannot be', () => {
    const nullable = (name: string): boolean[] =>
      tableNamed(name).columns.map((column) => column.nullable);

    expect(nullable('without_rowid')).toEqual([false, false, true]);
    expect(nullable('null_key')).toEqual([true, true]);
    expect(nullable('wide').slice(0, 2)).toEqual([false, true]);
  });
});

describe('scanTable', () => {
  it.each([
    ['select', { columns: ['from'], kinds: ['integer'] }],
    ['composite', { columns: ['a', 'b'], kinds: ['integer', 'text'] }],
    ['text_key', { columns: ['code'], kinds: ['text'] }],
    ['without_rowid', { columns: ['code', 'n'], kinds: ['text', 'integer'] }],
    ['null_key', { columns: [], kinds: ['integer'] }],
    ['keyless', { columns: [], kinds: ['integer'] }],
    ['odd_key', null],
  ])('cuts %s by %j', (name, chunkKey) => {
    expect(scanTable(database, { table: tableNamed(name), chunkRows: 10 }).chunkKey).toEqual(
      chunkKey,
    );
  });

  it('takes the bounds from the key', () => {
    const bounds = (name: string): unknown =>
      scanTable(database, { table: tableNamed(name), chunkRows: 2 }).chunkBounds;

    expect(bounds('composite')).toEqual([['1', 'B']]);
    expect(bounds('without_rowid')).toEqual([['b', '1']]);
    expect(bounds('text_key')).toEqual([['a']]);
    expect(bounds(LONG_NAME)).toEqual([]);
    expect(bounds('empty')).toEqual([]);
  });

  it('finds rows that point nowhere, where no NULL is in the key', () => {
    expect(scanTable(database, { table: tableNamed('child'), chunkRows: 10 }).orphans).toEqual([
      { foreignKey: 0, rows: 1, samples: [{ id: '4' }] },
      { foreignKey: 1, rows: 1, samples: [{ id: '2' }] },
    ]);
  });

  it('counts what columns hold, and names rows', () => {
    const { columns, rows } = scanTable(database, {
      table: tableNamed('only_rejects'),
      chunkRows: 10,
    });

    expect(rows).toBe(2);
    expect(columns.v).toMatchObject({
      facts: { text: 2, nul: 1, invalidUtf8: 1 },
      samples: { nul: [{ id: '1' }], invalidUtf8: [{ id: '2' }] },
    });
  });

  it('finds the same in many ranges as in one', async () => {
    const large = await buildLegacySqlite(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, d DATETIME, s TEXT);
      WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 120000)
      INSERT INTO t SELECT i, CASE WHEN i % 30000 = 0 THEN 'odd' ELSE i END,
        CASE i % 3 WHEN 0 THEN '2024-01-02' WHEN 1 THEN '2024-01-02 03:04:05' ELSE '' END, 'é' || i FROM g`);
    const { db, encoding } = openDatabase(large.path);
    try {
      const [table] = readCatalog(db).tables;
      if (table === undefined) throw new Error('no table');

      const scan = scanTable({ db, encoding }, { table, chunkRows: 40_000 });

      expect(scan.chunkBounds).toEqual([['40000'], ['80000']]);
      expect(scan.columns.n).toMatchObject({
        facts: { integer: 119_996, text: 4, notNumeric: 4 },
        minInteger: '1',
        maxInteger: '119999',
        samples: { text: [{ id: '30000' }, { id: '60000' }, { id: '90000' }, { id: '120000' }] },
      });
      expect(scan.columns.d?.facts).toEqual({
        text: 120_000,
        isoDate: 40_000,
        isoDateTime: 40_000,
        emptyText: 40_000,
      });
      expect(scan.columns.s).toMatchObject({ facts: { text: 120_000 }, maxLength: 7 });
    } finally {
      db.close();
      await large.remove();
    }
  });
});
