import { startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

interface Case {
  /** As a user writes it, and as PostgreSQL's `format_type` does. */
  readonly cast: string;
  readonly type: string;
  readonly declared?: string;
  /** SQL of SQLite → the text that PostgreSQL prints, or the reason of the reject. */
  readonly values: readonly (readonly [string, string])[];
}

const UUID = '00112233-4455-6677-8899-aabbccddeeff';
const LAST_MINUTE = '2024-02-29 23:59:00';

const CASES: readonly Case[] = [
  {
    cast: 'integer',
    type: 'integer',
    values: [
      ['5', '5'],
      ['-2.0', '-2'],
      [`'+012'`, '12'],
      ['2147483648', 'OUT_OF_RANGE'],
      [`'-2147483649'`, 'OUT_OF_RANGE'],
      ['0.5', 'TYPE_MISMATCH'],
      ['1e17', 'TYPE_MISMATCH'],
      [`'five'`, 'TYPE_MISMATCH'],
      [`x'35'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'int',
    type: 'integer',
    declared: 'INTEGER',
    values: [
      ['5', '5'],
      ['2147483648', 'OUT_OF_RANGE'],
    ],
  },
  {
    cast: 'bigint',
    type: 'bigint',
    declared: 'TEXT',
    values: [
      [`'9223372036854775807'`, '9223372036854775807'],
      [`'9223372036854775808'`, 'OUT_OF_RANGE'],
      [`'1.0'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'decimal(10, 2)',
    type: 'numeric(10,2)',
    values: [
      ['5', '5.00'],
      [`'1.5'`, '1.50'],
      ['0.125', 'OUT_OF_RANGE'],
      [`'x'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'real',
    type: 'real',
    values: [
      ['0.1', '0.1'],
      ['-0.0', '-0'],
      ['9e999', 'Infinity'],
      ['16777216', '1.6777216e+07'],
      [`'1e3'`, '1000'],
      ['16777217', 'OUT_OF_RANGE'],
      ['1e300', 'OUT_OF_RANGE'],
      [`'much'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'double precision',
    type: 'double precision',
    values: [
      [`'0.1'`, '0.1'],
      ['0.1', '0.1'],
      ['9007199254740993', 'OUT_OF_RANGE'],
    ],
  },
  {
    cast: 'bool',
    type: 'boolean',
    values: [
      ['1', 't'],
      ['0.0', 'f'],
      [`'No'`, 'f'],
      ['2', 'TYPE_MISMATCH'],
      [`'maybe'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'varchar(5)',
    type: 'character varying(5)',
    values: [
      [`'é€😀ab'`, 'é€😀ab'],
      ['12345', '12345'],
      ['1.5', '1.5'],
      ['2.0', '2.0'],
      [`'ab '`, 'ab '],
      [`'abcdef'`, 'OUT_OF_RANGE'],
      [`x'6162'`, 'TYPE_MISMATCH'],
      [`CAST(x'ff41' AS TEXT)`, 'INVALID_UTF8'],
      [`'a' || char(0)`, 'TEXT_NUL'],
    ],
  },
  {
    cast: 'char(4)',
    type: 'character(4)',
    values: [
      [`'ab'`, 'ab  '],
      ['7', '7   '],
      [`'abcde'`, 'OUT_OF_RANGE'],
    ],
  },
  {
    cast: 'uuid',
    type: 'uuid',
    values: [
      [`'${UUID.toUpperCase()}'`, UUID],
      [`'{${UUID}}'`, UUID],
      [`'${UUID.slice(1)}'`, 'TYPE_MISMATCH'],
      [`x'${UUID.replaceAll('-', '')}'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'json',
    type: 'json',
    values: [
      [`'{"b": 1,"a":2, "a":3}'`, '{"b": 1,"a":2, "a":3}'],
      ['5', '5'],
      ['0.5', '0.5'],
      [`'{'`, 'INVALID_JSON'],
      [`x'7b7d'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'jsonb',
    type: 'jsonb',
    values: [
      [`'{"bb": 1.50,"a":[1e2,"é"]}'`, '{"a": [100, "é"], "bb": 1.50}'],
      ['1e21', '1000000000000000000000'],
      [`'{"a":2, "a":3}'`, 'INVALID_JSON'],
      [`'["\\u0000"]'`, 'JSON_NUL'],
    ],
  },
  {
    cast: 'interval',
    type: 'interval',
    values: [
      [`'1 day 02:03:04.5'`, '1 day 02:03:04.5'],
      [`'P1Y2M'`, '1 year 2 mons'],
      ['90', 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'inet',
    type: 'inet',
    values: [
      [`'10.0.0.1/8'`, '10.0.0.1/8'],
      [`'2001:DB8:0:0:0:0:0:1'`, '2001:db8::1'],
      [`'10.0.0.256'`, 'TYPE_MISMATCH'],
    ],
  },
  {
    cast: 'timestamp(3) without time zone',
    type: 'timestamp(3) without time zone',
    values: [
      [`'2024-02-29 23:59:00.125'`, `${LAST_MINUTE}.125`],
      ['1709251140', LAST_MINUTE],
      [`'2024-02-29 23:59:00.1255'`, 'OUT_OF_RANGE'],
      [`'2023-02-29 23:59:00'`, 'INVALID_DATE'],
    ],
  },
  {
    cast: 'timestamp with time zone',
    type: 'timestamp with time zone',
    values: [
      [`'2024-03-01T00:59:00+01:00'`, `${LAST_MINUTE}+00`],
      [`'yesterday'`, 'INVALID_DATE'],
    ],
  },
  {
    cast: 'time(0)',
    type: 'time(0) without time zone',
    values: [
      [`'23:59'`, '23:59:00'],
      [`'23:59:00.5'`, 'OUT_OF_RANGE'],
    ],
  },
];

describe('SQLite cases: casts', () => {
  let engine: TestEngine;
  let job: TestJob;

  /** One table for each case: `t0`, `t1`, … */
  beforeAll(async () => {
    engine = await startTestEngine();
    const file = engine.buildLegacyFile(
      CASES.map(
        ({ declared = '', values }, index) =>
          `CREATE TABLE t${String(index)} (id INTEGER PRIMARY KEY, v ${declared});
           INSERT INTO t${String(index)} (v) VALUES (NULL), ${values.map(([value]) => `(${value})`).join(', ')};`,
      ).join('\n'),
    );
    const casts = Object.fromEntries(
      CASES.map(({ cast }, index) => [`t${String(index)}.v`, cast] as const),
    );
    job = engine.buildJob(file, { casts });
    await job.migrate();
  }, 120_000);

  afterAll(async () => {
    await engine.close();
  });

  it.each(CASES.map((test, index) => ({ ...test, table: `t${String(index)}` })))(
    'to $cast carry over what is of the type, and reject what is not',
    async ({ table, type, values }) => {
      const [column] = await engine.sql(
        'SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2',
        [table, 'v'],
      );
      expect(column).toEqual({ type });

      const rows = await engine.sql<{ id: string; v: string | null }>(
        `SELECT id, CASE WHEN v IS NOT NULL THEN format('%s', v) END AS v FROM ${table}`,
      );
      const rejects = [...job.journal.rejects]
        .filter(([chunk]) => chunk.startsWith(`${table}/`))
        .flatMap(([, found]) => found);
      const outcomes = new Map([
        ...rows.map(({ id, v }) => [Number(id), v] as const),
        ...rejects.map(({ key, reasonCode }) => [Number(key.id), reasonCode] as const),
      ]);
      expect([...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => outcome)).toEqual([
        null,
        ...values.map(([, outcome]) => outcome),
      ]);
      expect(rows.length + rejects.length).toBe(values.length + 1);
    },
  );

  it.each(['checksum', 'full'] as const)('are verified by %s', async (mode) => {
    const verdicts = await job.verify(mode);

    expect(verdicts.map(({ verdict }) => verdict)).toEqual(CASES.map(() => 'passed'));
  });

  it('that nobody here knows how to print are named, and the natural type is kept', async () => {
    const file = engine.buildLegacyFile(`CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('1')`);
    const other = engine.buildJob(file, { casts: { 't.v': 'money' } });

    const { findings, tables } = await other.plan();

    expect(findings).toMatchObject([{ code: 'CAST_NOT_POSSIBLE', severity: 'error' }]);
    expect(tables[0]?.columns[0]?.targetType).toBe('text');
  });
});
