import { startPostgresCases, type PostgresCases } from '../../helpers/postgres-cases.ts';

/** Databases whose bytes are no UTF-8: the server converts those that have an encoding, SQL_ASCII has none. */
describe('PostgreSQL sources of other encodings', () => {
  describe('SQL_ASCII', () => {
    let cases: PostgresCases;
    beforeAll(async () => {
      cases = await startPostgresCases('SQL_ASCII');
      await cases.run('CREATE SCHEMA ext');
    }, 60_000);
    afterAll(() => cases.close());

    /** é and – in code page 1252, é in UTF-8, and a byte that stands for nothing in either. */
    const CONTENT = `
      CREATE TABLE t (id integer PRIMARY KEY, v text, a text[], n numeric);
      INSERT INTO t VALUES (1, E'\\xc3\\xa9', E'{"\\xc3\\xa9"}', 1.50), (2, E'\\xe9 \\x96\\\\', NULL, 2), (3, 'plain', E'{"\\xe9"}', NULL),
        (4, E'\\x81', NULL, NULL), (5, NULL, '{NULL}', NULL)`;

    it('rejects rows whose bytes are no UTF-8, and says how many there are before', async () => {
      const moved = await cases.move(CONTENT);

      expect(await moved.target('SELECT id, v, a::text, n FROM t ORDER BY id')).toEqual([
        [1, 'é', '{é}', '1.50'],
        [5, null, '{NULL}', null],
      ]);
      expect(moved.rejects()).toEqual([
        { column: 'v', reasonCode: 'INVALID_UTF8', key: { id: '2' } },
        { column: 'a', reasonCode: 'INVALID_UTF8', key: { id: '3' } },
        { column: 'v', reasonCode: 'INVALID_UTF8', key: { id: '4' } },
      ]);
      const [reject] = [...moved.job.journal.rejects.values()].flat();
      expect(reject?.row).toEqual({
        id: { type: 'integer', value: '2' },
        v: { type: 'text', base64: Buffer.from('e920965c', 'hex').toString('base64') },
        a: null,
        n: { type: 'real', value: '2' },
      });
      expect(
        (await moved.job.plan()).findings
          .filter(({ code }) => code === 'INVALID_UTF8')
          .map(({ column, count, samples }) => ({ column, count, samples })),
      ).toEqual([
        { column: 'a', count: 1, samples: [{ id: '3' }] },
        { column: 'v', count: 2, samples: [{ id: '2' }, { id: '4' }] },
      ]);
    });

    it('reads them as code page 1252 where that is asked for, and counts each', async () => {
      const moved = await cases.move(CONTENT, { policies: { invalidUtf8: 'cp1252' } });

      expect(await moved.target('SELECT id, v, a::text FROM t ORDER BY id')).toEqual([
        [1, 'é', '{é}'],
        [2, 'é –\\', null],
        [3, 'plain', '{é}'],
        [5, null, '{NULL}'],
      ]);
      expect(moved.rejects()).toHaveLength(1);
      expect(moved.adjustments()).toEqual([
        { column: 'v', rule: 'INVALID_UTF8', count: 1 },
        { column: 'a', rule: 'INVALID_UTF8', count: 1 },
      ]);
    });

    it('pads character(n) by characters, as the target does', async () => {
      const moved = await cases.move(
        `CREATE TABLE t (id integer PRIMARY KEY, c char(4)); INSERT INTO t VALUES (1, E'\\xc3\\xa9'), (2, E'\\xe9'), (3, E'\\\\'), (4, NULL), (5, E'\\xc3\\xa9\\xc3\\xa9')`,
        { policies: { invalidUtf8: 'cp1252' } },
      );

      expect(await moved.target(`SELECT c FROM t ORDER BY id`)).toEqual([
        'é   ',
        'é   ',
        '\\   ',
        null,
        'éé  ',
      ]);
    });

    it('tells rows without a key by their place', async () => {
      const moved = await cases.move(
        `CREATE TABLE t (v text, w varchar(5)); INSERT INTO t VALUES ('a', 'b'), (E'\\xff', 'c'), (E'\\xff', 'c')`,
      );

      expect(moved.rejects().map(({ key }) => key)).toEqual([{ ctid: '(0,2)' }, { ctid: '(0,3)' }]);
      expect(await moved.target('SELECT v FROM t')).toEqual(['a']);
    });
  });

  it('has the server convert LATIN1', async () => {
    const cases = await startPostgresCases('LATIN1');
    try {
      const moved = await cases.move(
        `CREATE TABLE t (k text PRIMARY KEY, "größe" text[], j jsonb);
         INSERT INTO t VALUES ('é', '{ü,"ß \\\\"}', '{"ä": "ö"}'), ('z', NULL, NULL), ('ÿ', '{}', '1')`,
        { chunkRows: 1 },
      );

      expect(await moved.target('SELECT * FROM t ORDER BY k COLLATE "C"')).toEqual([
        ['z', null, null],
        ['é', ['ü', 'ß \\'], { ä: 'ö' }],
        ['ÿ', [], 1],
      ]);
    } finally {
      await cases.close();
    }
  }, 60_000);
});
