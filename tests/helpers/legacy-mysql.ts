import { createTestMariaDb, type TestMariaDb } from './mariadb.ts';

/** 64 characters, which is as long as MySQL allows, and 128 bytes, which is longer than PostgreSQL does. */
export const LONG_MYSQL_NAME = 'ü'.repeat(64);

/** What a legacy MySQL may look like when nobody has looked after it. Rows of each table are in `HOSTILE_MYSQL_ROWS`. */
const HOSTILE = `
  SET sql_mode = 'ALLOW_INVALID_DATES';
  CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), born DATE, active TINYINT(1)) AUTO_INCREMENT = 500;
  INSERT INTO people VALUES (1, 'Zoë ''quoted'' \\\\ 😀 tab\\t', '0000-00-00', 1), (2, NULL, '1999-12-31', 0), (7, '', NULL, NULL);
  CREATE TABLE \`select\` (\`a"b\` INT, \`Mixed Case\` TEXT, \`order\` INT, PRIMARY KEY (\`a"b\`, \`order\`));
  INSERT INTO \`select\` VALUES (1, 'x', 1), (1, 'y', 2), (2, 'z', -1);
  CREATE TABLE \`sp ace ☃\`\`x\` (\`ü €\` INT PRIMARY KEY) CHARACTER SET utf8mb4;
  CREATE TABLE \`${LONG_MYSQL_NAME}\` (\`${LONG_MYSQL_NAME}\` INT PRIMARY KEY, \`${'ü'.repeat(63)}x\` INT);
  INSERT INTO \`${LONG_MYSQL_NAME}\` VALUES (1, 1), (2, 2);
  CREATE TABLE empty (id INT PRIMARY KEY, v VARCHAR(10));
  CREATE TABLE keyless (a INT, b VARCHAR(10), f FLOAT, e ENUM('x', ''));
  INSERT INTO keyless VALUES (1, 'x', 0.1, 'x'), (1, 'x', 0.1, 'x'), (2, 'a\\0', 1, 'x'), (2, 'a\\0', 1, 'x'), (3, NULL, NULL, NULL);
  CREATE TABLE only_rejects (id INT PRIMARY KEY, v TEXT); INSERT INTO only_rejects VALUES (1, 'a\\0'), (2, '\\0'), (3, 'b\\0b');
  CREATE TABLE collated (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY) CHARACTER SET utf8mb4;
  INSERT INTO collated VALUES ('a'), ('B'), ('ç'), ('D'), (''), ('é');
  CREATE TABLE latin (k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci, n BIGINT UNSIGNED, PRIMARY KEY (k, n));
  INSERT INTO latin VALUES ('€', 18446744073709551615), ('€', 0), ('é', 1), ('z', 1), ('å', 9223372036854775808);
  CREATE TABLE by_bytes (k VARBINARY(20) PRIMARY KEY); INSERT INTO by_bytes VALUES (x''), (x'00'), (x'ff00'), (x'fe'), (x'61');
  CREATE TABLE exact_text (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PRIMARY KEY); INSERT INTO exact_text VALUES ('a'), ('a '), ('A'), ('é'), ('');
  CREATE TABLE moments (d DATE, t TIME(3), PRIMARY KEY (d, t)); INSERT INTO moments VALUES ('2024-01-01', '-01:00:00'), ('2024-01-01', '838:59:59'), ('2023-12-31', '00:00:00.5'), ('2025-01-01', '00:00:00');
  CREATE TABLE zero_keys (d DATE PRIMARY KEY); INSERT INTO zero_keys VALUES ('0000-00-00'), ('2024-00-00'), ('2024-01-01'), ('2024-02-30');
  CREATE TABLE odd_keys (e ENUM('b', 'a'), s SET('y', 'x'), b BIT(12), f DOUBLE, n DECIMAL(20, 5), y YEAR, PRIMARY KEY (e, s, b, f, n, y));
  INSERT INTO odd_keys VALUES ('a', 'x', 1, 0.1, 1.5, 1999), ('b', 'x,y', 1, 0.1, 1.5, 1999), ('a', '', 4095, -1e300, -1.5, 0), ('a', 'y', 0, 5e-324, 0, 2155);
  CREATE TABLE prefix_key (k VARCHAR(300), v INT, PRIMARY KEY (k(5))); INSERT INTO prefix_key VALUES ('aaaaa1', 1), ('bbbbb', 2), ('aaaab', 3);
  CREATE TABLE other_key (a INT NOT NULL, b INT, UNIQUE (b), UNIQUE (a)); INSERT INTO other_key VALUES (3, NULL), (1, NULL), (2, 1);
  CREATE TABLE computed (a INT PRIMARY KEY, twice INT AS (a * 2) STORED, name VARCHAR(20) AS (CONCAT('n', a)) VIRTUAL); INSERT INTO computed (a) VALUES (1), (2), (3);
  CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1);
  CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT own FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE);
  SET foreign_key_checks = 0; INSERT INTO child VALUES (1, 1), (2, NULL), (3, 99); SET foreign_key_checks = 1;
  CREATE TABLE wide (id INT PRIMARY KEY, ${Array.from({ length: 70 }, (_, index) => `c${String(index)} VARCHAR(3)`).join(', ')}); INSERT INTO wide (id, c69) VALUES (1, 'end'), (2, NULL);
  CREATE TABLE \`__proto__\` (\`__proto__\` INT PRIMARY KEY, \`constructor\` TEXT); INSERT INTO \`__proto__\` VALUES (1, 'x'), (2, 'a\\0');
  CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, j JSON); INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(10 20)', 4326), '{"b": 1.50, "a": [1e2]}'), (2, NULL, 'null');
  CREATE VIEW a_view AS SELECT id FROM people;
`;

export const HOSTILE_MYSQL_ROWS: Readonly<Record<string, number>> = {
  people: 3,
  select: 3,
  'sp ace ☃`x': 0,
  [LONG_MYSQL_NAME]: 2,
  empty: 0,
  keyless: 5,
  only_rejects: 3,
  collated: 6,
  latin: 5,
  by_bytes: 5,
  exact_text: 5,
  moments: 4,
  zero_keys: 4,
  odd_keys: 4,
  prefix_key: 3,
  other_key: 3,
  computed: 3,
  parent: 1,
  child: 3,
  wide: 2,
  ['__proto__']: 2,
  shapes: 2,
};

/** The statements alone. */
export function buildHostileSql(): string {
  return HOSTILE;
}

export async function buildHostileMysql(): Promise<TestMariaDb> {
  const mariadb = await createTestMariaDb();
  await mariadb.sql(HOSTILE);
  return mariadb;
}
