import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';

import type { Column, Table } from '../../../../src/engine/contract.ts';
import type { CatalogQuery } from '../../../../src/engine/sources/mysql/catalog-query.ts';
import { readCatalog } from '../../../../src/engine/sources/mysql/catalog.ts';
import {
  createTestMariaDb,
  describeWithMariaDb,
  type TestMariaDb,
} from '../../../helpers/mariadb.ts';

/** Runs `work` with a query function of a session of its own, all values as raw bytes. */
async function withQuery<Result>(
  mariaDb: Pick<TestMariaDb, 'host' | 'port' | 'user' | 'password'>,
  work: (query: CatalogQuery) => Promise<Result>,
): Promise<Result> {
  const { host, port, user, password } = mariaDb;
  const connection: Connection = await createConnection({ host, port, user, password });
  try {
    return await work(async (sql, parameters) => {
      const typeCast = (field: { buffer(): Buffer | null }): Buffer | null => field.buffer();
      const [rows] = await connection.query({ sql, values: [...parameters], typeCast });
      return rows as RowDataPacket[];
    });
  } finally {
    await connection.end();
  }
}

describeWithMariaDb('the catalog of a MariaDB database', () => {
  let db: TestMariaDb;
  beforeAll(async () => {
    db = await createTestMariaDb();
    await db.sql("SET sql_mode = ''");
  });
  afterAll(() => db.close());

  const read = () => withQuery(db, (query) => readCatalog(query, db.database));
  const readTable = async (name: string): Promise<Table> => {
    const { tables } = await read();
    const table = tables.find((candidate) => candidate.name === name);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  };
  const readColumns = async (name: string): Promise<Record<string, Column>> => {
    const { columns } = await readTable(name);
    return Object.fromEntries(columns.map((column) => [column.name, column]));
  };

  test('names the product and its version', async () => {
    expect(await read()).toMatchObject({
      kind: 'mysql',
      version: expect.stringMatching(/^MariaDB \d+\.\d+\.\d+$/) as string,
    });
  });

  test('tells types, nullability, collations and comments as they are declared', async () => {
    await db.sql(`CREATE TABLE declared (
      id BIGINT UNSIGNED NOT NULL COMMENT 'it''s "the" key', flag TINYINT(1), padded INT(5) ZEROFILL, price DECIMAL(65,30) NOT NULL,
      label VARCHAR(10) CHARACTER SET latin1, exact VARCHAR(10) COLLATE utf8mb4_bin, raw BINARY(4), span TIME(6), born YEAR, hidden INT INVISIBLE
    ) COMMENT = 'Ümläut “x”'`);

    const table = await readTable('declared');

    expect(table.comment).toBe('Ümläut “x”');
    expect(
      table.columns.map(({ name, declaredType, nullable, collation }) => [
        name,
        declaredType,
        nullable,
        collation,
      ]),
    ).toEqual([
      ['id', 'bigint(20) unsigned', false, null],
      ['flag', 'tinyint(1)', true, null],
      ['padded', 'int(5) unsigned zerofill', true, null],
      ['price', 'decimal(65,30)', false, null],
      ['label', 'varchar(10)', true, 'latin1_swedish_ci'],
      ['exact', 'varchar(10)', true, 'utf8mb4_bin'],
      ['raw', 'binary(4)', true, null],
      ['span', 'time(6)', true, null],
      ['born', 'year(4)', true, null],
      ['hidden', 'int(11)', true, null],
    ]);
    expect(table.columns[0]?.comment).toBe('it\'s "the" key');
    expect(table.columns[1]?.comment).toBeNull();
  });

  test('gives every default as an expression, and none where there is none', async () => {
    await db.sql(`CREATE TABLE defaults (
      nothing INT, explicit_null INT DEFAULT NULL, word VARCHAR(9) DEFAULT 'null', empty VARCHAR(9) DEFAULT '',
      quoted VARCHAR(40) DEFAULT 'it''s \\\\ "q" \\n é', number DECIMAL(5,2) NOT NULL DEFAULT 1.5, negative FLOAT DEFAULT -1.5,
      zero_date DATE NOT NULL DEFAULT '0000-00-00', moment DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3),
      changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, bits BIT(8) DEFAULT b'101',
      choice ENUM('a','it''s') DEFAULT 'it''s', several SET('x','y') DEFAULT 'x,y', doc JSON DEFAULT JSON_OBJECT(),
      made UUID DEFAULT UUID(), sum INT DEFAULT (1+2), padded INT(5) ZEROFILL DEFAULT 42, yes BOOLEAN DEFAULT TRUE,
      raw BINARY(3) DEFAULT 'ab', bytes VARBINARY(9) DEFAULT x'00FF27',
      face VARCHAR(9) DEFAULT '🙂''\\\\', doubt VARCHAR(9) CHARACTER SET latin1 DEFAULT 'é?'
    )`);

    const columns = await readColumns('defaults');

    const defaults = Object.values(columns).map((column) => [
      column.name,
      column.defaultExpression,
    ]);
    expect(Object.fromEntries(defaults)).toEqual({
      nothing: null,
      explicit_null: null,
      word: "'null'",
      empty: "''",
      quoted: `'it''s \\\\ "q" \\n é'`,
      number: '1.50',
      negative: '-1.5',
      zero_date: "'0000-00-00'",
      moment: 'current_timestamp(3)',
      changed: 'current_timestamp()',
      bits: "b'101'",
      choice: "'it''s'",
      several: "'x,y'",
      doc: 'json_object()',
      made: 'uuid()',
      sum: '(1 + 2)',
      padded: '00042',
      yes: '1',
      raw: "x'616200'",
      bytes: "x'00FF27'",
      face: "'🙂''\\\\'",
      doubt: "'é?'",
    });
    expect(columns.changed?.onUpdate).toBe('current_timestamp()');
    expect(columns.moment?.onUpdate).toBeNull();
  });

  test('tells generated columns, stored or not, with their expressions', async () => {
    await db.sql(`CREATE TABLE generated_ones (
      a INT, \`b \`\`c\` VARCHAR(20), twice INT AS (a * 2) VIRTUAL, note VARCHAR(60) AS (CONCAT(\`b \`\`c\`, '''x\\\\', IF(a > 1, 'j', 'n'))) STORED
    )`);

    const columns = await readColumns('generated_ones');

    expect(columns.a?.generated).toBeNull();
    expect(columns.twice).toMatchObject({
      generated: { expression: '`a` * 2', stored: false },
      defaultExpression: null,
    });
    expect(columns.note?.generated).toEqual({
      expression: "concat(`b ``c`,'\\'x\\\\',if(`a` > 1,'j','n'))",
      stored: true,
    });
  });

  test('gives the number before the one that a counter gives next, whatever the rows hold', async () => {
    await db.sql(`
      CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 500;
      CREATE TABLE fresh (id INT AUTO_INCREMENT PRIMARY KEY);
      CREATE TABLE deleted (id INT AUTO_INCREMENT PRIMARY KEY);
      INSERT INTO deleted VALUES (), (), (); DELETE FROM deleted WHERE id > 1;
      CREATE TABLE great (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 18446744073709551614`);

    expect((await readTable('counted')).identity).toEqual({ column: 'id', lastValue: '499' });
    expect((await readTable('fresh')).identity).toEqual({ column: 'id', lastValue: '0' });
    expect((await readTable('deleted')).identity).toEqual({ column: 'id', lastValue: '3' });
    expect((await readTable('great')).identity?.lastValue).toBe('18446744073709551613');
  });

  test('tells the parts of every kind of index', async () => {
    await db.sql(`CREATE TABLE indexed (
      id INT, a INT, t TEXT, v VARCHAR(40), raw BLOB, place POINT NOT NULL, PRIMARY KEY (a, id),
      KEY by_start (t(10)), UNIQUE KEY unique_start (v(4), a), KEY downwards (a DESC, id), UNIQUE KEY whole (t),
      FULLTEXT KEY words (t, v), SPATIAL KEY places (place), KEY bytes (raw(7))
    )`);

    const { primaryKey, indexes } = await readTable('indexed');

    const column = (name: string, more: object = {}): object => {
      return { column: name, expression: null, descending: false, collation: null, ...more };
    };
    expect(primaryKey).toEqual(['a', 'id']);
    expect(indexes).toEqual([
      {
        name: 'by_start',
        unique: false,
        parts: [column('t', { prefixLength: 10 })],
        where: null,
      },
      { name: 'bytes', unique: false, parts: [column('raw', { prefixLength: 7 })], where: null },
      {
        name: 'downwards',
        unique: false,
        parts: [column('a', { descending: true }), column('id')],
        where: null,
      },
      { name: 'places', unique: false, parts: [column('place')], where: null, method: 'spatial' },
      {
        name: 'unique_start',
        unique: true,
        parts: [column('v', { prefixLength: 4 }), column('a')],
        where: null,
      },
      { name: 'whole', unique: true, parts: [column('t')], where: null },
      {
        name: 'words',
        unique: false,
        parts: [column('t'), column('v')],
        where: null,
        method: 'fulltext',
      },
    ]);
  });

  test('keeps what a primary key on the beginnings of values says beside the key', async () => {
    await db.sql('CREATE TABLE begun (t TEXT, PRIMARY KEY (t(10)))');

    const { primaryKey, indexes } = await readTable('begun');

    expect(primaryKey).toEqual(['t']);
    expect(indexes).toMatchObject([
      { name: '', unique: true, parts: [{ column: 't', prefixLength: 10 }] },
    ]);
  });

  test('tells foreign keys with actions, of several columns, and into other databases', async () => {
    const elsewhere = `${db.database}_elsewhere`;
    await db.sql(`
      CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b));
      CREATE DATABASE ${elsewhere}; CREATE TABLE ${elsewhere}.far (id INT PRIMARY KEY);
      CREATE TABLE child (x INT, y INT, z INT, w INT,
        CONSTRAINT both_columns FOREIGN KEY (y, x) REFERENCES parent (a, b) ON DELETE SET NULL ON UPDATE CASCADE,
        CONSTRAINT far_away FOREIGN KEY (z) REFERENCES ${elsewhere}.far (id),
        CONSTRAINT far_none FOREIGN KEY (w) REFERENCES ${elsewhere}.far (id) ON DELETE NO ACTION)`);
    try {
      expect((await readTable('child')).foreignKeys).toEqual([
        {
          name: 'both_columns',
          columns: ['y', 'x'],
          references: { table: 'parent', columns: ['a', 'b'] },
          onUpdate: 'CASCADE',
          onDelete: 'SET NULL',
        },
        {
          name: 'far_away',
          columns: ['z'],
          references: { table: `${elsewhere}.far`, columns: ['id'] },
          onUpdate: 'RESTRICT',
          onDelete: 'RESTRICT',
        },
        {
          name: 'far_none',
          columns: ['w'],
          references: { table: `${elsewhere}.far`, columns: ['id'] },
          onUpdate: 'RESTRICT',
          onDelete: 'NO ACTION',
        },
      ]);
    } finally {
      await db.sql(`DROP TABLE child; DROP DATABASE ${elsewhere}`);
    }
  });

  test('reads JSON columns as json, and leaves out the check that makes them so', async () => {
    await db.sql(`CREATE TABLE checked (
      doc JSON NOT NULL, text_doc LONGTEXT CHECK (JSON_VALID(text_doc)), part LONGTEXT CHECK (JSON_VALID(part) AND LENGTH(part) < 10),
      short TEXT CHECK (JSON_VALID(short)), a INT CHECK (a > 5), b INT, CONSTRAINT in_order CHECK (a < b), CHECK (b <> 3)
    )`);

    const table = await readTable('checked');

    expect(
      table.columns.map(({ name, declaredType, collation }) => [name, declaredType, collation]),
    ).toEqual([
      ['doc', 'json', null],
      ['text_doc', 'json', null],
      ['part', 'longtext', 'utf8mb4_general_ci'],
      ['short', 'text', 'utf8mb4_general_ci'],
      ['a', 'int(11)', null],
      ['b', 'int(11)', null],
    ]);
    expect(table.checks).toEqual([
      { name: null, expression: '`a` > 5' },
      { name: null, expression: 'json_valid(`part`) and octet_length(`part`) < 10' },
      { name: null, expression: 'json_valid(`short`)' },
      { name: 'CONSTRAINT_1', expression: '`b` <> 3' },
      { name: 'in_order', expression: '`a` < `b`' },
    ]);
  });

  test('keeps names, labels and comments of any characters', async () => {
    const long = 'é'.repeat(64);
    await db.sql(`
      CREATE TABLE \`Mixed Case\` (\`select\` INT, \`Über\` INT, \`a"b\` INT, \`back\`\`tick\` INT, \`${long}\` INT, KEY \`${long}\` (\`${long}\`));
      CREATE TABLE labels (e ENUM('it''s', 'back\\\\slash', 'Ünï', '', '${'x'.repeat(70)}'));
      CREATE TABLE \`a'b\` (x INT); CREATE TABLE ber (u INT); CREATE TABLE bér (e INT)`);

    const mixed = await readTable('Mixed Case');

    expect(mixed.columns.map(({ name }) => name)).toEqual([
      'select',
      'Über',
      'a"b',
      'back`tick',
      long,
    ]);
    expect(mixed.indexes).toMatchObject([{ name: long, parts: [{ column: long }] }]);
    const { e } = await readColumns('labels');
    expect(e?.declaredType).toBe(`enum('it''s','back\\\\slash','Ünï','','${'x'.repeat(70)}')`);
    expect(Object.keys(await readColumns("a'b"))).toEqual(['x']);
    // The server takes the two names for one when it compares them in a WHERE.
    expect(Object.keys(await readColumns('ber'))).toEqual(['u']);
    expect(Object.keys(await readColumns('bér'))).toEqual(['e']);
  });

  test('reads labels and defaults that the server prints with question marks', async () => {
    await db.sql(`
      CREATE TABLE faces (e ENUM('🙂', 'b?', '🙁', 'it''s') DEFAULT '🙂', s SET('x', '🙂', '?', '🙁') COLLATE utf8mb4_bin);
      INSERT INTO faces VALUES ('🙂', 'x,🙂'), ('b?', ''), ('it''s', '?,🙁'), (NULL, NULL)`);

    const { e, s } = await readColumns('faces');

    // No row holds the third label of the first, so no value will miss it.
    expect(e?.declaredType).toBe("enum('🙂','b?','?','it''s')");
    expect(e?.defaultExpression).toBe("'🙂'");
    expect(s?.declaredType).toBe("set('x','🙂','?','🙁')");
  });

  test('lists views, triggers, routines, events and sequences, and takes none for a table', async () => {
    const own = await createTestMariaDb();
    try {
      await own.sql(`
        CREATE TABLE t (a INT, b INT); CREATE VIEW v AS SELECT a FROM t; CREATE SEQUENCE s START 10;
        CREATE FUNCTION next_one(n INT, label VARCHAR(10)) RETURNS INT DETERMINISTIC RETURN n + 1;
        CREATE PROCEDURE put(IN a INT, OUT b VARCHAR(10)) BEGIN SET b = a; END;
        CREATE TRIGGER before_t BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.b = 1; END;
        CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;
        CREATE TABLE versioned (a INT) WITH SYSTEM VERSIONING;
        CREATE TABLE parts (a INT PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 3`);

      const catalog = await withQuery(own, (query) => readCatalog(query, own.database));

      expect(catalog.tables.map(({ name }) => name)).toEqual(['parts', 't', 'versioned']);
      expect(catalog.unmoved).toEqual([
        {
          kind: 'event',
          name: 'daily',
          definition: "CREATE EVENT `daily` ON SCHEDULE EVERY '1' DAY DO DELETE FROM t",
        },
        {
          kind: 'routine',
          name: 'next_one',
          definition:
            'CREATE FUNCTION `next_one`(`n` int(11), `label` varchar(10)) RETURNS int(11) RETURN n + 1',
        },
        {
          kind: 'routine',
          name: 'put',
          definition:
            'CREATE PROCEDURE `put`(IN `a` int(11), OUT `b` varchar(10)) BEGIN SET b = a; END',
        },
        { kind: 'sequence', name: 's', definition: null },
        {
          kind: 'trigger',
          name: 'before_t',
          definition:
            'CREATE TRIGGER `before_t` BEFORE INSERT ON `t` FOR EACH ROW BEGIN SET NEW.b = 1; END',
        },
        {
          kind: 'view',
          name: 'v',
          definition: `CREATE VIEW \`v\` AS select \`${own.database}\`.\`t\`.\`a\` AS \`a\` from \`${own.database}\`.\`t\``,
        },
      ]);
    } finally {
      await own.close();
    }
  });

  test('is the same text each time it is read', async () => {
    const [first, second] = [await read(), await read()];

    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(first.tables.length).toBeGreaterThan(5);
  });

  test('shows an account what it may see', async () => {
    const own = await createTestMariaDb();
    try {
      await own.sql(`
        CREATE TABLE seen (a INT PRIMARY KEY, b INT); CREATE TABLE unseen (a INT); CREATE VIEW v AS SELECT 1 AS one;
        CREATE TRIGGER tr BEFORE INSERT ON seen FOR EACH ROW SET NEW.b = 1`);
      const few = await own.createAccount([
        `SELECT ON ${own.database}.seen`,
        `SELECT ON ${own.database}.v`,
      ]);

      const catalog = await withQuery({ ...own, ...few }, (query) =>
        readCatalog(query, own.database),
      );

      expect(catalog.tables).toMatchObject([{ name: 'seen', primaryKey: ['a'] }]);
      expect(catalog.unmoved).toEqual([{ kind: 'view', name: 'v', definition: null }]);
    } finally {
      await own.close();
    }
  });
});
