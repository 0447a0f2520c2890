import { canonicalJson } from '../../../src/engine/canonical-json.ts';
import type { PartialJobOptions, Plan } from '../../../src/engine/contract.ts';
import { failureOf, startTestEngine, type Content, type TestEngine } from '../../helpers/engine.ts';

const TABLES = [
  'CREATE TABLE Customers (Id INTEGER PRIMARY KEY, FullName TEXT NOT NULL, Email TEXT UNIQUE)',
  'CREATE TABLE OrderLines (OrderId INTEGER, Line INTEGER, Price NUMERIC(10, 2), PRIMARY KEY (OrderId, Line), FOREIGN KEY (OrderId) REFERENCES Orders (Id))',
  'CREATE TABLE Orders (Id INTEGER PRIMARY KEY AUTOINCREMENT, CustomerId INTEGER REFERENCES Customers (Id), PlacedAt TEXT)',
  'CREATE TABLE log (message TEXT)',
];
const OTHERS = [
  'CREATE INDEX OrdersByCustomer ON Orders (CustomerId, PlacedAt DESC)',
  'CREATE INDEX LogByMessage ON log (message)',
  'CREATE VIEW Report AS SELECT * FROM Orders',
];
const ROWS = [
  "INSERT INTO Customers VALUES (1, 'Ada', 'a@x'), (2, 'Bob', NULL)",
  "INSERT INTO Orders VALUES (1, 1, '2020-01-01'), (2, 9, '2020-01-02')",
  'INSERT INTO OrderLines VALUES (1, 1, 9.5), (1, 2, 3)',
];

const LEGACY = [...TABLES, ...OTHERS, ...ROWS].join(';');

