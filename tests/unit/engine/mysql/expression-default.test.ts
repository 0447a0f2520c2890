import { translateExpression } from '../../../../src/engine/types/mysql-expression.ts';
import { openCopySession, type CopySession } from '../types/copy-round-trip.ts';

let session: CopySession;
beforeAll(async () => {
  session = await openCopySession();
  await session.client.query(`CREATE TYPE mood AS ENUM ('a', 'it''s', 'é')`);
});
afterAll(() => session.end());

function translate(expression: string, declaredType: string, targetType: string): string | null {
  return translateExpression({
    expression,
    purpose: 'default',
    columns: { v: { target: 'v', targetType, declaredType } },
  });
}

/** What a row holds that says nothing of the column, as text. */
async function defaultOf(translated: string | null, targetType: string): Promise<unknown> {
  await session.client.query(
    `CREATE TEMP TABLE d (n int, v ${targetType} DEFAULT ${translated ?? 'no translation'})`,
  );
  try {
    await session.client.query('INSERT INTO d (n) VALUES (1)');
    const { rows } = await session.client.query<{ v: string | null }>('SELECT v::text FROM d');
    return rows[0]?.v;
  } finally {
    await session.client.query('DROP TABLE d');
  }
}

describe('a default of MySQL or MariaDB', () => {
  it.each([
    // expression, declared, target type, what a new row holds
    ['0', 'tinyint(1)', 'boolean', 'false'],
    ['1', 'tinyint(1)', 'boolean', 'true'],
    ["b'1'", 'bit(1)', 'boolean', 'true'],
    ["b'0'", 'bit(1)', 'boolean', 'false'],
    ["b'101'", 'bit(8)', 'bit(8)', '00000101'],
    ['5', 'bit(8)', 'bit(8)', '00000101'],
    ['-5', 'int', 'integer', '-5'],
    ['00042', 'int(5) unsigned zerofill', 'bigint', '42'],
    ['(1 + 2)', 'int', 'integer', '3'],
    ['(1 - 2) * 3', 'int', 'integer', '-3'],
    ["b'101'", 'int', 'integer', '5'],
    ['18446744073709551615', 'bigint unsigned', 'numeric(20,0)', '18446744073709551615'],
    ['1.50', 'decimal(5,2)', 'numeric(5,2)', '1.50'],
    ['10000000000', 'double', 'double precision', '10000000000'],
    ['1e-7', 'double', 'double precision', '1e-07'],
    ['-1.5', 'float', 'real', '-1.5'],
    ['2020', 'year', 'smallint', '2020'],
    ["'null'", 'varchar(9)', 'character varying(9)', 'null'],
    ["''", 'varchar(9)', 'character varying(9)', ''],
    [`'it''s \\\\ "q" \\n é'`, 'varchar(40)', 'character varying(40)', 'it\'s \\ "q" \n é'],
    [`_utf8mb4'it\\'s'`, 'text', 'text', "it's"],
    ["'????'", 'varchar(9)', 'character varying(9)', '????'],
    ["'🙂'", 'varchar(1)', 'character varying(1)', '🙂'],
    ["concat('a','b')", 'text', 'text', 'ab'],
    ['5', 'varchar(9)', 'character varying(9)', '5'],
    ["'a'", "enum('a','it''s','é')", 'mood', 'a'],
    ["'it''s'", "enum('a','it''s','é')", 'mood', "it's"],
    ["'y,x'", "set('x','y','z')", 'text[]', '{x,y}'],
    ["''", "set('x','y')", 'text[]', '{}'],
    ["x'00FF27'", 'varbinary(9)', 'bytea', '\\x00ff27'],
    ["x'61'", 'binary(3)', 'bytea', '\\x610000'],
    ["'ab'", 'varbinary(9)', 'bytea', '\\x6162'],
    ["'2024-02-29'", 'date', 'date', '2024-02-29'],
    ["'2024-02-29 10:00:00.5'", 'datetime(3)', 'timestamp(3)', '2024-02-29 10:00:00.5'],
    ["'10:00:00'", 'time', 'time(0)', '10:00:00'],
    ["'-12:34:56'", 'time', 'interval', '-12:34:56'],
    ["'838:59:59'", 'time', 'interval', '838:59:59'],
    ['json_object()', 'json', 'jsonb', '{}'],
    ['(json_array())', 'json', 'jsonb', '[]'],
    [`'{"b":1,"a":[1.0]}'`, 'json', 'jsonb', '{"a": [1.0], "b": 1}'],
    [`'{"b":1}'`, 'json', 'json', '{"b":1}'],
    ['NULL', 'int', 'integer', null],
  ])('%s of a column %s as %s', async (...[expression, declared, target, expected]) => {
    const translated = translate(expression, declared, target);

    expect(translated).not.toBeNull();
    expect(await defaultOf(translated, target)).toBe(expected);
  });

  it.each([
    ['current_timestamp(3)', 'datetime(3)', 'timestamp(3)', 'LOCALTIMESTAMP(3)'],
    ['current_timestamp()', 'datetime', 'timestamp(0)', 'LOCALTIMESTAMP(0)'],
    ['CURRENT_TIMESTAMP', 'timestamp', 'timestamptz(0)', 'CURRENT_TIMESTAMP(0)'],
    ['CURRENT_TIMESTAMP(6)', 'timestamp(6)', 'timestamptz(6)', 'CURRENT_TIMESTAMP(6)'],
    ['now()', 'datetime', 'timestamp(0)', 'LOCALTIMESTAMP(0)'],
    ['curdate()', 'date', 'date', 'CURRENT_DATE'],
    ['(curdate())', 'date', 'date', 'CURRENT_DATE'],
    ['curtime()', 'time', 'time(0)', 'LOCALTIME(0)'],
    ['uuid()', 'uuid', 'uuid', 'gen_random_uuid()'],
    ['uuid()', 'char(36)', 'character varying(36)', 'gen_random_uuid()::text'],
    ['(uuid_to_bin(uuid()))', 'binary(16)', 'bytea', 'uuid_send(gen_random_uuid())'],
    [
      'unix_timestamp()',
      'bigint',
      'bigint',
      'floor(extract(epoch FROM CURRENT_TIMESTAMP))::bigint',
    ],
  ])('%s of a column %s as %s is %s', async (...[expression, declared, target, expected]) => {
    const translated = translate(expression, declared, target);

    expect(translated).toBe(expected);
    expect(await defaultOf(translated, target)).toEqual(expect.any(String));
  });

  it.each([
    ["'0000-00-00'", 'date', 'date'],
    ["'0000-00-00 00:00:00'", 'datetime', 'timestamp(0)'],
    ["'2010-00-00'", 'date', 'date'],
    ["'2024-01-01 00:00:00'", 'timestamp', 'timestamptz(0)'],
    ['2', 'tinyint(1)', 'boolean'],
    ['1.5', 'int', 'integer'],
    ['99999', 'smallint', 'smallint'],
    ["'none'", "enum('a')", 'mood'],
    ["'w'", "set('x')", 'text[]'],
    ["'{'", 'json', 'jsonb'],
    ["'\\\\u0000'", 'json', 'jsonb'],
    ['uuid()', 'char(8)', 'character varying(8)'],
    ['rand()', 'double', 'double precision'],
    ["x'41'", 'varchar(9)', 'character varying(9)'],
    ['`other` + 1', 'int', 'integer'],
    ['utc_timestamp()', 'datetime', 'timestamp(0)'],
    ["'too long'", 'varchar(3)', 'character varying(3)'],
    ['nextval(`x`.`s`)', 'int', 'integer'],
    ['(current_timestamp() + interval 1 day)', 'datetime', 'timestamp(0)'],
  ])('%s of a column %s as %s is left to a person', (expression, declared, target) => {
    expect(translate(expression, declared, target)).toBeNull();
  });
});
