import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';
import { describeWithMariaDb } from '../../helpers/mariadb.ts';
import { startLegacyMysql, type LegacyMysql } from '../../helpers/mysql-move.ts';

describeWithMariaDb('MySQL cases: casts', () => {
  let engine: TestEngine;
  let legacy: LegacyMysql;

  beforeAll(async () => {
    engine = await startTestEngine();
    legacy = await startLegacyMysql(engine);
  }, 120_000);

  afterAll(async () => {
    await legacy.close();
    await engine.close();
  });

  it('make the types that were asked for, and what is of no such type becomes a reject', async () => {
    const moved = await legacy.move(
      `CREATE TABLE t (id INT PRIMARY KEY, i BIGINT, n VARCHAR(20), u BINARY(16), g CHAR(36), b VARCHAR(5), m DATETIME, c CHAR(4), j TEXT, d DECIMAL(10,2), e ENUM('x','y'), y TIME, f TINYINT(1));
       INSERT INTO t VALUES
         (1, 7, '12.50', x'00112233445566778899aabbccddeeff', '00112233-4455-6677-8899-AABBCCDDEEFF', 'yes', '2024-01-01 10:00:00', 'ab', '{"b":1.0,"a":2}', 5, 'x', '10:00:00', 1),
         (2, 7, 'nonsense', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (3, 70000, '1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (4, -1, NULL, NULL, 'no', NULL, NULL, NULL, NULL, 1.25, 'y', NULL, 0)`,
      {
        casts: {
          't.i': 'smallint',
          't.n': 'numeric(10,2)',
          't.u': 'uuid',
          't.g': 'uuid',
          't.b': 'boolean',
          't.m': 'timestamptz',
          't.c': 'char(4)',
          't.j': 'jsonb',
          't.e': 'text',
          't.y': 'interval',
          't.f': 'integer',
        },
      },
    );

    const uuid = '00112233-4455-6677-8899-aabbccddeeff';
    expect(await moved.rows('SELECT * FROM t ORDER BY id')).toEqual([
      [
        '1',
        '7',
        '12.50',
        uuid,
        uuid,
        't',
        '2024-01-01 10:00:00+00',
        'ab  ',
        '{"a": 2, "b": 1.0}',
        '5.00',
        'x',
        '10:00:00',
        '1',
      ],
    ]);
    expect(moved.rejects()).toEqual([
      { column: 'n', reasonCode: 'TYPE_MISMATCH', key: { id: '2' } },
      { column: 'i', reasonCode: 'OUT_OF_RANGE', key: { id: '3' } },
      { column: 'g', reasonCode: 'TYPE_MISMATCH', key: { id: '4' } },
    ]);
  });

  it('that cannot be made are named, and the column keeps its natural type', async () => {
    const moved = await legacy.move('CREATE TABLE t (id INT PRIMARY KEY, p POINT)', {
      casts: { 't.p': 'integer' },
    });

    expect(await moved.typeOf('p')).toBe('bytea');
    expect(await moved.findings()).toContain('CAST_NOT_POSSIBLE');
  });
});