describe('plan', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await startTestEngine();
  });

  afterAll(async () => {
    await engine.close();
  });

  const planOf = (content: Content, options: PartialJobOptions = {}): Promise<Plan> =>
    engine.buildJob(engine.buildLegacyFile(content), options).plan();

  const targetsOf = (plan: Plan): string[] => plan.tables.map(({ target }) => target).sort();

  it('gives the same bytes for the same file and options, whenever it is opened', async () => {
    const file = engine.buildLegacyFile(LEGACY);

    const [one, other] = [await engine.buildJob(file).plan(), await engine.buildJob(file).plan()];

    expect(canonicalJson(other)).toBe(canonicalJson(one));
    expect(JSON.stringify(other)).toBe(JSON.stringify(one));
  });

  it('gives the same bytes for a file whose tables were made in another order', async () => {
    const reversed = [...TABLES.toReversed(), ...OTHERS.toReversed(), ...ROWS.toReversed()].join(
      ';',
    );

    const [one, other] = [await planOf(LEGACY), await planOf(reversed)];

    expect(JSON.stringify(other)).toBe(JSON.stringify(one));
  });

  it('has another hash when a row, an option or a column is another', async () => {
    const plans = [
      await planOf(LEGACY),
      await planOf(`${LEGACY}; INSERT INTO log VALUES ('x')`),
      await planOf(LEGACY, { lanes: 4 }),
      await planOf(`${LEGACY}; ALTER TABLE log ADD COLUMN at TEXT`),
    ];

    expect(new Set(plans.map(({ hash }) => hash)).size).toBe(4);
  });

  it('keeps the fingerprint when rows come, and changes it when the schema does', async () => {
    const plans = [
      await planOf(LEGACY),
      await planOf(`${LEGACY}; INSERT INTO Orders (CustomerId) VALUES (1)`),
      await planOf(`${LEGACY}; DROP INDEX LogByMessage`),
    ];

    const [before, filled, changed] = plans.map(({ source }) => source.fingerprint);
    expect(filled).toBe(before);
    expect(changed).not.toBe(before);
  });

  it('takes 1,600 columns and refuses 1,601', async () => {
    const wide = (columns: number): string =>
      `CREATE TABLE wide (${Array.from({ length: columns }, (_, index) => `c${String(index)}`).join(', ')})`;

    const plan = await planOf(wide(1600));
    const failure = await failureOf(planOf(wide(1601)));

    expect(plan.tables[0]?.columns).toHaveLength(1600);
    expect(failure).toMatchObject({
      code: 'TOO_MANY_COLUMNS',
      details: { table: 'wide', columns: 1601 },
    });
  });

  it('brings 1,600 columns through to the end', async () => {
    const names = Array.from({ length: 1600 }, (_, index) => `c${String(index)}`);
    const job = engine.buildJob(
      engine.buildLegacyFile(
        `CREATE TABLE wide (${names.map((name) => `${name} INTEGER`).join(', ')}); INSERT INTO wide (c0, c1599) VALUES (1, 2)`,
      ),
      { targetSchema: 'wide' },
    );

    await job.migrate();

    expect((await job.verify('full'))[0]).toMatchObject({ verdict: 'passed', rowsFound: 1 });
  });

  it('refuses two names that become one, and says which', async () => {
    const failure = await failureOf(planOf('CREATE TABLE "Ä" (a); CREATE TABLE "ä" (a)'));

    expect(failure).toMatchObject({
      code: 'IDENTIFIER_COLLISION',
      details: { names: ['Ä', 'ä'], target: 'ä', field: 'options.rename' },
    });
  });

  it('refuses two columns that become one, and says which', async () => {
    const failure = await failureOf(
      planOf('CREATE TABLE t (fooBar, foo_bar)', { identifiers: 'snake_case' }),
    );

    expect(failure).toMatchObject({
      code: 'IDENTIFIER_COLLISION',
      details: { names: ['t.fooBar', 't.foo_bar'], target: 'foo_bar' },
    });
  });

  it('solves a collision by a rename, also of a name that a rename has taken', async () => {
    const content = 'CREATE TABLE a (x); CREATE TABLE b (x)';

    const failure = await failureOf(planOf(content, { rename: { a: 'b' } }));
    const swapped = await planOf(content, { rename: { a: 'b', b: 'a', 'a.x': 'Y z' } });

    expect(failure).toMatchObject({ code: 'IDENTIFIER_COLLISION', details: { names: ['a', 'b'] } });
    expect(swapped.tables.map(({ source, target }) => [source, target])).toEqual([
      ['a', 'b'],
      ['b', 'a'],
    ]);
    expect(swapped.tables[0]?.columns[0]?.target).toBe('Y z');
  });

  it('cuts names of 64 bytes and more so that they stay apart, and they arrive', async () => {
    const stem = 'n'.repeat(63);
    const job = engine.buildJob(
      engine.buildLegacyFile(
        `CREATE TABLE "${stem}1" ("${stem}a" INTEGER PRIMARY KEY, "${stem}b" TEXT UNIQUE);
         CREATE TABLE "${stem}2" ("${'ü'.repeat(40)}" INTEGER REFERENCES "${stem}1" ("${stem}a"));
         CREATE TABLE "${stem}" (a); INSERT INTO "${stem}1" VALUES (1, 'x'); INSERT INTO "${stem}2" VALUES (1)`,
      ),
      { targetSchema: 'long' },
    );
    const targets = targetsOf(await job.plan());

    await job.migrate();

    expect(targets).toContain(stem);
    expect(new Set(targets).size).toBe(3);
    expect(targets.every((name) => Buffer.byteLength(name) <= 63)).toBe(true);
    expect((await job.verify('full')).map(({ verdict }) => verdict)).toEqual([
      'passed',
      'passed',
      'passed',
    ]);
  });

  it.each([
    ['lower', ['customers', 'log', 'orderlines', 'orders'], 'fullname'],
    ['snake_case', ['customers', 'log', 'order_lines', 'orders'], 'full_name'],
    ['preserve', ['Customers', 'OrderLines', 'Orders', 'log'], 'FullName'],
  ] as const)('names in the style %s', async (identifiers, tables, column) => {
    const plan = await planOf(LEGACY, { identifiers });

    const customers = plan.tables.find(({ source }) => source === 'Customers');
    expect(targetsOf(plan)).toEqual(tables);
    expect(customers?.columns.map(({ target }) => target)).toContain(column);
  });

  it('takes only what include and exclude leave', async () => {
    expect(targetsOf(await planOf(LEGACY, { include: ['order*'] }))).toEqual([
      'orderlines',
      'orders',
    ]);
    expect(targetsOf(await planOf(LEGACY, { exclude: ['ORDER?', 'log'] }))).toEqual([
      'customers',
      'orderlines',
    ]);
    expect(await failureOf(planOf(LEGACY, { include: ['nothing*'] }))).toMatchObject({
      code: 'SOURCE_WITHOUT_TABLES',
    });
  });

  it('tells of a foreign key to a table that is left out, and the rest arrives', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(LEGACY), {
      exclude: ['Customers'],
      targetSchema: 'partly',
    });
    const plan = await job.plan();

    await job.migrate();

    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: 'FK_NOT_CARRIED',
        severity: 'warning',
        table: 'Orders',
        column: 'CustomerId',
        message:
          'The foreign key to Customers is not carried over: it refers to Customers, which is not moved',
      }),
    );
    expect(plan.tables.find(({ source }) => source === 'Orders')?.foreignKeys).toEqual([]);
    expect((await job.verify('full')).every(({ verdict }) => verdict === 'passed')).toBe(true);
  });

  it('shows the DDL that then runs', async () => {
    const job = engine.buildJob(engine.buildLegacyFile(LEGACY), { targetSchema: 'shown' });
    const { ddl } = await job.plan();

    await engine.sql(`CREATE SCHEMA shown; ${[...ddl.create, ...ddl.finish].join(';')}`);

    const [row] = await engine.sql<{ tables: number }>(
      "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'shown'",
    );
    expect(row?.tables).toBe(4);
  });

  it('takes names that are hard on SQL and on JavaScript', async () => {
    const names = [
      'constructor',
      '__proto__',
      'a"b',
      "it's",
      'ctid',
      'user',
      'tab\tbed',
      'line\nbreak',
      '%s $1 \\',
      '😀',
    ];
    const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
    const job = engine.buildJob(
      engine.buildLegacyFile(
        names
          .map(
            (name) =>
              `CREATE TABLE ${quoted(name)} (${quoted(name)} INTEGER PRIMARY KEY, v TEXT UNIQUE); INSERT INTO ${quoted(name)} VALUES (7, 'x')`,
          )
          .join(';'),
      ),
      { targetSchema: 'hard' },
    );

    await job.migrate();

    const verdicts = await job.verify('full');
    expect(verdicts.map(({ table }) => table).sort()).toEqual(names.toSorted());
    expect(verdicts.every(({ verdict }) => verdict === 'passed')).toBe(true);
  });
});
