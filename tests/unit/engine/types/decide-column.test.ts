import type { DatabaseSync } from 'node:sqlite';

import {
  DEFAULT_JOB_OPTIONS,
  type PlannedColumn,
  type Policies,
} from '../../../../src/engine/contract.ts';
import { encodeChunk } from '../../../../src/engine/sources/sqlite/read-chunk.ts';
import { buildLegacySqlite } from '../../../helpers/legacy-sqlite.ts';
import { plannedTable, planSqlite } from '../../../helpers/legacy-sqlite-plan.ts';

interface Outcome {
  readonly column: PlannedColumn;
  readonly lines: readonly string[];
  readonly rejects: readonly {
    readonly reasonCode: string;
    readonly key: unknown;
    readonly row: unknown;
  }[];
  readonly adjustments: readonly unknown[];
  readonly findings: readonly string[];
}

/** Plans and encodes `CREATE TABLE t (id INTEGER PRIMARY KEY, v …)`. */
async function migrate(
  declaration: string,
  values: string,
  options: {
    readonly policies?: Partial<Policies>;
    readonly fill?: (db: DatabaseSync) => void;
  } = {},
): Promise<Outcome> {
  const insert =
    values === ''
      ? ''
      : `INSERT INTO t (v) VALUES ${values
          .split('|')
          .map((value) => `(${value})`)
          .join(', ')}`;
  const file = await buildLegacySqlite(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, v ${declaration}); ${insert}`,
    options.fill,
  );
  const planned = planSqlite(
    file.path,
    options.policies === undefined ? {} : { policies: options.policies },
  );
  try {
    const table = plannedTable(planned, 't');
    const [, column] = table.columns;
    if (column === undefined) throw new Error('no column v');
    const policies = { ...DEFAULT_JOB_OPTIONS.policies, ...options.policies };
    const batches = table.chunks.flatMap((chunk) => [
      ...encodeChunk(planned.database, { table, chunk, policies }),
    ]);
    return {
      column,
      lines: Buffer.concat(batches.map(({ lines }) => lines))
        .toString()
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replace(/^\d+\t/, '')),
      rejects: batches.flatMap(({ rejects }) => rejects),
      adjustments: batches.flatMap(({ adjustments }) => adjustments),
      findings: planned.decisions.flatMap(({ findings }) => findings.map(({ code }) => code)),
    };
  } finally {
    planned.database.db.close();
    await file.remove();
  }
}

describe('whole numbers (S1, S2)', () => {
  it('become bigint up to the last of 64 bits', async () => {
    const { column, lines } = await migrate(
      'INT',
      '9223372036854775807|-9223372036854775808|0|NULL',
    );

    expect(column.targetType).toBe('bigint');
    expect(lines).toEqual(['9223372036854775807', '-9223372036854775808', '0', '\\N']);
  });

  it('become double precision beside reals', async () => {
    const { column, lines } = await migrate('INTEGER', '1|3.7');

    expect(column.evidence).toBe(
      'declared INTEGER: 1 whole number, 1 real, every whole number within 2^53 → double precision',
    );
    expect(lines).toEqual(['1', '3.7']);
  });

  it('become numeric beside reals where a double would not hold them', async () => {
    const { column, lines } = await migrate('INTEGER', '9007199254740993|3.7|1e300');

    expect(column.targetType).toBe('numeric');
    expect(lines).toEqual(['9007199254740993', '3.7', `1${'0'.repeat(300)}`]);
  });

  it('become text beside text', async () => {
    const { column, lines, findings } = await migrate('INTEGER', "'hello'|3.7|42");

    expect(column.targetType).toBe('text');
    expect(column.evidence).toContain(
      '1 whole number, 1 real, 1 text, 2 numbers as SQLite writes them → text',
    );
    expect(lines).toEqual(['hello', '3.7', '42']);
    expect(findings).toContain('WIDENED_TO_TEXT');
  });

  it('stay bigint, and the others are rejected, by policy', async () => {
    const { column, lines, rejects } = await migrate('INTEGER', "'hello'|3.7|42", {
      policies: { typeMismatch: 'reject' },
    });

    expect(column.targetType).toBe('bigint');
    expect(lines).toEqual(['42']);
    expect(rejects).toMatchObject([
      {
        reasonCode: 'TYPE_MISMATCH',
        key: { id: '1' },
        locator: '1',
        column: 'v',
        row: { id: { type: 'integer', value: '1' }, v: { type: 'text', value: 'hello' } },
      },
      { reasonCode: 'TYPE_MISMATCH', key: { id: '2' }, row: { v: { type: 'real', value: '3.7' } } },
    ]);
  });
});

describe('reals (S3, S4)', () => {
  it('keep their eight bytes, and infinity', async () => {
    const { column, lines } = await migrate(
      'REAL',
      '123456789.123456789|9e999|-9e999|5e-324|1e15|1.5e-5',
    );

    expect(column.targetType).toBe('double precision');
    expect(lines).toEqual([
      '123456789.12345679',
      'Infinity',
      '-Infinity',
      '5e-324',
      '1e+15',
      '1.5e-05',
    ]);
  });
});

describe('the sign of zero (S4)', () => {
  it('is kept where SQLite itself has kept it', async () => {
    const { column, lines } = await migrate('', '-0.0|1.5');

    expect(column.targetType).toBe('double precision');
    expect(lines).toEqual(['-0', '1.5']);
  });
});

describe('booleans (S5)', () => {
  it('are boolean where every value is one', async () => {
    const { column, lines } = await migrate('BOOLEAN', "1|0|'true'|'F'|NULL");

    expect(column.targetType).toBe('boolean');
    expect(lines).toEqual(['t', 'f', 't', 'f', '\\N']);
  });

  it('are smallint where one is 2', async () => {
    const { column, lines } = await migrate('BOOLEAN', '1|0|2');

    expect(column.evidence).toBe('declared BOOLEAN: 1 value outside {0,1} → smallint');
    expect(lines).toEqual(['1', '0', '2']);
  });

  it('are bigint where one is beyond smallint', async () => {
    expect((await migrate('BOOL', '1|40000')).column.targetType).toBe('bigint');
  });

  it('are text where one is yes', async () => {
    const { column, lines } = await migrate('BOOLEAN', "1|'yes'");

    expect(column.targetType).toBe('text');
    expect(lines).toEqual(['1', 'yes']);
  });
});

describe('dates (S6, S7)', () => {
  it.each([
    ['DATE', "'2024-02-29'|NULL", 'date', ['2024-02-29', '\\N']],
    ['DATE', "'2024-02-29 10:00'", 'timestamp', ['2024-02-29 10:00:00']],
    [
      'DATETIME',
      "'2024-02-29'|'2024-01-02T03:04:05.120'",
      'timestamp',
      ['2024-02-29 00:00:00', '2024-01-02 03:04:05.12'],
    ],
    [
      'TIMESTAMP',
      "'2024-01-02T03:04:05+02:00'|'2024-01-02 00:00Z'",
      'timestamptz',
      ['2024-01-02 01:04:05+00', '2024-01-02 00:00:00+00'],
    ],
    [
      'DATETIME',
      '1700000000|0',
      'timestamptz',
      ['2023-11-14 22:13:20+00', '1970-01-01 00:00:00+00'],
    ],
    ['DATETIME', '1700000000123', 'timestamptz', ['2023-11-14 22:13:20.123+00']],
    ['DATETIME', '2460310.5|2460310', 'timestamp', ['2024-01-01 00:00:00', '2023-12-31 12:00:00']],
    ['TIME', "'03:04'|'23:59:59.5'", 'time', ['03:04:00', '23:59:59.5']],
    ['TIME', "'03:04'|'838:59:59'", 'time', ['03:04:00']],
    ['DATE', '20240131|20240201', 'bigint', ['20240131', '20240201']],
    ['DATETIME', "'2024-01-02 03:04:05.1234567'", 'text', ['2024-01-02 03:04:05.1234567']],
  ])('declared %s holding %s become %s', async (declaration, values, targetType, expected) => {
    const { column, lines } = await migrate(declaration, values);

    expect(column.targetType).toBe(targetType);
    expect(lines).toEqual(expected);
  });

  it('stay text where they mix ways to write them', async () => {
    const { column, lines, findings } = await migrate(
      'DATETIME',
      "'2024-01-02'|1700000000|1700000000123|2460310.5",
    );

    expect(column.evidence).toContain(
      'mixes 1 in ISO form without offset, 1 seconds since 1970, 1 milliseconds since 1970, 1 Julian days',
    );
    expect(lines).toEqual(['2024-01-02', '1700000000', '1700000000123', '2460310.5']);
    expect(findings).toContain('MIXED_DATES');
  });

  it('are converted value by value, and counted, by policy', async () => {
    const { column, lines, adjustments } = await migrate(
      'DATETIME',
      "'2024-01-02'|1700000000|1700000000123|2460310.5",
      { policies: { mixedDates: 'convert' } },
    );

    expect(column.targetType).toBe('timestamptz');
    expect(lines).toEqual([
      '2024-01-02 00:00:00+00',
      '2023-11-14 22:13:20+00',
      '2023-11-14 22:13:20.123+00',
      '2024-01-01 00:00:00+00',
    ]);
    expect(adjustments).toEqual([
      {
        column: 'v',
        rule: 'MIXED_DATE',
        count: 4,
        sampleKeys: [{ id: '1' }, { id: '2' }, { id: '3' }, { id: '4' }],
      },
    ]);
  });

  it('follow the policies where they are empty, zero or invalid', async () => {
    const values =
      "'2024-01-02'|'2024-01-03'|'2024-01-04'|''|'0000-00-00'|'not a date'|'2023-02-30'";

    const { column, lines, adjustments, rejects } = await migrate('DATE NOT NULL', values);

    expect(column).toMatchObject({ targetType: 'date', nullable: true });
    expect(lines).toEqual(['2024-01-02', '2024-01-03', '2024-01-04', '\\N', '\\N']);
    expect(adjustments).toEqual([
      { column: 'v', rule: 'EMPTY_DATE', count: 1, sampleKeys: [{ id: '4' }] },
      { column: 'v', rule: 'ZERO_DATE', count: 1, sampleKeys: [{ id: '5' }] },
    ]);
    expect(rejects).toMatchObject([
      { reasonCode: 'INVALID_DATE', key: { id: '6' } },
      { reasonCode: 'INVALID_DATE', key: { id: '7' } },
    ]);
  });

  it('are text where less than half are dates', async () => {
    expect((await migrate('DATE', "'2024-01-02'|'soon'|'later'")).column.targetType).toBe('text');
  });
});

describe('text (S8, S9)', () => {
  it('keeps its length whatever was declared', async () => {
    const { column, lines } = await migrate('VARCHAR(5)', "'abcdefgh'");

    expect(column.evidence).toBe('declared VARCHAR(5): longest has 8 characters → text');
    expect(lines).toEqual(['abcdefgh']);
  });

  const BROKEN = "CAST(x'63c3a9ff96' AS TEXT)|CAST(x'610062' AS TEXT)|'fine'";

  it('is rejected where its bytes are no UTF-8, or hold NUL', async () => {
    const { lines, rejects, findings } = await migrate('TEXT', BROKEN);

    expect(lines).toEqual(['fine']);
    expect(rejects).toMatchObject([
      { reasonCode: 'INVALID_UTF8', row: { v: { type: 'text', base64: 'Y8Op/5Y=' } } },
      { reasonCode: 'TEXT_NUL', row: { v: { type: 'text', base64: 'YQBi' } } },
    ]);
    expect(findings).toEqual(expect.arrayContaining(['INVALID_UTF8', 'TEXT_NUL']));
  });

  it('is decoded and stripped, and counted, by policy', async () => {
    const { lines, adjustments } = await migrate('TEXT', BROKEN, {
      policies: { invalidUtf8: 'cp1252', nulCharacter: 'strip' },
    });

    expect(lines).toEqual(['cÃ©ÿ–', 'ab', 'fine']);
    expect(adjustments).toMatchObject([
      { rule: 'INVALID_UTF8', count: 1 },
      { rule: 'TEXT_NUL', count: 1 },
    ]);
  });

  it('takes blobs that are UTF-8, and rejects the others', async () => {
    const { column, lines, adjustments, rejects } = await migrate('TEXT', "'a'|x'6263'|x'ff'");

    expect(column.targetType).toBe('text');
    expect(lines).toEqual(['a', 'bc']);
    expect(adjustments).toMatchObject([
      { rule: 'TYPE_MISMATCH', count: 1, sampleKeys: [{ id: '2' }] },
    ]);
    expect(rejects).toMatchObject([{ reasonCode: 'TYPE_MISMATCH', key: { id: '3' } }]);
  });
});

describe('decimals (S10)', () => {
  it('keep what SQLite stored, and say that it stored floats', async () => {
    const { column, lines, rejects, findings } = await migrate(
      'DECIMAL(10,2)',
      "12345678901234567.89|'1,5'|1.5",
    );

    expect(column.targetType).toBe('numeric');
    expect(lines).toEqual(['12345678901234568', '1.5']);
    expect(rejects).toMatchObject([{ reasonCode: 'TYPE_MISMATCH', row: { v: { value: '1,5' } } }]);
    expect(findings).toContain('DECIMAL_STORED_AS_FLOAT');
  });

  it('keep precision and scale where every value fits', async () => {
    const { column, lines } = await migrate('DECIMAL(10,2)', '12.5|-3|0|99999999.99');

    expect(column.targetType).toBe('numeric(10,2)');
    expect(lines).toEqual(['12.50', '-3.00', '0.00', '99999999.99']);
  });

  it('lose precision and scale where one does not fit', async () => {
    expect((await migrate('DECIMAL(10,2)', '12.5|0.123')).column.targetType).toBe('numeric');
    expect((await migrate('DECIMAL(10,2)', '100000000')).column.targetType).toBe('numeric');
  });
});

describe('columns whose declaration says nothing (S14)', () => {
  it.each([
    ['', '1|2', 'bigint'],
    ['ANY', '1|2.5', 'double precision'],
    ['', '1.5', 'double precision'],
    ['', "'a'", 'text'],
    ['', "x'00'", 'bytea'],
    ['', "1|'a'", 'text'],
    ['BLOB', "x'00'|'text'", 'bytea'],
    ['BLOB', "'text'", 'text'],
    ['TEXT', "x'00'", 'bytea'],
    ['JSON', `'{"a":1.0}'`, 'text'],
    ['UUID', "'c0ffee'", 'text'],
    ['', 'NULL', 'text'],
    ['INT', 'NULL', 'bigint'],
    ['DATE', 'NULL', 'date'],
    ['POINT', "x'01'", 'bytea'],
  ])('declared %j holding %s become %s', async (declaration, values, targetType) => {
    expect((await migrate(declaration, values)).column.targetType).toBe(targetType);
  });
});

describe('values beyond what a field can hold', () => {
  it('are rejected with their size', async () => {
    const file = await buildLegacySqlite(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB, w TEXT); INSERT INTO t VALUES (1, zeroblob(100), 'x'), (2, x'00', 'y'), (3, x'00', printf('%.*c', 90, 'z')), (4, zeroblob(30), printf('%.*c', 60, 'z'))",
    );
    const planned = planSqlite(file.path);
    try {
      const table = plannedTable(planned, 't');
      const policies = DEFAULT_JOB_OPTIONS.policies;

      const [batch] = [
        ...encodeChunk(planned.database, {
          table,
          chunk: { number: 1, lower: null, upper: null },
          policies,
          maxLineBytes: 80,
        }),
      ];

      expect(batch?.rowsEncoded).toBe(1);
      expect(batch?.rejects.map(({ column, reasonCode }) => ({ column, reasonCode }))).toEqual([
        { column: 'v', reasonCode: 'VALUE_TOO_LARGE' },
        { column: 'w', reasonCode: 'VALUE_TOO_LARGE' },
        { column: 'w', reasonCode: 'VALUE_TOO_LARGE' },
      ]);
    } finally {
      planned.database.db.close();
      await file.remove();
    }
  });
});
