import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A SQLite file of a test, in a folder of its own. */
export interface LegacySqlite {
  readonly path: string;
  remove(): Promise<void>;
}

/** Writes a SQLite file with the given SQL; `fill` can bind what SQL cannot say. */
export async function buildLegacySqlite(
  sql: string,
  fill?: (db: DatabaseSync) => void,
): Promise<LegacySqlite> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'legacy-sqlite-'));
  const file = path.join(folder, 'legacy.db');
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    db.exec(sql);
    fill?.(db);
  } finally {
    db.close();
  }
  return { path: file, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A name of 64 bytes: one more than PostgreSQL takes. */
export const LONG_NAME = `${'long_name_'.repeat(6)}abcd`;

/**
 * Everything that has broken other tools, in one file: names, keys, encodings, extremes, and objects that must not be run.
 * Tables are small, so that tests can name every row.
 */
export async function buildHostileSqlite(): Promise<LegacySqlite> {
  return await buildLegacySqlite(HOSTILE_SQL, (db) => {
    const columns = Array.from({ length: 299 }, (_, index) => `c${String(index)} INTEGER`).join(
      ', ',
    );
    db.exec(`CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns})`);
    db.exec(`INSERT INTO wide (id, c0, c298) VALUES (1, 10, 20), (2, NULL, 9223372036854775807)`);
    if (hasFts5(db))
      db.exec(`CREATE VIRTUAL TABLE search USING fts5(body); INSERT INTO search VALUES ('found')`);
  });
}

function hasFts5(db: DatabaseSync): boolean {
  return db
    .prepare('PRAGMA compile_options')
    .all()
    .some(({ compile_options }) => compile_options === 'ENABLE_FTS5');
}

const HOSTILE_SQL = `
  CREATE TABLE "select" ("from" INTEGER PRIMARY KEY AUTOINCREMENT, "Mixed Case" TEXT, "quo""te" TEXT, "😀" TEXT DEFAULT 'a''b');
  INSERT INTO "select" VALUES (1, 'one', 'tab	here', 'smile 😀'), (2, NULL, 'back\\slash', ''), (3, 'gone', NULL, NULL);
  DELETE FROM "select" WHERE "from" = 3;

  CREATE TABLE "${LONG_NAME}" (id INTEGER PRIMARY KEY, v TEXT);
  INSERT INTO "${LONG_NAME}" VALUES (9223372036854775807, 'top'), (-9223372036854775808, 'bottom');

  CREATE TABLE empty (id INTEGER PRIMARY KEY, v TEXT);
  CREATE TABLE only_rejects (id INTEGER PRIMARY KEY, v TEXT);
  INSERT INTO only_rejects VALUES (1, CAST(x'610062' AS TEXT)), (2, CAST(x'63c3a9ff96' AS TEXT));

  CREATE TABLE keyless (a INTEGER, b TEXT);
  INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);

  CREATE TABLE composite (a INTEGER NOT NULL, b TEXT NOT NULL, v REAL, PRIMARY KEY (a, b));
  INSERT INTO composite VALUES (1, 'a', -0.0), (1, 'B', 9e999), (2, 'a', 1e20), (0, 'é', 0.1);
  CREATE TABLE text_key (code TEXT PRIMARY KEY, v INTEGER);
  INSERT INTO text_key VALUES ('b', 1), ('a', 2), ('Z', 3);
  CREATE TABLE null_key (code TEXT PRIMARY KEY, v INTEGER);
  INSERT INTO null_key VALUES (NULL, 1), (NULL, 2), ('a', 3);
  CREATE TABLE without_rowid (code TEXT, n INTEGER, v TEXT, PRIMARY KEY (code, n)) WITHOUT ROWID;
  INSERT INTO without_rowid VALUES ('b', 2, 'v'), ('b', 1, NULL), ('a', 9, 'w');
  CREATE TABLE odd_key (k PRIMARY KEY, v TEXT) WITHOUT ROWID;
  INSERT INTO odd_key VALUES (1, 'integer'), (1.5, 'real'), ('1', 'text'), (x'00ff', 'blob');
  CREATE TABLE strict_table (id INTEGER PRIMARY KEY, n INT, a ANY) STRICT;
  INSERT INTO strict_table VALUES (1, 5, 'x'), (2, NULL, 7);

  CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE, born DATE, active BOOLEAN,
    first TEXT, last TEXT, age INT CHECK (age >= 0),
    full_name TEXT GENERATED ALWAYS AS (first || ' ' || last) STORED, next_age INT AS (age + 1) VIRTUAL,
    CONSTRAINT named_people CHECK (length(first) > 0));
  INSERT INTO people (id, email, born, active, first, last, age) VALUES
    (1, 'A@x.org', '1980-02-29', 1, 'Ann', 'Ä', 40), (2, 'b@x.org', '', 'true', 'Bo', NULL, NULL);
  CREATE INDEX people_active ON people (last) WHERE active = 1 AND last IS NOT NULL;
  CREATE INDEX people_lower ON people (lower(email) DESC, age + 1);

  CREATE TABLE parent (a INTEGER, b TEXT, PRIMARY KEY (a, b));
  INSERT INTO parent VALUES (1, 'x');
  CREATE TABLE child (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, nowhere INTEGER REFERENCES missing (id),
    CONSTRAINT to_parent FOREIGN KEY (a, b) REFERENCES parent ON DELETE CASCADE);
  INSERT INTO child VALUES (1, 1, 'x', NULL), (2, 1, 'y', NULL), (3, NULL, 'z', NULL), (4, 1, 'x', 7);

  CREATE VIEW endless AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r;
  CREATE TRIGGER tg AFTER INSERT ON keyless BEGIN DELETE FROM keyless; END;
`;
