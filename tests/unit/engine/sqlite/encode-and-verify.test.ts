import fc from 'fast-check';

import {
  DEFAULT_JOB_OPTIONS,
  type EncodedBatch,
  type PlannedColumn,
  type PlannedTable,
  type Policies,
} from '../../../../src/engine/contract.ts';
import { openDatabase, type OpenDatabase } from '../../../../src/engine/sources/sqlite/open.ts';
import { renderCanonical } from '../../../../src/engine/sources/sqlite/read-canonical.ts';
import { encodeChunk } from '../../../../src/engine/sources/sqlite/read-chunk.ts';
import { canonicalTargetExpression } from '../../../../src/engine/types/sqlite-canonical.ts';
import { TARGET_TYPES } from '../../../../src/engine/types/sqlite-decide.ts';
import { SQLITE_ENCODERS } from '../../../../src/engine/types/sqlite-encoders.ts';
import { buildLegacySqlite } from '../../../helpers/legacy-sqlite.ts';
import { copyThrough, openCopySession, type CopySession } from '../types/copy-round-trip.ts';

let session: CopySession;
beforeAll(async () => {
  session = await openCopySession();
});
afterAll(() => session.end());

type Value = null | number | bigint | string | Uint8Array;

/** Text that goes into the file byte by byte, valid or not. */
class RawText {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const dateWords = fc.constantFrom(
  '2024-02-29',
  '2023-02-29',
  '2023-02-30',
  '0001-01-01',
  '9999-12-31',
  '0000-00-00',
  '2010-00-00',
  '0000-01-01',
  '',
  '2024-01-02 03:04:05',
  '2024-01-02T03:04:05',
  '2024-01-02 03:04',
  '2024-01-02T03:04:05.5',
  '2024-01-02 03:04:05.123456',
  '2024-01-02 03:04:05.1234567',
  '2024-01-02 03:04:05.9999990',
  '2024-01-02T03:04:05Z',
  '2024-01-02T03:04:05.25+02:00',
  '2024-01-02 23:30:00-11:30',
  '1969-12-31T23:59:59.999999Z',
  '03:04',
  '03:04:05',
  '23:59:59.000001',
  '24:00:00',
  '2024-13-01',
  '2024-1-2',
  'not a date',
  '2024-01-02 25:00:00',
  '9999-12-31T23:59:59-14:00',
  '0001-01-01T00:00:00+14:00',
  '0000-00-00 00:00:00',
  '0000-00-00 12:34:56.5',
  '0000-00-00 99:99',
  '0000-00-00T00:00:00+05:00',
  '2010-05-00',
  '2010-00-17',
  '2010-00-00 10:00:00.25',
  '2010-02-00T01:02:03Z',
  '2010-13-00',
  '9999-00-00 23:59:59-05:00',
  '2010-05-00 12:00:00 junk',
  ' 2024-01-02',
  '1600-02-29 00:00:00.001',
  '2024-01-02 03:04:05 ',
  '2024-01-02 ',
);
const castWords = fc.constantFrom(
  '+7',
  '1,234',
  '16777217',
  '9007199254740993',
  '1e-50',
  'NaN',
  'yes',
  'Off',
  '00112233-4455-6677-8899-AABBCCDDEEFF',
  '{00112233-4455-6677-8899-aabbccddeeff}',
  '00112233445566778899aabbccddeef',
  '{"b": 1.50e1, "a": [true, null, "é\\u0001"], "aa": {}}',
  '{"a": 1, "a": 2}',
  '["\\u0000"]',
  '["\\ud800"]',
  '[1e999999]',
  '{"a":',
  '192.168.0.1/24',
  '::FFFF:1.2.3.4',
  '2001:db8::1/129',
  '1 year -2 days +03:04:05.5',
  'P1Y2M3DT4H5M6S',
  '1 fortnight',
  'twelve  char',
  'ends in \0 ',
);
const anyValue: fc.Arbitrary<Value | RawText> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.integer(),
      fc.constantFrom(
        0,
        1,
        2,
        -1,
        32767,
        32768,
        -32769,
        1700000000,
        1700000000123,
        2460000,
        20240131,
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.double({ noNaN: true }),
      fc.constantFrom(
        -0.5,
        0.1,
        2460000.5,
        2460310.123456,
        1e300,
        12.34,
        1700000000.25,
        Infinity,
        3e18,
      ),
    ),
  },
  { weight: 4, arbitrary: dateWords },
  { weight: 3, arbitrary: castWords },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'true',
      'FALSE',
      't',
      'F',
      'yes',
      '0',
      '1',
      '1.50',
      '-0.0',
      '1e5',
      '+.5',
      ' 7 ',
      '1,5',
      'Infinity',
      '12345678901234567890.123',
    ),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => new RawText(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Buffer.from('abc'),
      new RawText(Buffer.from('63c3a9ff96', 'hex')),
      new RawText(Buffer.from('610062', 'hex')),
    ),
  },
);
const policies: fc.Arbitrary<Policies> = fc.record({
  nulCharacter: fc.constantFrom('reject', 'strip'),
  invalidUtf8: fc.constantFrom('reject', 'cp1252'),
  emptyDate: fc.constantFrom('null', 'reject'),
  zeroDate: fc.constantFrom('null', 'reject', 'sentinel'),
  partialDate: fc.constantFrom('null', 'reject', 'first'),
  invalidDate: fc.constantFrom('reject', 'null'),
  mixedDates: fc.constantFrom('text', 'convert'),
  typeMismatch: fc.constantFrom('auto', 'widen', 'reject'),
  nullInPrimaryKey: fc.constantFrom('unique', 'reject'),
  // SQLite has no use for the others.
  enumError: fc.constant('reject'),
  jsonNul: fc.constant('json'),
  doubleEncoding: fc.constant('keep'),
  keyCollation: fc.constant('keep'),
  ambiguousDates: fc.constant('text'),
  ambiguousNumbers: fc.constant('text'),
});

