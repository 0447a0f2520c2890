import pg from 'pg';

import { locationOf } from '../helpers/engine.ts';
import { createTestDatabase } from '../helpers/test-database.ts';
import { describeSourceContract } from './source-contract.ts';

/** 63 bytes, the longest that PostgreSQL has. */
const LONG_NAME = `${'long_'.repeat(11)}é_name_`.slice(0, 62);

const HOSTILE = `
  CREATE TYPE mood AS ENUM ('it''s', '😀', 'a\\b');
  CREATE TYPE point3 AS (x integer, "y Z" text, m mood);
  CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
  CREATE TABLE "empty" ("Mixed Case" integer PRIMARY KEY, "select" text, "quo""te" text);
  CREATE TABLE "select" ("from" integer PRIMARY KEY, "😀" text NOT NULL DEFAULT 'ö', "tab	name" text);
  INSERT INTO "select" VALUES (1, E'tab\\t newline\\n back\\\\slash \\r', '\\N'), (2, '', NULL), (-3, '🦆', '\\.');
  CREATE TABLE "${LONG_NAME}" ("${LONG_NAME}" bigint PRIMARY KEY, v text);
  INSERT INTO "${LONG_NAME}" VALUES (9223372036854775807, 'max'), (-9223372036854775808, 'min'), (0, NULL);
  CREATE TABLE keyless (a integer, b text);
  INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (2, 'y'), (1, 'x');
  CREATE TABLE composite (a integer, b text, c uuid, d numeric, PRIMARY KEY (a, b, d));
  INSERT INTO composite VALUES (1, 'a', NULL, 1.50), (1, 'a', NULL, 'NaN'), (1, 'B', NULL, -2), (2, '', NULL, 1e30), (1, 'ä', NULL, 0);
  CREATE TABLE text_key (k text COLLATE "C" PRIMARY KEY, v integer);
  INSERT INTO text_key VALUES (''), ('a'), ('B'), ('ä'), ('''"\\');
  CREATE TABLE citext_like (k varchar(20) PRIMARY KEY);
  INSERT INTO citext_like SELECT n::text FROM generate_series(1, 7) n;
  CREATE TABLE types (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), m mood, ms mood[], p point3, ps point3[], pos positive,
    r int4range, mr nummultirange, j jsonb, js json, i interval, ts timestamptz, d date, b bytea, n numeric[], cash money,
    cls regclass, doubled integer GENERATED ALWAYS AS (pos * 2) STORED, bits bit(3), x xml);
  INSERT INTO types (id, m, ms, p, ps, pos, r, mr, j, js, i, ts, d, b, n, cash, cls, bits, x) VALUES
    ('00000000-0000-0000-0000-000000000001', '😀', '{"it''s",NULL,"a\\\\b"}', '(1,"a,b""c",😀)', ARRAY['(,,)'::point3], 1,
     '[1,5)', '{[1,2),[5,)}', '{"b": 1.0, "a": null}', '{"b":1,  "b":2}', '1 year -3 days 04:05:06.7', 'infinity', '4713-01-01 BC',
     '\\x00ff', '{{1.10,NULL},{NaN,2}}', 12.34, 'pg_class', B'101', '<a>1</a>'),
    ('00000000-0000-0000-0000-000000000002', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  CREATE TABLE parts (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
  CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
  INSERT INTO parts VALUES (1, '2019-01-01'), (2, '2021-01-01'), (3, '-infinity'), (4, 'infinity');
  CREATE TABLE parent (id integer PRIMARY KEY);
  CREATE TABLE child (extra text) INHERITS (parent);
  INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x'), (3, 'y');
  CREATE TABLE refers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id integer REFERENCES parent);
  INSERT INTO refers (parent_id) VALUES (1), (NULL);
  CREATE TABLE "constructor" ("__proto__" integer PRIMARY KEY, "toString" text);
  INSERT INTO "constructor" VALUES (1, 'x');
  CREATE VIEW a_view AS SELECT 1 AS one`;

describeSourceContract('postgres', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(HOSTILE);
  await client.end();
  const location = locationOf(database.url);
  return {
    location,
    nowhere: { ...location, database: `${location.database}_missing` },
    rows: {
      child: 2,
      citext_like: 7,
      composite: 5,
      constructor: 1,
      empty: 0,
      keyless: 5,
      [LONG_NAME]: 3,
      parent: 1,
      parts: 4,
      refers: 2,
      select: 3,
      text_key: 5,
      types: 2,
    },
    remove: () => database.drop(),
  };
});
