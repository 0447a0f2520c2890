import { rm } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';

import type { RowKey } from '../../../src/engine/contract.ts';
import type { TableVerdict } from '../../../src/engine/steps/verify.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

const ROWS = 300;
const CHUNK_ROWS = 100;

/** Byte order puts capitals before small letters and accents last; a language's order mixes them. */
const TEXT_KEYS = [
  'apple',
  'Banana',
  'cherry',
  'Zebra',
  'Äpfel',
  'éclair',
  'zoo',
  '日本',
  '𝒳-axis',
];

/** One table a kind of key, each in three chunks, and an empty one. */
function everyKindOfKey(db: DatabaseSync): void {
  db.exec(`BEGIN;
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER);
    CREATE TABLE paired (a INTEGER, b TEXT, amount INTEGER, PRIMARY KEY (a, b));
    CREATE TABLE worded (word TEXT PRIMARY KEY, amount INTEGER);
    CREATE TABLE keyless (name TEXT, amount INTEGER);
    CREATE TABLE vacant (id INTEGER PRIMARY KEY, name TEXT)`);
  const numbered = db.prepare('INSERT INTO numbered VALUES (?, ?, ?)');
  const paired = db.prepare('INSERT INTO paired VALUES (?, ?, ?)');
  const worded = db.prepare('INSERT INTO worded VALUES (?, ?)');
  const keyless = db.prepare('INSERT INTO keyless VALUES (?, ?)');
  for (let id = 1; id <= ROWS; id += 1) {
    numbered.run(id, `name ${String(id)}`, id * 10);
    paired.run(id % 7, wordOf(id), id);
    worded.run(wordOf(id), id);
    keyless.run(`name ${String(id)}`, id);
  }
  db.exec('COMMIT');
}

function wordOf(id: number): string {
  return `${TEXT_KEYS[id % TEXT_KEYS.length] ?? ''} ${String(id)}`;
}

/** Words in the order of their bytes, which is the order of chunks. */
const WORDS = Array.from({ length: ROWS }, (_, index) => wordOf(index + 1)).sort((a, b) =>
  Buffer.compare(Buffer.from(a), Buffer.from(b)),
);

interface Tampering {
  readonly title: string;
  readonly table: string;
  /** SQL; `%` stands for the schema. */
  readonly sql: string;
  readonly chunks: readonly (number | null)[];
  readonly lower?: RowKey | null;
  readonly upper?: RowKey | null;
  readonly missing: readonly RowKey[];
  readonly unexpected: readonly RowKey[];
}

const [first, second] = [WORDS[CHUNK_ROWS - 1] ?? '', WORDS[2 * CHUNK_ROWS - 1] ?? ''];
const changedWord = WORDS[150] ?? '';
const lastWord = WORDS[ROWS - 1] ?? '';