/** What a column is planned as. */
type Planned = Pick<PlannedColumn, 'encoder' | 'targetType'>;

function planColumn(source: string, planned: Planned, nullable: boolean): PlannedColumn {
  return {
    ...planned,
    source,
    target: source,
    declaredType: '',
    nullable,
    defaultExpression: null,
    collation: null,
    generatedExpression: null,
    evidence: '',
  };
}

function planValues(planned: Planned, nullable: boolean): PlannedTable {
  return {
    source: 'legacy',
    schema: 'public',
    target: 'legacy',
    columns: [
      planColumn('id', { encoder: 'bigint', targetType: 'bigint' }, false),
      planColumn('v', planned, nullable),
    ],
    chunkKey: { columns: ['id'], kinds: ['integer'] },
    chunks: [],
    digest: 'ordered',
    primaryKey: { name: 'pk', columns: ['id'] },
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: null,
    estimatedRows: 0,
    rowKey: ['id'],
  };
}

interface Encoded {
  readonly lines: string;
  readonly batches: readonly EncodedBatch[];
  readonly locators: ReadonlySet<string>;
}

const WHOLE = { number: 1, lower: null, upper: null } as const;

function encode(database: OpenDatabase, table: PlannedTable, rules: Policies): Encoded {
  const batches = [...encodeChunk(database, { table, chunk: WHOLE, policies: rules })];
  return {
    lines: Buffer.concat(batches.map(({ lines }) => lines)).toString('latin1'),
    batches,
    locators: new Set(batches.flatMap(({ rejects }) => rejects.map(({ locator }) => locator))),
  };
}

async function withValues(
  values: readonly (Value | RawText)[],
  use: (database: OpenDatabase) => Promise<void> | void,
  encoding = 'UTF-8',
): Promise<void> {
  const file = await buildLegacySqlite(
    `PRAGMA encoding = '${encoding}'; CREATE TABLE legacy (id INTEGER PRIMARY KEY, v)`,
    (db) => {
      const insert = db.prepare('INSERT INTO legacy (v) VALUES (?)');
      const insertText = db.prepare('INSERT INTO legacy (v) VALUES (CAST(? AS TEXT))');
      for (const value of values) {
        if (value instanceof RawText) insertText.run(value.bytes);
        else insert.run(value);
      }
    },
  );
  const database = openDatabase(file.path);
  try {
    await use(database);
  } finally {
    database.db.close();
    await file.remove();
  }
}

