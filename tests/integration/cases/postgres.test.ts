import { startPostgresCases, type PostgresCases } from '../../helpers/postgres-cases.ts';

/**
 * What a PostgreSQL source holds, and what has to be in the target afterwards: two databases of a real server, and the answer of
 * plain SQL. Every case is also verified by both comparisons, `checksum` and `full`.
 */
describe('PostgreSQL cases', () => {
  let cases: PostgresCases;

  beforeAll(async () => {
    cases = await startPostgresCases();
    await cases.run(
      'CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext',
    );
  }, 60_000);

  afterAll(() => cases.close());

  const move = (...request: Parameters<PostgresCases['move']>): ReturnType<PostgresCases['move']> =>
    cases.move(...request);

  it('cuts a large table without a key by its pages, with duplicates as often as they are there', async () => {
    const moved = await move(
      `CREATE TABLE t (a integer, b text);
       INSERT INTO t SELECT n % 100, repeat('x', 50) FROM generate_series(1, 20000) n`,
      { chunkRows: 2000 },
    );

    const [table] = (await moved.job.plan()).tables;
    expect(table?.chunkKey).toEqual({ columns: [], kinds: ['opaque'] });
    expect(table?.chunks.length).toBeGreaterThan(5);
    expect(table?.digest).toBe('multiset');
    expect(await moved.target('SELECT count(*)::int, count(DISTINCT a)::int FROM t')).toEqual([
      [20000, 100],
    ]);
  });

  it('compares keys of uuid, numeric and timestamps chunk by chunk in their own order', async () => {
    const moved = await move(
      `CREATE TABLE u (k uuid PRIMARY KEY, v integer);
       INSERT INTO u SELECT md5(n::text)::uuid, n FROM generate_series(1, 500) n;
       CREATE TABLE n (k numeric, at timestamptz, v text, PRIMARY KEY (k, at));
       INSERT INTO n SELECT n * 1.10, 'epoch'::timestamptz + n * interval '1 day 0.000001 s', n FROM generate_series(-200, 200) n;
       INSERT INTO n VALUES ('NaN', 'infinity', 'last'), ('NaN', '-infinity', NULL)`,
      { chunkRows: 50 },
    );

    const { tables } = await moved.job.plan();
    expect(tables.map(({ digest, chunks }) => [digest, chunks.length > 5])).toEqual([
      ['ordered', true],
      ['ordered', true],
    ]);
  });

  it('carries arrays, composites, domains and ranges over with their types', async () => {
    const moved = await move(
      `CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'happy');
       CREATE DOMAIN "Positive" AS integer DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0);
       CREATE TYPE pair AS ("Left" "Positive", m mood[], note text);
       CREATE TYPE floatrange AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
       CREATE TABLE t (id integer PRIMARY KEY, m mood DEFAULT 'happy', ms mood[], p pair, ps pair[], d "Positive", ds "Positive"[],
         fr floatrange, r int8range, mr datemultirange, a text[], n numeric(6,2)[], CHECK (m <> 'sad'));
       INSERT INTO t VALUES
         (1, 'it''s "ok"', '{sad,NULL,"it''s \\"ok\\""}', '(3,"{sad}","a,""b"" \\\\ ")', ARRAY['(1,,)'::pair, NULL], 5, '{1,2}',
          '[1.5,2.5)', 'empty', '{[2020-01-01,2020-02-01)}', '[0:1]={"NULL",NULL}', '{{1.10,NULL},{0,-2.00}}'),
         (2, NULL, '{}', NULL, NULL, 7, NULL, NULL, '(,)', '{}', '{}', NULL)`,
    );

    expect(await moved.target('SELECT t::text FROM t ORDER BY id')).toEqual(
      await moved.source('SELECT t::text FROM t ORDER BY id'),
    );
    expect(await moved.typeOf('ms')).toBe(`${moved.schema}.mood[]`);
    expect(await moved.typeOf('ps')).toBe(`${moved.schema}.pair[]`);
    expect(await moved.typeOf('n')).toBe('numeric(6,2)[]');
    expect(await moved.target('SELECT m FROM t ORDER BY m')).toEqual(['it\'s "ok"', null]);
    await expect(moved.target('INSERT INTO t (id, d) VALUES (9, -1)')).rejects.toThrow('above');
    await expect(moved.target(`INSERT INTO t (id, d, m) VALUES (9, 1, 'sad')`)).rejects.toThrow(
      'check',
    );
    expect(await moved.target('INSERT INTO t (id, d) VALUES (9, 1) RETURNING m')).toEqual([
      'happy',
    ]);
  });

  it('keeps microseconds, infinity, years before Christ and times with their zone', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer PRIMARY KEY, ts timestamp(6), z timestamptz, z3 timestamptz(3), d date, tz timetz, i interval, s interval second(2));
       INSERT INTO t VALUES
         (1, '2021-03-28 02:30:00.123456', '2021-03-28 02:30:00.000001+05:30', '2021-01-01 00:00:00.1239Z', 'infinity', '24:00:00-15:59:59', '-1 mon +2 days -00:00:00.000001', '1.239'),
         (2, '-infinity', 'infinity', '-infinity', '4713-01-01 BC', '00:00:00+00', '178000000 years', NULL),
         (3, '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00', NULL, '5874897-12-31', NULL, 'infinity', NULL)`,
    );

    expect(await moved.target('SELECT t::text FROM t ORDER BY id')).toEqual(
      await moved.source('SELECT t::text FROM t ORDER BY id'),
    );
    expect(await moved.typeOf('ts')).toBe('timestamp(6) without time zone');
    expect(await moved.typeOf('s')).toBe('interval second(2)');
  });

  it('keeps GENERATED ALWAYS AS IDENTITY, and goes on at the counter of the source', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
       INSERT INTO t (v) VALUES ('a'), ('b'), ('c'); DELETE FROM t WHERE id > 1;
       CREATE TABLE e (id bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 500) PRIMARY KEY);
       CREATE TABLE s (id serial PRIMARY KEY, v text); INSERT INTO s (v) VALUES ('x')`,
    );

    await expect(moved.target('INSERT INTO t (id) VALUES (77)')).rejects.toThrow('non-DEFAULT');
    expect(await moved.target(`INSERT INTO t (v) VALUES ('new') RETURNING id`)).toEqual([4]);
    expect(await moved.target('INSERT INTO e DEFAULT VALUES RETURNING id')).toEqual(['500']);
    expect(await moved.target('INSERT INTO s DEFAULT VALUES RETURNING id')).toEqual([2]);
  });

  it('makes sequences of their own, with the number that comes next and the defaults that take from them', async () => {
    const moved = await move(
      `CREATE SEQUENCE "Order Numbers" AS integer START 1000 INCREMENT 10; SELECT nextval('"Order Numbers"');
       CREATE TABLE t (id integer PRIMARY KEY, no integer DEFAULT nextval('"Order Numbers"'));
       CREATE TABLE u (id integer PRIMARY KEY, no integer DEFAULT nextval('"Order Numbers"'));
       INSERT INTO t (id) VALUES (1)`,
    );

    expect(await moved.target('SELECT no FROM t')).toEqual([1010]);
    expect(await moved.target('INSERT INTO u VALUES (1) RETURNING no')).toEqual([1020]);
    expect(await moved.target('INSERT INTO t VALUES (2) RETURNING no')).toEqual([1030]);
  });

  it('makes one table of a partitioned one, and says so', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
       CREATE TABLE t_old PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
       CREATE TABLE t_new PARTITION OF t FOR VALUES FROM ('2020-01-01') TO (MAXVALUE) PARTITION BY HASH (id);
       CREATE TABLE t_new_0 PARTITION OF t_new FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE t_new_1 PARTITION OF t_new FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       INSERT INTO t SELECT n, '2019-12-01'::date + n FROM generate_series(1, 100) n;
       CREATE TABLE keyless (v integer) PARTITION BY LIST (v);
       CREATE TABLE keyless_1 PARTITION OF keyless FOR VALUES IN (1, NULL);
       INSERT INTO keyless VALUES (1), (1), (NULL)`,
      { chunkRows: 30 },
    );

    expect(await moved.target('SELECT count(*)::int, sum(id)::int FROM t')).toEqual([[100, 5050]]);
    expect(await moved.target('SELECT v FROM keyless ORDER BY v')).toEqual([1, 1, null]);
    expect(await moved.findings()).toContain('PARTITIONING_LOST');
    expect((await moved.job.plan()).tables.map(({ source }) => source)).toEqual(['t', 'keyless']);
    expect(await moved.unmoved()).toEqual(
      expect.arrayContaining(['partition t_old', 'partition t_new_1', 'partition keyless_1']),
    );
  });

  it('reads a table that others inherit from without their rows', async () => {
    const moved = await move(
      `CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (v text) INHERITS (parent);
       INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x')`,
    );

    expect(await moved.target('SELECT id FROM parent')).toEqual([1]);
    expect(await moved.target('SELECT * FROM child')).toEqual([[2, 'x']]);
    expect(await moved.findings()).toContain('INHERITANCE_LOST');
  });

  it('makes an unlogged table an ordinary one', async () => {
    const moved = await move(
      'CREATE UNLOGGED TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)',
    );

    expect(
      await moved.target(`SELECT relpersistence FROM pg_class WHERE oid = 't'::regclass`),
    ).toEqual(['p']);
    expect(await moved.findings()).toContain('UNLOGGED_LOST');
  });

  it('keeps generated columns generated, and copies those as data whose expression cannot go along', async () => {
    const moved = await move(
      `CREATE FUNCTION own(integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN $1 * 3;
       CREATE TABLE t (id integer PRIMARY KEY, "Price" numeric(6,2), q integer,
         "Total" numeric GENERATED ALWAYS AS ("Price" * q) STORED,
         v integer GENERATED ALWAYS AS (q + 1) VIRTUAL, o integer GENERATED ALWAYS AS (own(q)) STORED);
       INSERT INTO t VALUES (1, 1.50, 3), (2, NULL, NULL), (3, 9999.99, 2)`,
    );

    expect(await moved.target('SELECT id, price, total, v, o FROM t ORDER BY id')).toEqual([
      [1, '1.50', '4.50', 4, 9],
      [2, null, null, null, null],
      [3, '9999.99', '19999.98', 3, 6],
    ]);
    expect(await moved.target('UPDATE t SET q = 4 WHERE id = 1 RETURNING total, v, o')).toEqual([
      ['6.00', 5, 9],
    ]);
    expect(await moved.findings()).toContain('GENERATED_AS_DATA');
  });

  it('carries expressions over under the new names of their columns', async () => {
    const moved = await move(
      `CREATE TABLE t ("Id" integer PRIMARY KEY, "Year" integer DEFAULT date_part('year', now()) CHECK ("Year" BETWEEN 1900 AND 3000),
         "date" date, "E Mail" text COLLATE "C" CONSTRAINT "has @" CHECK ("E Mail" LIKE '%@%' OR "E Mail" = '"Year"'),
         "Left" text DEFAULT 'it''s "Year"', CHECK (EXTRACT(year FROM "date") = "Year"));
       CREATE INDEX "By Mail" ON t (lower("E Mail"), ("Year" + 1) DESC NULLS LAST) WHERE "Left" <> 'Year' AND left("Left", 1) = 'i';
       CREATE UNIQUE INDEX ON t ("Year", "E Mail" text_pattern_ops) INCLUDE ("Left") NULLS NOT DISTINCT;
       INSERT INTO t ("Id", "Year", "date", "E Mail") VALUES (1, 2020, '2020-05-05', 'a@b')`,
    );

    const [indexes] = [
      await moved.target(
        `SELECT replace(indexdef, '${moved.schema}.', '') FROM pg_indexes WHERE schemaname = '${moved.schema}' ORDER BY 1`,
      ),
    ];
    expect(indexes).toEqual([
      expect.stringMatching(
        /^CREATE INDEX "?by mail"? ON t USING btree \(lower\("e mail"\), \(\(year \+ 1\)\) DESC NULLS LAST\) WHERE \(\("left" <> 'Year'::text\) AND \("left"\("left", 1\) = 'i'::text\)\)$/,
      ),
      expect.stringContaining(
        '(year, "e mail" text_pattern_ops) INCLUDE ("left") NULLS NOT DISTINCT',
      ),
      expect.stringContaining('(id)'),
    ]);
    await expect(
      moved.target(`INSERT INTO t (id, year, "date") VALUES (2, 2020, '2021-01-01')`),
    ).rejects.toThrow('check');
    await expect(moved.target(`INSERT INTO t (id, "e mail") VALUES (3, 'none')`)).rejects.toThrow(
      'has @',
    );
    expect(
      await moved.target('INSERT INTO t (id) VALUES (4) RETURNING "left", year > 2000'),
    ).toEqual([[`it's "Year"`, true]]);
  });

  it('makes indexes of every method, and names those that rest on an extension', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer PRIMARY KEY, j jsonb, p point, r int4range, v text, tags text[]);
       CREATE INDEX i_gin ON t USING gin (j jsonb_path_ops); CREATE INDEX i_gist ON t USING gist (r, p);
       CREATE INDEX i_spgist ON t USING spgist (p); CREATE INDEX i_brin ON t USING brin (id);
       CREATE INDEX i_hash ON t USING hash (v); CREATE INDEX i_tags ON t USING gin (tags);
       CREATE INDEX i_trgm ON t USING gin (v ext.gin_trgm_ops);
       ALTER TABLE t ADD CONSTRAINT no_overlap EXCLUDE USING gist (r WITH &&)`,
    );

    const names = await moved.target(
      `SELECT indexname FROM pg_indexes WHERE schemaname = '${moved.schema}' ORDER BY 1`,
    );
    expect(names).toEqual(['i_brin', 'i_gin', 'i_gist', 'i_hash', 'i_spgist', 'i_tags', 't_pkey']);
    expect(await moved.findings()).toContain('INDEX_NOT_CARRIED');
    expect(await moved.unmoved()).toContain('exclusion constraint t.no_overlap');
  });

  it('decides types of extensions: citext keeps its keys, hstore becomes jsonb, others text', async () => {
    const moved = await move(
      `CREATE TABLE t (mail citext PRIMARY KEY, h hstore, p ltree, tags citext[]);
       INSERT INTO t VALUES ('Ann@x', 'a=>1, "b \\"q\\""=>NULL', 'Top.Science', '{A,b}'), ('bob@x', '', NULL, NULL);
       CREATE TABLE u (mail citext REFERENCES t); INSERT INTO u VALUES ('ANN@X')`,
    );

    expect(await moved.target('SELECT mail, h::text, p, tags::text FROM t ORDER BY mail')).toEqual([
      ['Ann@x', '{"a": "1", "b \\"q\\"": null}', 'Top.Science', '{A,b}'],
      ['bob@x', '{}', null, null],
    ]);
    await expect(moved.target(`INSERT INTO t (mail) VALUES ('ANN@X')`)).rejects.toThrow('pkey');
    expect(await moved.target(`SELECT count(*)::int FROM u JOIN t USING (mail)`)).toEqual([1]);
    expect((await moved.findings()).filter((code) => code === 'EXTENSION_TYPE')).toHaveLength(5);
  });

  it('makes text of what refers to objects of its own server, and numeric of money', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer PRIMARY KEY, c regclass, cs regtype[], m money, o oid, n name, ch "char", x xid, lsn pg_lsn);
       INSERT INTO t VALUES (1, 'pg_class', '{integer,text}', '-1234.56', 42, 'na me', 'c', '7', '16/B374D848')`,
    );

    expect(
      await moved.target('SELECT c, cs::text, m::text, o::text, n, ch, x::text, lsn::text FROM t'),
    ).toEqual([['pg_class', '{integer,text}', '-1234.56', '42', 'na me', 'c', '7', '16/B374D848']]);
    expect(await moved.typeOf('c')).toBe('text');
    expect(await moved.typeOf('m')).toBe('numeric');
  });

  it('keeps foreign keys with their actions, and those with orphans NOT VALID', async () => {
    const moved = await move(
      `CREATE TABLE p (a integer, b text, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 'x');
       CREATE TABLE c (id integer PRIMARY KEY, a integer, b text DEFAULT 'x',
         CONSTRAINT pair FOREIGN KEY (a, b) REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
       INSERT INTO c VALUES (1, 1, 'x'), (2, NULL, NULL);
       CREATE TABLE o (id integer PRIMARY KEY, p_id integer); INSERT INTO o VALUES (1, 9);
       ALTER TABLE o ADD CONSTRAINT lost FOREIGN KEY (p_id) REFERENCES c NOT VALID`,
    );

    expect(
      await moved.target(
        `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = '${moved.schema}'::regnamespace AND contype = 'f' ORDER BY 1`,
      ),
    ).toEqual([
      ['lost', 'FOREIGN KEY (p_id) REFERENCES c(id) NOT VALID'],
      ['pair', 'FOREIGN KEY (a, b) REFERENCES p(a, b) ON UPDATE CASCADE ON DELETE SET NULL'],
    ]);
    expect(await moved.findings()).toEqual(
      expect.arrayContaining(['CONSTRAINT_NOT_DEFERRABLE', 'ORPHANED_ROWS']),
    );
  });

  it('lists what it does not move', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS x;
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
       CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
       CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; CREATE POLICY po ON t USING (id > 0);
       COMMENT ON TABLE t IS 'the table'; COMMENT ON COLUMN t.id IS 'the key'`,
    );

    expect(await moved.unmoved()).toEqual([
      expect.stringMatching('extension citext'),
      expect.stringMatching('extension hstore'),
      expect.stringMatching('extension ltree'),
      expect.stringMatching('extension pg_trgm'),
      'materialized view mv',
      'policy t.po',
      'routine f()',
      'rule t.r',
      'trigger t.tr',
      'view v',
    ]);
    expect(
      await moved.target(
        `SELECT obj_description('t'::regclass), col_description('t'::regclass, 1)`,
      ),
    ).toEqual([['the table', 'the key']]);
  });

  it.each(['validate', 'match'])(
    'casts exactly or rejects, whatever the age of the server (%s)',
    async (encoder) => {
      const casts = {
        't.i': 'int',
        't.s': 'smallint',
        't.n': 'numeric(4,1)',
        't.b': 'bool',
        't.f': 'bigint',
        't.c': 'varchar(3)',
        't.u': 'uuid',
      };
      const { job, schema } = await cases.build(
        `CREATE TABLE t (id integer PRIMARY KEY, i text, s numeric, n text, b text, f float8, c text, u text);
       INSERT INTO t (id, i, s, n, b, f, c, u) VALUES
         (0, '-7', 5.000, '100.50', 'true', 9007199254740992, 'abc', '00000000-0000-0000-0000-00000000000A'),
         (1, '3000000000', 1, '1', 't', 1, '', NULL), (2, '', 1, '1', 't', 1, '', NULL), (3, '1', 40000, '1', 't', 1, '', NULL),
         (4, '1', 1.5, '1', 't', 1, '', NULL), (5, '1', 'NaN', '1', 't', 1, '', NULL), (6, '1', 1, '1.25', 't', 1, '', NULL),
         (7, '1', 1, '1000', 't', 1, '', NULL), (8, '1', 1, '1', '2', 1, '', NULL), (9, '1', 1, '1', 't', 0.5, '', NULL),
         (10, '1', 1, '1', 't', 'Infinity', '', NULL), (11, '1', 1, '1', 't', 1, 'abcd', NULL), (12, '1', 1, '1', 't', 1, '', 'no')`,
        { casts },
      );
      const plan = await job.plan();
      const tables = plan.tables.map((table) => ({
        ...table,
        columns: table.columns.map((column) =>
          column.encoder === 'validate' ? { ...column, encoder } : column,
        ),
      }));
      const cast = cases.engine.buildJob(
        { kind: 'postgres', location: { ...cases.location, schema } },
        {},
        { plan: { ...plan, tables } },
      );

      await cast.migrate();

      expect(
        await cases.engine.sql(`SELECT i, s, n::text, b, f::text, c, u::text FROM ${schema}.t`),
      ).toEqual([
        {
          i: -7,
          s: 5,
          n: '100.5',
          b: true,
          f: '9007199254740992',
          c: 'abc',
          u: '00000000-0000-0000-0000-00000000000a',
        },
      ]);
      expect(
        [...cast.journal.rejects.values()]
          .flat()
          .map(({ column }) => column)
          .join(''),
      ).toBe('iisssnnbffcu');
      expect((await cast.verify('full')).map(({ verdict }) => verdict)).toEqual(['passed']);
    },
  );

  it('casts as the job asks for, and rejects what is none of the type or not exactly one', async () => {
    const moved = await move(
      `CREATE TABLE t (id integer PRIMARY KEY, n text, d numeric, at text, ok text, w bigint);
       INSERT INTO t VALUES (1, '12', 3.0, '2020-02-29', 'yes', 5), (2, '1.5', 1, '2020-01-01', 'f', 1), (3, '1', 1.5, '2020-01-01', 'on', 1),
         (4, '1', 1, '2020-02-30', 't', 1), (5, '1', 1, '2020-01-01', 'maybe', 1), (6, '1', 1, NULL, 't', 40000),
         (7, '1', 1, '2020-01-01 10:00', 't', 1)`,
      {
        casts: {
          't.n': 'int',
          't.d': 'integer',
          't.at': 'date',
          't.ok': 'bool',
          't.w': 'smallint',
        },
      },
    );

    expect(await moved.target('SELECT id, n, d, at::text, ok, w FROM t')).toEqual([
      [1, 12, 3, '2020-02-29', true, 5],
    ]);
    expect(moved.rejects()).toEqual(
      ['n', 'd', 'at', 'ok', 'w', 'at'].map((column, index) => ({
        column,
        reasonCode: 'TYPE_MISMATCH',
        key: { id: String(index + 2) },
      })),
    );
  });

  it('takes xml for the same whatever encoding it declares', async () => {
    const moved = await cases.move(`
      CREATE TABLE t (id integer PRIMARY KEY, x xml, a xml[]);
      INSERT INTO t VALUES (1, '<?xml version="1.0" encoding="UTF-8"?><a>é</a>', ARRAY['<?xml version="1.0" encoding="UTF-8" standalone="yes"?><b/>'::xml]),
        (2, '<?xml version="1.1"?><a/>', '{}'), (3, 'no <b>root</b>', NULL)`);

    // COPY of the source, and pg_dump, leave the encoding out.
    expect(await moved.target('SELECT x::text FROM t ORDER BY id')).toEqual([
      '<a>é</a>',
      '<?xml version="1.1"?><a/>',
      'no <b>root</b>',
    ]);
  });

  it('warns of large objects, which stay where they are', async () => {
    const moved = await cases.move(
      `CREATE TABLE t (id integer PRIMARY KEY, file oid); INSERT INTO t VALUES (1, lo_from_bytea(0, 'x'))`,
    );

    const [oid] = await moved.target('SELECT file FROM t');
    await cases.run(`SELECT lo_unlink(${String(oid)})`);
    expect((await moved.job.plan()).findings).toContainEqual(
      expect.objectContaining({ severity: 'warning', code: 'LARGE_OBJECTS_NOT_MOVED', count: 1 }),
    );
  });
});