const TAMPERINGS: readonly Tampering[] = [
  {
    title: 'a changed value',
    table: 'numbered',
    sql: 'UPDATE %.numbered SET amount = 1 WHERE id = 150',
    chunks: [2],
    lower: { id: '100' },
    upper: { id: '200' },
    missing: [{ id: '150' }],
    unexpected: [{ id: '150' }],
  },
  {
    title: 'a deleted row',
    table: 'numbered',
    sql: 'DELETE FROM %.numbered WHERE id = 300',
    chunks: [3],
    lower: { id: '200' },
    upper: null,
    missing: [{ id: '300' }],
    unexpected: [],
  },
  {
    title: 'an inserted row',
    table: 'numbered',
    sql: "INSERT INTO %.numbered (id, name, amount) VALUES (-5, 'new', 1)",
    chunks: [1],
    lower: null,
    upper: { id: '100' },
    missing: [],
    unexpected: [{ id: '-5' }],
  },
  {
    title: 'values swapped between rows of two chunks',
    table: 'numbered',
    sql: 'UPDATE %.numbered SET amount = CASE id WHEN 10 THEN 2500 ELSE 100 END WHERE id IN (10, 250)',
    chunks: [1, 3],
    missing: [{ id: '10' }],
    unexpected: [{ id: '10' }],
  },
  {
    title: 'two rows of one chunk that exchange their keys',
    table: 'numbered',
    sql: `UPDATE %.numbered SET (name, amount) = (SELECT name, amount FROM %.numbered other
            WHERE other.id = CASE numbered.id WHEN 120 THEN 130 ELSE 120 END) WHERE id IN (120, 130)`,
    chunks: [2],
    missing: [{ id: '120' }, { id: '130' }],
    unexpected: [{ id: '120' }, { id: '130' }],
  },
  {
    title: 'NULL instead of an empty text',
    table: 'numbered',
    sql: 'UPDATE %.numbered SET name = NULL WHERE id = 1',
    chunks: [1],
    missing: [{ id: '1' }],
    unexpected: [{ id: '1' }],
  },
  {
    title: 'a changed value under a composite key',
    table: 'paired',
    sql: `UPDATE %.paired SET amount = 0 WHERE amount = 7`,
    chunks: [1],
    lower: null,
    missing: [{ a: '0', b: wordOf(7) }],
    unexpected: [{ a: '0', b: wordOf(7) }],
  },
  {
    title: 'a changed value under a text key',
    table: 'worded',
    sql: `UPDATE %.worded SET amount = 0 WHERE word = '${changedWord}'`,
    chunks: [2],
    lower: { word: first },
    upper: { word: second },
    missing: [{ word: changedWord }],
    unexpected: [{ word: changedWord }],
  },
  {
    title: 'a deleted row under a text key',
    table: 'worded',
    sql: `DELETE FROM %.worded WHERE word = '${lastWord}'`,
    chunks: [3],
    lower: { word: second },
    upper: null,
    missing: [{ word: lastWord }],
    unexpected: [],
  },
  {
    title: 'a changed key',
    table: 'worded',
    sql: `UPDATE %.worded SET word = 'zzz' WHERE word = '${WORDS[0] ?? ''}'`,
    chunks: [1, 2],
    missing: [{ word: WORDS[0] ?? '' }],
    unexpected: [],
  },
  {
    title: 'a doubled row without a key',
    table: 'keyless',
    sql: "INSERT INTO %.keyless SELECT * FROM %.keyless WHERE name = 'name 5'",
    chunks: [null],
    lower: null,
    upper: null,
    missing: [],
    unexpected: [{ name: 'name 5', amount: '5' }],
  },
  {
    title: 'values swapped between rows without a key',
    table: 'keyless',
    sql: 'UPDATE %.keyless SET amount = CASE amount WHEN 3 THEN 4 ELSE 3 END WHERE amount IN (3, 4)',
    chunks: [null],
    missing: [
      { name: 'name 3', amount: '3' },
      { name: 'name 4', amount: '4' },
    ],
    unexpected: [
      { name: 'name 3', amount: '4' },
      { name: 'name 4', amount: '3' },
    ],
  },
  {
    title: 'one row lost and another doubled, the number being right',
    table: 'keyless',
    sql: `DELETE FROM %.keyless WHERE amount = 9; INSERT INTO %.keyless SELECT * FROM %.keyless WHERE amount = 8`,
    chunks: [null],
    missing: [{ name: 'name 9', amount: '9' }],
    unexpected: [{ name: 'name 8', amount: '8' }],
  },
  {
    title: 'a row in a table that is empty in the source',
    table: 'vacant',
    sql: "INSERT INTO %.vacant (id, name) VALUES (1, 'x')",
    chunks: [1],
    lower: null,
    upper: null,
    missing: [],
    unexpected: [{ id: '1' }],
  },
];

