import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import type { PoolClient } from 'pg';

import type { PartialJobOptions } from '../../../src/engine/contract.ts';
import type { CsvLocation } from '../../../src/engine/sources/csv.ts';
import { makeCsvFolder, type CsvFolder } from '../../helpers/csv-files.ts';
import { failureOf, startTestEngine, type TestEngine, type TestJob } from '../../helpers/engine.ts';

type Format = CsvLocation['format'];

/**
 * What CSV files hold, and what has to be in PostgreSQL afterwards: a real file, a real server, and the answer of plain SQL. Every
 * case is also verified by both comparisons, `checksum` and `full`.
 */
describe('CSV cases', () => {
  let engine: TestEngine;
  let folder: CsvFolder;
  let session: PoolClient;
  let schemas = 0;

  beforeAll(async () => {
    engine = await startTestEngine();
    folder = await makeCsvFolder();
    session = await engine.connect();
  }, 60_000);

  afterAll(async () => {
    await engine.close();
    await folder.remove();
  });

  interface Moved {
    readonly job: TestJob;
    readonly location: CsvLocation;
    readonly chunks: number;
    /** Target types of the columns of `t`, in their order. */
    readonly types: Readonly<Record<string, string>>;
    rows(select?: string): Promise<unknown[]>;
    rejects(): { column: string; reasonCode: string; key: object }[];
    adjustments(): { column: string; rule: string; count: number }[];
    evidence(column: string): string;
    findings(): string[];
  }

  async function move(
    content: string | Uint8Array,
    { format, ...options }: PartialJobOptions & { readonly format?: Format } = {},
  ): Promise<Moved> {
    schemas += 1;
    const schema = `case_${String(schemas)}`;
    const location = await folder.write({ t: content }, format);
    const job = engine.buildJob({ kind: 'csv', location }, { targetSchema: schema, ...options });
    await job.migrate();
    const { rowsRead, rowsCopied, rowsRejected } = job.journal.totals();
    expect(rowsRead).toBe(rowsCopied + rowsRejected);
    for (const mode of ['checksum', 'full'] as const) {
      const failed = (await job.verify(mode)).filter(({ verdict }) => verdict === 'failed');
      expect({ mode, failed }).toEqual({ mode, failed: [] });
    }
    const plan = await job.plan();
    const columns = await engine.sql<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
      [`${schema}.t`],
    );
    return {
      job,
      location,
      chunks: plan.tables[0]?.chunks.length ?? 0,
      types: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
      rows: async (select = 'SELECT * FROM t') => {
        await session.query(`SET search_path = ${schema}; SET TimeZone = 'UTC'`);
        return (await session.query({ text: select, rowMode: 'array' })).rows;
      },
      rejects: () =>
        [...job.journal.rejects.values()]
          .flat()
          .map(({ column, reasonCode, key }) => ({ column, reasonCode, key })),
      adjustments: () =>
        [...job.journal.adjustments.values()]
          .flat()
          .map(({ column, rule, count }) => ({ column, rule, count })),
      evidence: (column) =>
        plan.tables[0]?.columns.find(({ source }) => source === column)?.evidence ?? '',
      findings: () => plan.findings.map(({ code }) => code),
    };
  }

  describe('encodings', () => {
    it('a byte order mark is no part of the first name', async () => {
      const moved = await move('\ufeffid,v\n1,é\n');

      expect(moved.types).toEqual({ id: 'bigint', v: 'text' });
      expect(await moved.rows()).toEqual([['1', 'é']]);
    });

    it.each([
      ['little endian with its mark', Buffer.from('\ufeffn,v\n1,"é\n🐘"\n', 'utf16le'), undefined],
      [
        'big endian with its mark',
        Buffer.from('\ufeffn,v\n1,"é\n🐘"\n', 'utf16le').swap16(),
        undefined,
      ],
      ['without a mark', Buffer.from('n,v\n1,"é\n🐘"\n', 'utf16le'), undefined],
      [
        'as it is told',
        Buffer.from('n,v\n1,"é\n🐘"\n', 'utf16le').swap16(),
        { encoding: 'utf-16be' },
      ],
    ] as const)('UTF-16, %s, arrives as the same characters', async (_, content, format) => {
      const moved = await move(content, format === undefined ? {} : { format });

      expect(await moved.rows()).toEqual([['1', 'é\n🐘']]);
    });

    it('half a surrogate pair of UTF-16 is a reject, never a replacement character', async () => {
      const content = Buffer.from('\ufeffv\nfine\nhalf \ud83d!\n', 'utf16le');

      const moved = await move(content, { policies: { invalidUtf8: 'cp1252' } });

      expect(await moved.rows()).toEqual([['fine']]);
      expect(moved.rejects()).toEqual([
        { column: 'v', reasonCode: 'INVALID_UTF8', key: { record: '2' } },
      ]);
    });

    it('latin1 and windows-1252 are the same, all 256 bytes of it', async () => {
      const bytes = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).filter(
        (byte) => byte !== 0x22,
      );
      const content = Buffer.concat([Buffer.from('v\n"'), bytes, Buffer.from('"\n')]);
      const expected = new TextDecoder('windows-1252').decode(bytes);

      for (const encoding of ['latin1', 'windows-1252'] as const) {
        const moved = await move(content, { format: { encoding } });
        expect(await moved.rows()).toEqual([[expected]]);
      }
    });

    it('a delimiter beyond ASCII is found in the encoding of the file', async () => {
      const moved = await move(Buffer.from('a§b\n1§\xe9\n', 'latin1'), {
        format: { encoding: 'latin1', delimiter: '§' },
      });

      expect(await moved.rows()).toEqual([['1', 'é']]);
    });

    it('bytes that are no UTF-8 are a reject with these bytes, or read as cp1252 and counted', async () => {
      const content = Buffer.from('id,v\n1,fine\n2,caf\xe9\n', 'latin1');

      const kept = await move(content);
      const decoded = await move(content, { policies: { invalidUtf8: 'cp1252' } });

      expect(kept.rejects()).toEqual([
        { column: 'v', reasonCode: 'INVALID_UTF8', key: { record: '2' } },
      ]);
      expect([...kept.job.journal.rejects.values()].flat()[0]?.row.v).toEqual({
        type: 'text',
        base64: Buffer.from('caf\xe9', 'latin1').toString('base64'),
      });
      expect(await decoded.rows()).toEqual([
        ['1', 'fine'],
        ['2', 'café'],
      ]);
      expect(decoded.adjustments()).toEqual([{ column: 'v', rule: 'INVALID_UTF8', count: 1 }]);
    });
  });

  describe('records and fields', () => {
    it('a CRLF in quotes is part of the value', async () => {
      const moved = await move('a,b\r\n"one\r\ntwo",x\r\n');

      expect(await moved.rows()).toEqual([['one\r\ntwo', 'x']]);
    });

    it('a lone CR ends a record', async () => {
      const moved = await move('a,b\r1,x\r2,y\r');

      expect(await moved.rows()).toEqual([
        ['1', 'x'],
        ['2', 'y'],
      ]);
    });

    it('quotes are escaped by doubling, or by a backslash where that is said', async () => {
      const doubled = await move('v\n"say ""hi"""\n"back\\slash"\n');
      const escaped = await move('v\n"say \\"hi\\""\n"C:\\\\new"\n"C:\\new"\n', {
        format: { escape: '\\' },
      });

      expect(await doubled.rows()).toEqual([['say "hi"'], ['back\\slash']]);
      expect(await escaped.rows()).toEqual([['say "hi"'], ['C:\\new'], ['C:\\new']]);
    });

    it('unquoted nothing is NULL, quoted nothing is the empty text', async () => {
      const moved = await move('a,b\n,""\nx,y\n');

      expect(await moved.rows()).toEqual([
        [null, ''],
        ['x', 'y'],
      ]);
    });

    it('another NULL text leaves nothing as the empty text, and only counts where it is not quoted', async () => {
      const moved = await move('a,b\n\\N,"\\N"\n,NULL\n', { format: { nullText: '\\N' } });

      expect(await moved.rows()).toEqual([
        [null, '\\N'],
        ['', 'NULL'],
      ]);
    });

    it('a blank line is nothing among several columns, and NULL in a single one', async () => {
      const several = await move('a,b\n1,2\n\n3,4\n\n');
      const single = await move('a\nx\n\ny\n');

      expect(await several.rows()).toEqual([
        ['1', '2'],
        ['3', '4'],
      ]);
      expect(await single.rows()).toEqual([['x'], [null], ['y']]);
    });

    it('blank lines before the header are nothing, and it is no data', async () => {
      for (const [content, rows] of [
        ['\n\r\na,b\n1,2\n', 1],
        ['\n\na\n1\n\n', 2],
      ] as const) {
        const moved = await move(content);

        expect(moved.types).toMatchObject({ a: 'bigint' });
        expect(await moved.rows()).toHaveLength(rows);
      }
    });

    it('a first line that tells Excel the delimiter is no header', async () => {
      const text = 'sep=;\r\nname;a,b,c\r\nx;1,5,6\r\ny;2,5,7\r\n';
      for (const content of [text, `\ufeff${text}`, Buffer.from(`\ufeff${text}`, 'utf16le')]) {
        const moved = await move(content, { chunkRows: 1 });

        expect(Object.keys(moved.types)).toEqual(['name', 'a,b,c']);
        expect(await moved.rows('SELECT name FROM t ORDER BY 1')).toEqual([['x'], ['y']]);
      }
    });

    it('ragged rows and quotes that cannot be read are rejects with the whole record', async () => {
      const moved = await move('a,b,c\n1,2,3\n4,5\n6,7,8,9\n"x"y,1,2\n7,8,9\n');

      expect(await moved.rows()).toEqual([
        ['1', '2', '3'],
        ['7', '8', '9'],
      ]);
      expect(moved.rejects().map(({ reasonCode, key }) => [reasonCode, key])).toEqual([
        ['RAGGED_ROW', { record: '2' }],
        ['RAGGED_ROW', { record: '3' }],
        ['RAGGED_ROW', { record: '4' }],
      ]);
      const records = [...moved.job.journal.rejects.values()].flat();
      expect(records.map(({ row }) => row['(record)'])).toEqual([
        { type: 'text', value: '4,5' },
        { type: 'text', value: '6,7,8,9' },
        { type: 'text', value: '"x"y,1,2' },
      ]);
      expect(moved.findings()).toContain('RAGGED_ROW');
    });

    it('columns without a name, or with one that is there already, get one and a finding', async () => {
      const moved = await move('a,a,,a_2\n1,2,3,4\n');

      expect(Object.keys(moved.types)).toEqual(['a', 'a_3', 'column_3', 'a_2']);
      expect(await moved.rows()).toEqual([['1', '2', '3', '4']]);
      expect(moved.findings()).toEqual(
        expect.arrayContaining(['DUPLICATE_HEADER', 'EMPTY_HEADER']),
      );
    });

    it('without a header the first record is data', async () => {
      const moved = await move('1;x\n2;y\n', { format: { header: false } });

      expect(Object.keys(moved.types)).toEqual(['column_1', 'column_2']);
      expect(await moved.rows('SELECT count(*)::int FROM t')).toEqual([[2]]);
    });

    it.each([',', ';', '\t', '|'])('the delimiter %j is found out', async (delimiter) => {
      const lines = [
        ['id', 'v'],
        ['1', '"a,b;c|d\te"'],
        ['2', 'x'],
      ];

      const moved = await move(`${lines.map((line) => line.join(delimiter)).join('\n')}\n`);

      expect(await moved.rows()).toEqual([
        ['1', 'a,b;c|d\te'],
        ['2', 'x'],
      ]);
    });

    it('a field of 10 MB arrives whole', async () => {
      const large = '"ä\n'.repeat(2_500_000);

      const moved = await move(`id,v\n1,"${large.replaceAll('"', '""')}"\n2,small\n`);

      expect(
        await moved.rows(
          `SELECT octet_length(v), md5(v) = md5(repeat(E'"ä\\n', 2500000)) FROM t ORDER BY id`,
        ),
      ).toEqual([
        [10_000_000, true],
        [5, false],
      ]);
    }, 60_000);

    it('a NUL is a reject, or left out and counted', async () => {
      const content = 'id,v\n1,a\0b\n2,c\n';

      const kept = await move(content);
      const stripped = await move(content, { policies: { nulCharacter: 'strip' } });

      expect(kept.rejects()).toEqual([
        { column: 'v', reasonCode: 'TEXT_NUL', key: { record: '1' } },
      ]);
      expect(await stripped.rows('SELECT v FROM t ORDER BY id')).toEqual([['ab'], ['c']]);
      expect(stripped.adjustments()).toEqual([{ column: 'v', rule: 'TEXT_NUL', count: 1 }]);
    });

    it('a packed file is read as what is in it', async () => {
      const members = [gzipSync('id,v\n1,é\n'), gzipSync('2,x\n')];

      const moved = await move(Buffer.concat(members), { chunkRows: 1 });

      expect(moved.chunks).toBe(1);
      expect(await moved.rows()).toEqual([
        ['1', 'é'],
        ['2', 'x'],
      ]);
    });

    it('a file is cut into chunks of records, also where they have line ends in them', async () => {
      const rows = Array.from(
        { length: 1000 },
        (_, index) => `${String(index)},"a\r\n${'"",'.repeat(index % 7)}"`,
      );

      const moved = await move(`\ufeffid,v\r\n${rows.join('\r\n')}`, { chunkRows: 37 });

      expect(moved.chunks).toBe(28);
      expect(
        await moved.rows(
          `SELECT count(*)::int, count(DISTINCT id)::int, sum(length(v))::int FROM t`,
        ),
      ).toEqual([
        [
          1000,
          1000,
          1000 * 3 + 2 * Array.from({ length: 1000 }, (_, i) => i % 7).reduce((a, b) => a + b),
        ],
      ]);
    });

    it('rows that are there twice arrive twice', async () => {
      const moved = await move('a,b\n1,x\n1,x\n');

      expect(await moved.rows()).toEqual([
        ['1', 'x'],
        ['1', 'x'],
      ]);
    });
  });

  describe('types', () => {
    it('are those of which every value prints back, and the plan says why', async () => {
      const moved = await move(
        `i,n,d,big,b,day,at,tz,time,id,j,raw
-7,1.50,1e-07,123456789012345678901,true,2024-02-29,2024-02-29 10:00:00.5,2024-02-29T10:00:00+02:00,23:59:59,0190163d-8694-739b-aea5-966c26f8ad91,"{""a"": 1}",\\x00ff
9223372036854775807,0.25,0.5,1,FALSE,1999-12-31,1999-12-31T00:00,1999-12-31 00:00:00Z,00:00:00,0190163D-8694-739B-AEA5-966C26F8AD91,[],\\x01
,,,,,,,,,,,
`,
      );

      expect(moved.types).toEqual({
        i: 'bigint',
        n: 'numeric',
        d: 'double precision',
        big: 'numeric',
        b: 'boolean',
        day: 'date',
        at: 'timestamp without time zone',
        tz: 'timestamp with time zone',
        time: 'time without time zone',
        id: 'uuid',
        j: 'json',
        raw: 'bytea',
      });
      expect(
        await moved.rows(
          'SELECT i::text, n::text, d::text, big::text, b, day::text, at::text, tz::text, time::text, id::text, j::text, raw::text FROM t ORDER BY i',
        ),
      ).toEqual([
        [
          '-7',
          '1.50',
          '1e-07',
          '123456789012345678901',
          true,
          '2024-02-29',
          '2024-02-29 10:00:00.5',
          '2024-02-29 08:00:00+00',
          '23:59:59',
          '0190163d-8694-739b-aea5-966c26f8ad91',
          '{"a": 1}',
          '\\x00ff',
        ],
        [
          '9223372036854775807',
          '0.25',
          '0.5',
          '1',
          false,
          '1999-12-31',
          '1999-12-31 00:00:00',
          '1999-12-31 00:00:00+00',
          '00:00:00',
          '0190163d-8694-739b-aea5-966c26f8ad91',
          '[]',
          '\\x01',
        ],
        Array(12).fill(null),
      ]);
      expect(moved.evidence('i')).toBe(
        'all 2 values are whole numbers from -7 to 9223372036854775807 → bigint',
      );
    });

    it.each([
      ['a leading zero', ['007', '42']],
      ['a plus', ['+4930123456', '+4989654321']],
      ['0x1A', ['0x1A', '0xFF']],
      ['a formula', ['=1+1', '@SUM(A1)', '-2+3']],
      ['an exponent that is a code', ['1E5', '12E3']],
      ['minus zero', ['-0', '1']],
      ['a point at the end', ['5.', '6.']],
      ['a space', [' 1', '2']],
      ['one word', ['1', '2', 'n/a']],
      ['yes and no', ['yes', 'no']],
      ['only f', ['f', 'f']],
      ['a day that is on no calendar', ['2023-02-30', '2023-02-28']],
      ['two digits of a year', ['01.02.24', '31.12.23']],
      ['dates and numbers', ['2024-01-01', '5']],
      ['both orders of a date', ['31/12/2024', '12/31/2024']],
      ['both decimal signs', ['1.5', '1,5']],
    ])('%s makes the column text, untouched', async (_, texts) => {
      const moved = await move(`v\n${texts.map((text) => `"${text}"`).join('\n')}\n`);

      expect(moved.types).toEqual({ v: 'text' });
      expect(await moved.rows()).toEqual(texts.map((text) => [text]));
    });

    it('a decimal comma is read as one, with and without groups', async () => {
      const moved = await move('a;b\n1,5;1.234,50\n-0,25;1.234.567\n12;7\n');

      expect(moved.types).toEqual({ a: 'numeric', b: 'numeric' });
      expect(await moved.rows('SELECT a::text, b::text FROM t ORDER BY a')).toEqual([
        ['-0.25', '1234567'],
        ['1.5', '1234.50'],
        ['12', '7'],
      ]);
    });

    it('1,234 alone is text, or what the policy says', async () => {
      const content = 'v\n"1,234"\n"5,678"\n';

      const kept = await move(content);
      const comma = await move(content, { policies: { ambiguousNumbers: 'comma' } });
      const point = await move(content, {
        columnPolicies: { 't.v': { ambiguousNumbers: 'point' } },
      });

      expect(await kept.rows()).toEqual([['1,234'], ['5,678']]);
      expect(kept.findings()).toContain('AMBIGUOUS_NUMBERS');
      expect(await comma.rows('SELECT v::text FROM t')).toEqual([['1.234'], ['5.678']]);
      expect(await point.rows('SELECT v::text FROM t')).toEqual([['1234'], ['5678']]);
    });

    it('a day beyond 12 tells the order of all dates of its column', async () => {
      const moved = await move(
        'a,b,c\n03/04/2024,03/04/2024,1.2.2024 9:05\n31/12/2024,12/31/2024,13.2.2024 23:59:59\n',
      );

      expect(moved.types).toEqual({ a: 'date', b: 'date', c: 'timestamp without time zone' });
      expect(await moved.rows('SELECT a::text, b::text, c::text FROM t ORDER BY a')).toEqual([
        ['2024-04-03', '2024-03-04', '2024-02-01 09:05:00'],
        ['2024-12-31', '2024-12-31', '2024-02-13 23:59:59'],
      ]);
    });

    it('dates of which none tells day from month are text, or what the policy says', async () => {
      const content = 'v\n03/04/2024\n05/06/2024\n';

      const kept = await move(content);
      const dmy = await move(content, { policies: { ambiguousDates: 'dmy' } });
      const mdy = await move(content, { policies: { ambiguousDates: 'mdy' } });

      expect(await kept.rows()).toEqual([['03/04/2024'], ['05/06/2024']]);
      expect(kept.findings()).toContain('AMBIGUOUS_DATES');
      expect(await dmy.rows('SELECT v::text FROM t')).toEqual([['2024-04-03'], ['2024-06-05']]);
      expect(await mdy.rows('SELECT v::text FROM t')).toEqual([['2024-03-04'], ['2024-05-06']]);
    });

    it('zero and empty dates are NULL and counted, or what the policies say', async () => {
      const content = 'id,v\n1,2024-01-01\n2,0000-00-00\n3,""\n';

      const nulled = await move(content);
      const strict = await move(content, {
        policies: { zeroDate: 'sentinel', emptyDate: 'reject' },
      });

      expect(await nulled.rows('SELECT id::int, v::text FROM t ORDER BY id')).toEqual([
        [1, '2024-01-01'],
        [2, null],
        [3, null],
      ]);
      expect(nulled.adjustments()).toEqual([
        { column: 'v', rule: 'ZERO_DATE', count: 1 },
        { column: 'v', rule: 'EMPTY_DATE', count: 1 },
      ]);
      expect(await strict.rows('SELECT id::int, v::text FROM t ORDER BY id')).toEqual([
        [1, '2024-01-01'],
        [2, '0001-01-01'],
      ]);
      expect(strict.rejects()).toEqual([
        { column: 'v', reasonCode: 'EMPTY_DATE', key: { record: '3' } },
      ]);
    });

    it('a cast is taken, and what is none of its type becomes a reject', async () => {
      const moved = await move(
        'zip,price,day,name,flag,net,span\n007,"1,5",03/04/2024,abc,yes,10.0.0.1/8,25:00\n8,2.3456,2024-02-30,abcdef,maybe,x,1 day\n9,"2,25",31/12/2024,ä,0,::1,P1D\n',
        {
          casts: {
            't.zip': 'integer',
            't.price': 'numeric(6,2)',
            't.day': 'date',
            't.name': 'varchar(3)',
            't.flag': 'boolean',
            't.net': 'inet',
            't.span': 'interval',
          },
        },
      );

      expect(Object.values(moved.types)).toEqual([
        'integer',
        'numeric(6,2)',
        'date',
        'character varying(3)',
        'boolean',
        'inet',
        'interval',
      ]);
      expect(
        await moved.rows(
          'SELECT zip, price::text, day::text, name, flag, net::text, span::text FROM t ORDER BY zip',
        ),
      ).toEqual([
        [7, '1.50', '2024-04-03', 'abc', true, '10.0.0.1/8', '25:00:00'],
        [9, '2.25', '2024-12-31', 'ä', false, '::1/128', '1 day'],
      ]);
      expect(moved.rejects()).toEqual([
        { column: 'price', reasonCode: 'TYPE_MISMATCH', key: { record: '2' } },
      ]);
    });

    it('a cast that text cannot have is an error of the plan, and the natural type is kept', async () => {
      const moved = await move('v\n1\n', { casts: { 't.v': 'money' } });

      expect(moved.types).toEqual({ v: 'bigint' });
      expect(moved.findings()).toContain('CAST_NOT_POSSIBLE');
    });
  });

  describe('what cannot be read', () => {
    async function planningFails(content: string | Uint8Array, format?: Format): Promise<unknown> {
      const location = await folder.write({ t: content }, format);
      return await failureOf(engine.buildJob({ kind: 'csv', location }).plan());
    }

    it('a file without data rows becomes an empty table', async () => {
      const moved = await move('a,b\n');

      expect(await moved.rows()).toEqual([]);
      expect(moved.types).toEqual({ a: 'text', b: 'text' });
    });

    it.each([
      ['nothing', ''],
      ['only a byte order mark', '\ufeff'],
      ['only blank lines', '\n\n'],
    ])('a file with %s is an error', async (_, content) => {
      expect(await planningFails(content)).toMatchObject({ code: 'SOURCE_FILE_EMPTY' });
    });

    it('a workbook of Excel is no CSV file', async () => {
      expect(await failureOf(move(Buffer.from('PK\x03\x04\x14\0,x\n', 'latin1')))).toMatchObject({
        code: 'SOURCE_DAMAGED',
        message: expect.stringContaining('Excel') as string,
      });
    });

    it('a quote that is never closed is an error with its line', async () => {
      const error = await planningFails(`a,b\n1,"two\nlines"\n3,"x\n${'4,5\n'.repeat(1000)}`);

      expect(error).toMatchObject({ code: 'SOURCE_DAMAGED' });
      expect(String(error)).toContain('begins in line 4 of t is never closed');
    });

    it('a million columns are an error at once, 1,601 one of the plan', async () => {
      const [million, many] = [1_000_000, 1601].map((count) => Array(count).fill('c').join(','));

      expect(await planningFails(`${million ?? ''}\n`)).toMatchObject({
        code: 'TOO_MANY_COLUMNS',
        details: { columns: 1_000_000 },
      });
      expect(await planningFails(`${many ?? ''}\n`)).toMatchObject({
        code: 'TOO_MANY_COLUMNS',
        details: { columns: 1601 },
      });
    });

    it('a packed file that is cut off is an error', async () => {
      const packed = gzipSync(`a,b\n${'1,2\n'.repeat(10_000)}`);

      expect(await planningFails(packed.subarray(0, packed.length / 2))).toMatchObject({
        code: 'SOURCE_DAMAGED',
      });
    });

    it.each([
      [{ quote: '""' }, 'quote'],
      [{ delimiter: 'a"' }, 'delimiter'],
      [{ delimiter: '☃', encoding: 'latin1' }, 'delimiter'],
      [{ encoding: 'utf-16le' }, 'encoding'],
      [{ encoding: 'utf-16be' }, 'encoding'],
    ] as const)('the format %j is refused', async (format, setting) => {
      expect(await planningFails('a\n', format)).toMatchObject({
        code: 'SOURCE_FORMAT_UNSUITABLE',
        details: { setting },
      });
    });

    it('a file that has changed since it was planned is an error before a row is copied', async () => {
      const location = await folder.write({ t: 'a,b\n1,2\n3,4\n5,6\n' });
      const job = engine.buildJob(
        { kind: 'csv', location },
        { targetSchema: 'changed', chunkRows: 1 },
      );
      await job.create();
      await writeFile(location.files[0]?.path ?? '', 'a,b\n7,8\n9,10\n11,12\n');

      expect(await failureOf(job.copy())).toMatchObject({ code: 'SOURCE_FILE_CHANGED' });
      expect(job.journal.done.size).toBe(0);
    });

    it('a file that changes while it is read is an error', async () => {
      const location = await folder.write({ t: 'a,b\n1,2\n3,4\n5,6\n' });
      const job = engine.buildJob({ kind: 'csv', location }, { targetSchema: 'changing' });
      await job.create();
      job.journal.onBegin = () => writeFile(location.files[0]?.path ?? '', 'a,b\n1,2\n');

      expect(await failureOf(job.copy())).toMatchObject({ code: 'SOURCE_FILE_CHANGED' });
    });

    it('two files of one name are not taken for one table', async () => {
      const location = await folder.write({ a: 'v\n1\n', b: 'v\n2\n' });
      const files = location.files.map((file) => ({ ...file, table: 'same' }));

      expect(
        await failureOf(engine.buildJob({ kind: 'csv', location: { files } }).plan()),
      ).toMatchObject({ code: 'IDENTIFIER_COLLISION' });
    });
  });

  it('several files are as many tables of one job', async () => {
    const location = await folder.write({ orders: 'id\n1\n', 'Order Lines': 'id,n\n1,2\n' });
    const job = engine.buildJob({ kind: 'csv', location }, { targetSchema: 'several' });
    await job.migrate();

    const tables = await engine.sql(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'several' ORDER BY 1`,
    );
    expect(tables).toEqual([{ tablename: 'order lines' }, { tablename: 'orders' }]);
    const verdicts = await job.verify('full');
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['passed', 'passed']);
  });
});
