import fc from 'fast-check';

import { makeCsvFolder, type CsvFolder } from '../../helpers/csv-files.ts';
import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { SEED } from '../../helpers/seed.ts';

const ROWS = 1500;

const digits = (pattern: string): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^${pattern}$`));
const moment = fc
  .date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());
const fraction = fc.oneof(fc.constant(''), digits('\\.[0-9]{0,5}[1-9]'));

/** PostgreSQL type → texts that PostgreSQL prints back as they are, boundaries among them. */
const COLUMNS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  bigint: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.integer().map(String),
    fc.constantFrom('9223372036854775807', '-9223372036854775808', '9007199254740993', '0', '-1'),
  ),
  numeric: fc.oneof(
    digits('(?:0|[1-9][0-9]{0,30})\\.[0-9]{1,20}'),
    digits('-[1-9][0-9]{0,5}\\.[0-9]{2}'),
    digits('[1-9][0-9]{18,60}'),
    fc.constantFrom('0.00', '0.1', '18446744073709551615', '1.234'),
  ),
  date: fc.oneof(
    moment.map((iso) => iso.slice(0, 10)),
    fc.constantFrom('0001-01-01', '9999-12-31', '2024-02-29', '1900-02-28'),
  ),
  'timestamp without time zone': fc
    .tuple(moment, fraction)
    .map(([iso, part]) => `${iso.slice(0, 10)} ${iso.slice(11, 19)}${part}`),
  'timestamp with time zone': fc
    .tuple(moment, fraction)
    .map(([iso, part]) => `${iso.slice(0, 10)} ${iso.slice(11, 19)}${part}+00`),
  'time without time zone': fc
    .tuple(moment, fraction)
    .map(([iso, part]) => iso.slice(11, 19) + part),
  boolean: fc.constantFrom('true', 'false'),
  uuid: fc.uuid(),
  json: fc.oneof(
    fc
      .dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })
      .map((value) => JSON.stringify(value)),
    fc.constantFrom('{"a" : 1.50, "a":2}', '[ 12345678901234567890.10 ]', '{"n":"\\u0000"}'),
  ),
  bytea: digits('(?:[0-9a-f]{2}){1,20}').map((hex) => `\\x${hex}`),
  text: fc.oneof(
    digits('0[0-9]{1,10}'),
    digits('\\+49[0-9]{5}'),
    fc.constantFrom('=1+1', '0x1A', ' 1'),
  ),
};

describe(`values of any type in CSV files, seed ${String(SEED)}`, () => {
  let engine: TestEngine;
  let folder: CsvFolder;

  beforeAll(async () => {
    engine = await startTestEngine();
    folder = await makeCsvFolder();
  }, 60_000);
  afterAll(async () => {
    await engine.close();
    await folder.remove();
  });

  it('arrive in the type that they have, and print back as they stood in the file', async () => {
    const names = Object.keys(COLUMNS);
    const columns = Object.values(COLUMNS).map((values, index) =>
      fc.sample(fc.option(values, { freq: 9 }), { numRuns: ROWS, seed: SEED + index }),
    );
    const rows = Array.from({ length: ROWS }, (_, row) => columns.map((values) => values[row]));
    const lines = rows.map((row, number) =>
      [
        String(number),
        ...row.map((value) =>
          value === undefined || value === null ? '' : `"${value.replaceAll('"', '""')}"`,
        ),
      ].join(','),
    );
    const location = await folder.write({ t: `n,${names.join(',')}\n${lines.join('\n')}\n` });
    const job = engine.buildJob(
      { kind: 'csv', location },
      { targetSchema: 'typed', chunkRows: 400 },
    );

    await job.migrate();

    const types = await engine.sql<{ type: string }>(
      `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = 'typed.t'::regclass AND attnum > 1 ORDER BY attnum`,
    );
    expect(types.map(({ type }) => type)).toEqual(names);
    const texts = names.map((name) => `"${name}"::text`).join(', ');
    const found = await engine.sql<{ row: (string | null)[] }>(
      `SELECT array[${texts}] AS row FROM typed.t ORDER BY n`,
    );
    const different = rows.flatMap((row, number) =>
      row.flatMap((value, column) => {
        const stored = found[number]?.row[column] ?? null;
        return stored === (value ?? null) ? [] : [[names[column], value, stored]];
      }),
    );
    expect(different.slice(0, 10)).toEqual([]);
    for (const mode of ['checksum', 'full'] as const)
      expect((await job.verify(mode)).map(({ verdict }) => verdict)).toEqual(['passed']);
    expect(job.journal.totals()).toEqual({ rowsRead: ROWS, rowsCopied: ROWS, rowsRejected: 0 });
  }, 120_000);
});