describe('verify', () => {
  let engine: TestEngine;
  let file: string;
  let schemas = 0;

  beforeAll(async () => {
    engine = await startTestEngine();
    file = engine.buildLegacyFile(everyKindOfKey);
  });

  afterAll(async () => {
    await engine.close();
  });

  interface Migrated {
    readonly job: TestJob;
    readonly schema: string;
  }

  async function migrated(path: string = file): Promise<Migrated> {
    schemas += 1;
    const schema = `copy_${String(schemas)}`;
    const job = engine.buildJob(path, { targetSchema: schema, chunkRows: CHUNK_ROWS });
    await job.migrate();
    return { job, schema };
  }

  async function tamper({ schema }: Migrated, sql: string): Promise<void> {
    await engine.sql(sql.replaceAll('%', schema));
  }

  function verdictOf(verdicts: readonly TableVerdict[], table: string): TableVerdict {
    const verdict = verdicts.find((candidate) => candidate.table === table);
    if (verdict === undefined) throw new Error(`no verdict of ${table}`);
    return verdict;
  }

  const failed = (verdicts: readonly TableVerdict[]): string[] =>
    verdicts.filter(({ verdict }) => verdict === 'failed').map(({ table }) => table);

  it('passes an untouched copy in every mode', async () => {
    const { job } = await migrated();
    const plan = await job.plan();

    expect(
      plan.tables.map(({ source, chunks, digest }) => [source, chunks.length, digest]),
    ).toEqual([
      ['keyless', 3, 'multiset'],
      ['numbered', 3, 'ordered'],
      ['paired', 3, 'ordered'],
      ['worded', 3, 'ordered'],
      ['vacant', 1, 'ordered'],
    ]);
    for (const mode of ['count', 'checksum', 'full'] as const) {
      const verdicts = await job.verify(mode);
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(plan.tables.map(() => 'passed'));
      expect(verdicts.flatMap(({ failures }) => failures)).toEqual([]);
    }
  });

  describe.each(TAMPERINGS)('after $title in $table', (tampering) => {
    let copyOf: Migrated;

    beforeAll(async () => {
      copyOf = await migrated();
      await tamper(copyOf, tampering.sql);
    });

    it.each(['checksum', 'full'] as const)('%s names table, range and rows', async (mode) => {
      const verdicts = await copyOf.job.verify(mode);

      const { failures } = verdictOf(verdicts, tampering.table);
      const [range] = failures;
      expect(failed(verdicts)).toEqual([tampering.table]);
      expect(failures.map(({ chunk }) => chunk)).toEqual(tampering.chunks);
      if (tampering.lower !== undefined) expect(range?.lower).toEqual(tampering.lower);
      if (tampering.upper !== undefined) expect(range?.upper).toEqual(tampering.upper);
      expect(sorted(range?.differences?.missing.keys)).toEqual(sorted(tampering.missing));
      expect(sorted(range?.differences?.unexpected.keys)).toEqual(sorted(tampering.unexpected));
      expect(range?.differences?.missing.rows).toBe(tampering.missing.length);
      expect(range?.differences?.unexpected.rows).toBe(tampering.unexpected.length);
    });
  });

  function sorted(keys: readonly RowKey[] | undefined): string[] | undefined {
    return keys?.map((key) => JSON.stringify(key)).sort();
  }

  it('counts, and names the range whose number is off', async () => {
    const copyOf = await migrated();
    await tamper(
      copyOf,
      "DELETE FROM %.numbered WHERE id = 150; INSERT INTO %.keyless VALUES ('x', 1)",
    );

    const verdicts = await copyOf.job.verify('count');

    expect(failed(verdicts)).toEqual(['keyless', 'numbered']);
    expect(verdictOf(verdicts, 'numbered')).toMatchObject({
      rowsExpected: 300,
      rowsFound: 299,
      failures: [
        {
          kind: 'count',
          chunk: 2,
          lower: { id: '100' },
          upper: { id: '200' },
          rowsExpected: 100,
          rowsFound: 99,
          differences: null,
        },
      ],
    });
    expect(verdictOf(verdicts, 'keyless').failures).toMatchObject([
      { kind: 'count', chunk: null, rowsExpected: 300, rowsFound: 301 },
    ]);
  });

  it('still names the range when the source is gone', async () => {
    const path = engine.buildLegacyFile(everyKindOfKey);
    const copyOf = await migrated(path);
    await tamper(copyOf, 'UPDATE %.numbered SET amount = 1 WHERE id = 150');
    await copyOf.job.close();
    await rm(path);
    const later = engine.buildJob(
      path,
      {},
      { jobId: copyOf.job.jobId, plan: await copyOf.job.plan() },
    );

    const verdicts = await later.verify('checksum');

    expect(failed(verdicts)).toEqual(['numbered']);
    expect(verdictOf(verdicts, 'numbered').failures).toEqual([
      {
        kind: 'digest',
        chunk: 2,
        lower: { id: '100' },
        upper: { id: '200' },
        rowsExpected: 100,
        rowsFound: 100,
        differences: null,
      },
    ]);
  });

  it('names the rows of the first 20 ranges only where everything differs, and lists 200', async () => {
    schemas += 1;
    const schema = `copy_${String(schemas)}`;
    const job = engine.buildJob(file, {
      targetSchema: schema,
      chunkRows: 1,
      include: ['numbered'],
    });
    await job.migrate();
    await engine.sql(`UPDATE ${schema}.numbered SET amount = -1`);

    for (const mode of ['checksum', 'full'] as const) {
      const [verdict] = await job.verify(mode);

      expect(verdict).toMatchObject({ verdict: 'failed', failuresOmitted: 100 });
      expect(verdict?.failures).toHaveLength(200);
      const named = verdict?.failures.map(({ differences }) => differences !== null);
      expect(named?.lastIndexOf(true)).toBe(19);
      expect(named?.indexOf(false)).toBe(20);
    }
  });

  it('says nothing of any table in mode full where the source is gone', async () => {
    const copyOf = await migrated();
    const path = engine.buildLegacyFile(everyKindOfKey);
    const overrides = { jobId: copyOf.job.jobId, plan: await copyOf.job.plan() };
    const later = engine.buildJob(path, {}, overrides);
    await rm(path);
    const told: string[] = [];

    const failure = await failureOf(later.verify('full', ({ table }) => void told.push(table)));

    expect(failure).toMatchObject({ code: expect.stringMatching(/^SOURCE_/) as unknown });
    expect(told).toEqual([]);
  });

  it('fails tables that were dropped, emptied, or made anew by somebody else', async () => {
    const copyOf = await migrated();
    await tamper(
      copyOf,
      `DROP TABLE %.numbered; TRUNCATE %.worded; DROP TABLE %.vacant;
       CREATE TABLE %.other AS TABLE %.keyless; DROP TABLE %.keyless; ALTER TABLE %.other RENAME TO keyless`,
    );

    for (const mode of ['count', 'checksum', 'full'] as const) {
      const verdicts = await copyOf.job.verify(mode);

      expect(failed(verdicts)).toEqual(['keyless', 'numbered', 'worded', 'vacant']);
      expect(verdictOf(verdicts, 'numbered')).toMatchObject({ rowsExpected: 300, rowsFound: 0 });
      expect(verdictOf(verdicts, 'keyless')).toMatchObject({ rowsExpected: 300, rowsFound: 0 });
      expect(verdictOf(verdicts, 'worded').failures.map(({ chunk }) => chunk)).toEqual([1, 2, 3]);
    }
  });

  it('fails a job of which not all chunks are copied', async () => {
    const copyOf = await migrated();
    await tamper(
      copyOf,
      `DELETE FROM %.numbered WHERE id > 200;
       DELETE FROM migration_hub.ledger_chunk WHERE job_id = '${copyOf.job.jobId}' AND source_table = 'numbered' AND chunk = 3;
       DELETE FROM migration_hub.ledger_chunk WHERE job_id = '${copyOf.job.jobId}' AND source_table = 'vacant'`,
    );

    for (const mode of ['count', 'checksum', 'full'] as const) {
      expect(failed(await copyOf.job.verify(mode))).toEqual(['numbered', 'vacant']);
    }
  });

  it('finds the changed row in a table whose text key has another collation than the plan', async () => {
    schemas += 1;
    const schema = `copy_${String(schemas)}`;
    await engine.sql(`CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.worded (word text COLLATE "en-x-icu", amount bigint)`);
    const job = engine.buildJob(file, {
      targetSchema: schema,
      chunkRows: CHUNK_ROWS,
      include: ['worded'],
      onExisting: 'truncate',
    });
    await job.migrate();

    for (const mode of ['count', 'checksum', 'full'] as const) {
      expect(failed(await job.verify(mode))).toEqual([]);
    }
    await engine.sql(`UPDATE ${schema}.worded SET amount = 0 WHERE word = '${changedWord}'`);
    const [verdict] = await job.verify('checksum');
    expect(verdict?.failures).toMatchObject([
      { chunk: 2, lower: { word: first }, upper: { word: second } },
    ]);
  });

  it('counts only, in a table that had rows before', async () => {
    schemas += 1;
    const schema = `copy_${String(schemas)}`;
    await engine.sql(`CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.keyless (name text, amount bigint); INSERT INTO ${schema}.keyless VALUES ('before', 0)`);
    const job = engine.buildJob(file, {
      targetSchema: schema,
      include: ['keyless'],
      onExisting: 'append',
    });
    await job.migrate();

    expect(await job.verify('full')).toMatchObject([
      { verdict: 'passed', mode: 'count', rowsExpected: 301, rowsFound: 301 },
    ]);
    await engine.sql(`DELETE FROM ${schema}.keyless WHERE amount = 7`);
    expect(await job.verify('checksum')).toMatchObject([
      { verdict: 'failed', rowsExpected: 301, rowsFound: 300 },
    ]);
  });
});
