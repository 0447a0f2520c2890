import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import type { CsvLocation } from '../../../src/engine/sources/csv.ts';
import { makeCsvFolder, type CsvFolder } from '../../helpers/csv-files.ts';
import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { SEED } from '../../helpers/seed.ts';

/** Each run is a job of several files. */
const RUNS = 12;

type Cell = string | null;
type Rows = readonly (readonly Cell[])[];

/** How a program may write CSV. */
interface Writer {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly nullText: string;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1';
  readonly hasMark: boolean;
  readonly lineEnd: string;
  readonly endsLastLine: boolean;
  readonly quotesAll: boolean;
  readonly isPacked: boolean;
}

const writer: fc.Arbitrary<Writer> = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|', '§', '||'),
  quote: fc.constantFrom('"', "'"),
  escape: fc.constantFrom('', '\\'),
  nullText: fc.constantFrom('', 'NULL', '\\N'),
  encoding: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'latin1'),
  hasMark: fc.boolean(),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  endsLastLine: fc.boolean(),
  quotesAll: fc.boolean(),
  isPacked: fc.boolean(),
});

const hostile = fc.constantFrom(
  ...[
    '"',
    "'",
    '""',
    ',',
    ';',
    '\t',
    '|',
    '||',
    '§',
    '\n',
    '\r',
    '\r\n',
    '\\',
    '\\N',
    'NULL',
    ' ',
    'é',
    '1',
    '007',
  ],
  ...['2024-01-01', '=1+1', '\u00a0', '\u0001'],
);
/** What latin1 has no byte for is left out of files in it. */
const wide = fc.oneof(
  fc.constantFrom('🐘', '€', '\ufeff', '\u2028', 'ﬀ', '\ufffd'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

function tableOf({ encoding }: Writer): fc.Arbitrary<Rows> {
  const part = encoding === 'latin1' ? hostile : fc.oneof({ weight: 3, arbitrary: hostile }, wide);
  const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('').replaceAll('\0', ''));
  const cell = fc.option(text, { freq: 5 });
  return fc.integer({ min: 1, max: 4 }).chain((columns) =>
    fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
      minLength: 1,
      maxLength: 12,
    }),
  );
}

const run = writer.chain((how) =>
  fc.record({
    how: fc.constant(how),
    tables: fc.array(tableOf(how), { minLength: 3, maxLength: 6 }),
  }),
);

function write(rows: Rows, how: Writer): Uint8Array {
  const header = (rows[0] ?? []).map((_, index) => `c${String(index)}`);
  const lines = [header, ...rows].map((row) =>
    row.map((cell) => writeCell(cell, how)).join(how.delimiter),
  );
  const last = how.endsLastLine || lines.at(-1) === '' ? how.lineEnd : '';
  const text = `${how.hasMark && how.encoding !== 'latin1' ? '\ufeff' : ''}${lines.join(how.lineEnd)}${last}`;
  const bytes = encode(text, how);
  return how.isPacked ? gzipSync(bytes) : bytes;
}

function encode(text: string, { encoding }: Writer): Buffer {
  if (encoding === 'latin1') return Buffer.from(text, 'latin1');
  if (encoding === 'utf-8') return Buffer.from(text, 'utf8');
  const bytes = Buffer.from(text, 'utf16le');
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}

function writeCell(cell: Cell, { delimiter, quote, escape, nullText, quotesAll }: Writer): string {
  if (cell === null) return nullText;
  const isPlain =
    cell !== nullText &&
    !/[\r\n]/.test(cell) &&
    ![delimiter, quote, '|'].some((part) => cell.includes(part));
  if (isPlain && !quotesAll) return cell;
  const escaped =
    escape === ''
      ? cell.replaceAll(quote, quote + quote)
      : cell.replaceAll(escape, escape + escape).replaceAll(quote, escape + quote);
  return `${quote}${escaped}${quote}`;
}

function formatOf(how: Writer): CsvLocation['format'] {
  const { delimiter, quote, escape, nullText, encoding } = how;
  return { delimiter, quote, nullText, encoding, ...(escape === '' ? {} : { escape }) };
}

describe(`any table in any dialect, seed ${String(SEED)}`, () => {
  let engine: TestEngine;
  let folder: CsvFolder;
  let schemas = 0;

  beforeAll(async () => {
    engine = await startTestEngine();
    folder = await makeCsvFolder();
  }, 60_000);
  afterAll(async () => {
    await engine.close();
    await folder.remove();
  });

  it('arrives exactly as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ how, tables }) => {
        const targetSchema = `dialect_${String((schemas += 1))}`;
        const named = tables.map((rows, index) => [`t${String(index)}`, rows] as const);
        const location = await folder.write(
          Object.fromEntries(named.map(([name, rows]) => [name, write(rows, how)])),
          formatOf(how),
        );
        const casts = Object.fromEntries(
          named.flatMap(([name, rows]) =>
            (rows[0] ?? []).map((_, index) => [`${name}.c${String(index)}`, 'text'] as const),
          ),
        );
        const job = engine.buildJob(
          { kind: 'csv', location },
          { targetSchema, casts, chunkRows: 3 },
        );
        await job.migrate();

        for (const [name, rows] of named) {
          const found = await engine.sql<{ row: Cell[] }>(
            `SELECT array[${(rows[0] ?? []).map((_, index) => `c${String(index)}`).join(', ')}] AS row
               FROM ${targetSchema}.${name}`,
          );
          expect(sorted(found.map(({ row }) => row))).toEqual(sorted(rows));
        }
        for (const mode of ['checksum', 'full'] as const) {
          const verdicts = await job.verify(mode);
          expect(verdicts.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
        }
        await job.close();
      }),
      { seed: SEED, numRuns: RUNS },
    );
  }, 180_000);
});

function sorted(rows: Rows): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