const CAST_TYPES = [
  'smallint',
  'integer',
  'bigint',
  'real',
  'double precision',
  'boolean',
  'uuid',
  'varchar(12)',
  'char(12)',
  'json',
  'jsonb',
  'inet',
  'interval',
];
const PRECISE_TYPES = {
  'timestamp(3)': 'mixedTimestamp',
  'timestamptz(0)': 'mixedTimestamptz',
  'time(1)': 'time',
  'numeric(10,2)': 'numeric',
};
const planned: Planned[] = [
  ...Object.entries(TARGET_TYPES).map(([encoder, targetType]) => ({ encoder, targetType })),
  ...CAST_TYPES.map((targetType) => ({ encoder: 'cast', targetType })),
  ...Object.entries(PRECISE_TYPES).map(([targetType, encoder]) => ({ encoder, targetType })),
];

it('every encoder is looked at', () => {
  const names = new Set(planned.map(({ encoder }) => encoder));

  expect([...names].sort()).toEqual(Object.keys(SQLITE_ENCODERS).sort());
});

describe.each(planned)('encoder $encoder of $targetType', (column) => {
  it('accounts for every row, gives bytes that PostgreSQL prints again, and agrees with the canonical rendering', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyValue, { minLength: 1, maxLength: 250 }),
        policies,
        fc.boolean(),
        async (values, rules, nullable) => {
          await withValues(values, async (database) => {
            const table = planValues(column, nullable);
            const fast = encode(database, table, rules);
            const exact = encode(database, { ...table, chunkKey: null }, rules);
            expect(exact.lines).toBe(fast.lines);
            expect(exact.batches.flatMap(({ rejects }) => rejects)).toEqual(
              fast.batches.flatMap(({ rejects }) => rejects),
            );

            const encodedRows = fast.batches.reduce((sum, { rowsEncoded }) => sum + rowsEncoded, 0);
            expect(encodedRows + fast.locators.size).toBe(values.length);

            const columns = `id bigint NOT NULL, v ${column.targetType}${nullable ? '' : ' NOT NULL'}`;
            const lines = Buffer.from(fast.lines, 'latin1');
            const printed = await copyThrough(session, { columns, lines });
            expect(printed.toString('latin1')).toBe(fast.lines);

            const select = table.columns.map(canonicalTargetExpression).join(', ');
            const target = await copyThrough(session, { columns, lines, select });
            const request = { table, chunk: WHOLE, policies: rules, excluding: fast.locators };
            const source = [...renderCanonical(database, request)]
              .map((batch) => Buffer.from(batch.lines).toString('latin1'))
              .join('');
            expect(source).toBe(target.toString('latin1'));
          });
        },
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 12) },
    );
  });
});

describe('databases in UTF-16', () => {
  it.each(['UTF-16le', 'UTF-16be'])('are read in %s', async (encoding) => {
    const values = ['plain', 'é€😀', 'tab\there', 'a\0b', ''];
    await withValues(
      values,
      (database) => {
        const table = planValues({ encoder: 'text', targetType: 'text' }, true);
        const rules = { ...DEFAULT_JOB_OPTIONS.policies, nulCharacter: 'strip' as const };

        const encoded = encode(database, table, rules);
        const canonical = [
          ...renderCanonical(database, {
            table,
            chunk: WHOLE,
            policies: rules,
            excluding: new Set(),
          }),
        ];

        expect(Buffer.from(encoded.lines, 'latin1').toString()).toBe(
          '1\tplain\n2\té€😀\n3\ttab\\there\n4\tab\n5\t\n',
        );
        expect(Buffer.from(canonical[0]?.lines ?? []).toString()).toBe(
          ['plain', 'é€😀', 'tab\there', 'ab', '']
            .map((text, index) => `${String(index + 1)}\t${Buffer.from(text).toString('hex')}\n`)
            .join(''),
        );
      },
      encoding,
    );
  });
});
