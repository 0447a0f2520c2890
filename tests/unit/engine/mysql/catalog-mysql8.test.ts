import {
  defaultExpression,
  unescapeExpression,
} from '../../../../src/engine/sources/mysql/catalog-default.ts';
import { parseProduct } from '../../../../src/engine/sources/mysql/catalog-product.ts';
import { readCatalog } from '../../../../src/engine/sources/mysql/catalog.ts';

const MYSQL_5_7 = parseProduct('5.7.44-log');
const MYSQL_8 = parseProduct('8.0.36');

describe('a server version', () => {
  test.each([
    ['10.11.18-MariaDB-0+deb12u1-log', 'MariaDB', '10.11.18'],
    ['5.5.5-10.6.12-MariaDB', 'MariaDB', '10.6.12'],
    ['8.0.36', 'MySQL', '8.0.36'],
    ['8.0.35-27', 'MySQL', '8.0.35'],
    ['5.7.44-log', 'MySQL', '5.7.44'],
  ])('%s is %s %s', (text, name, version) => {
    expect(parseProduct(text)).toMatchObject({ name, version });
  });

  test('is compared number by number', () => {
    expect(parseProduct('10.11.2-MariaDB').isAtLeast(10, 2, 7)).toBe(true);
    expect(parseProduct('10.2.6-MariaDB').isAtLeast(10, 2, 7)).toBe(false);
    expect(MYSQL_8.isAtLeast(8)).toBe(true);
    expect(MYSQL_5_7.isAtLeast(8)).toBe(false);
  });
});

describe("a default as MySQL's information_schema has it", () => {
  test.each([
    // text, type, EXTRA, product, expression
    [null, 'int', '', MYSQL_8, null],
    ['0', 'int', '', MYSQL_8, '0'],
    ['1.50', 'decimal(5,2)', '', MYSQL_8, '1.50'],
    ['null', 'varchar(9)', '', MYSQL_8, "'null'"],
    ['NULL', 'varchar(9)', '', MYSQL_5_7, "'NULL'"],
    ['', 'varchar(9)', '', MYSQL_8, "''"],
    ["it's \\ x", 'varchar(9)', '', MYSQL_8, "'it''s \\\\ x'"],
    ['CURRENT_TIMESTAMP', 'varchar(30)', '', MYSQL_5_7, "'CURRENT_TIMESTAMP'"],
    ['CURRENT_TIMESTAMP', 'timestamp', '', MYSQL_5_7, 'CURRENT_TIMESTAMP'],
    ['CURRENT_TIMESTAMP(3)', 'datetime(3)', 'DEFAULT_GENERATED', MYSQL_8, 'CURRENT_TIMESTAMP(3)'],
    ['0000-00-00 00:00:00', 'datetime', '', MYSQL_5_7, "'0000-00-00 00:00:00'"],
    ["b'101'", 'bit(8)', '', MYSQL_8, "b'101'"],
    ['0x00FF', 'varbinary(9)', '', MYSQL_8, "x'00FF'"],
    ['0x00FF', 'varbinary(9)', '', MYSQL_5_7, "'0x00FF'"],
    ['a', "enum('a','b')", '', MYSQL_8, "'a'"],
    ['uuid()', 'varchar(36)', 'DEFAULT_GENERATED', MYSQL_8, 'uuid()'],
    ["_utf8mb4\\'it\\\\\\'s\\'", 'text', 'DEFAULT_GENERATED', MYSQL_8, "_utf8mb4'it\\'s'"],
  ])('%p of %s %s', (...[text, type, extra, product, expected]) => {
    expect(defaultExpression({ text, type, extra, product })).toBe(expected);
  });

  test('is not unescaped where nothing was escaped', () => {
    expect(unescapeExpression("concat('it\\'s')")).toBe("concat('it\\'s')");
    expect(unescapeExpression('(`a` + 1)')).toBe('(`a` + 1)');
  });
});

describe('the catalog of a MySQL 8 server, as its information_schema answers', () => {
  /** Answers by the information_schema table in FROM. */
  const answers: Readonly<Record<string, readonly object[]>> = {
    TABLES: [{ table_name: 't', type: 'BASE TABLE', counter: '7', comment: '' }],
    COLUMNS: [
      column('id', { type: 'bigint unsigned', nullable: 'NO', extra: 'auto_increment' }),
      column('doc', { type: 'json' }),
      column('email', {
        type: 'varchar(9)',
        extra: 'VIRTUAL GENERATED',
        generation: "json_unquote(json_extract(`doc`,_utf8mb4\\'$.email\\'))",
        collation_name: 'utf8mb4_bin',
      }),
      column('changed', {
        type: 'timestamp(3)',
        default_text: 'CURRENT_TIMESTAMP(3)',
        extra: 'DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)',
      }),
    ],
    STATISTICS: [
      part('PRIMARY', { non_unique: 0, column_name: 'id' }),
      part('lowered', { column_name: null, expression: 'lower(`email`)', direction: 'D' }),
    ],
    CHECK_CONSTRAINTS: [
      { table_name: 't', name: 't_chk_1', clause: "(`email` <> _utf8mb4\\'x\\')", level: 'Table' },
    ],
  };

  test('has the same form as that of a MariaDB', async () => {
    const statements: string[] = [];

    const { version, tables } = await readCatalog((sql) => {
      statements.push(sql);
      if (sql.includes('version()')) return Promise.resolve([{ version: '8.0.36' }]);
      const from = /FROM information_schema\.(\w+)/.exec(sql)?.[1] ?? '';
      return Promise.resolve((answers[from] ?? []) as Record<string, unknown>[]);
    }, 'shop');

    expect(statements).toContain('SET SESSION information_schema_stats_expiry = 0');
    expect(version).toBe('MySQL 8.0.36');
    expect(tables).toMatchObject([
      {
        name: 't',
        identity: { column: 'id', lastValue: '6' },
        primaryKey: ['id'],
        columns: [
          { declaredType: 'bigint unsigned', nullable: false, defaultExpression: null },
          { declaredType: 'json' },
          {
            generated: {
              expression: "json_unquote(json_extract(`doc`,_utf8mb4'$.email'))",
              stored: false,
            },
          },
          { defaultExpression: 'CURRENT_TIMESTAMP(3)', onUpdate: 'CURRENT_TIMESTAMP(3)' },
        ],
        indexes: [
          {
            name: 'lowered',
            unique: false,
            parts: [{ column: null, expression: 'lower(`email`)', descending: true }],
          },
        ],
        checks: [{ name: 't_chk_1', expression: "(`email` <> _utf8mb4'x')" }],
      },
    ]);
  });
});

function column(name: string, more: object): object {
  const usual = { nullable: 'YES', default_text: null, collation_name: null, extra: '' };
  return { table_name: 't', name, generation: '', comment: '', ...usual, ...more };
}

function part(name: string, more: object): object {
  const usual = { non_unique: 1, position: 1, direction: 'A', prefix: null, method: 'BTREE' };
  return { table_name: 't', name, expression: null, ...usual, ...more };
}
