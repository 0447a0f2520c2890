import type pg from 'pg';
import { createReplayTableSql, findReplays, type Replay } from './replays.ts';
import { LOCK_TIMEOUT, type Target } from './target.ts';

/**
 * The ledger lives in the target, so that a chunk's rows and the fact that they are there are one transaction. After any
 * crash it is the truth: the hub's own tables are brought in line with it.
 */
const LEDGER_SCHEMA = 'migration_hub';

const LEDGER_DDL = [
  `CREATE SCHEMA IF NOT EXISTS ${LEDGER_SCHEMA}`,
  `CREATE TABLE IF NOT EXISTS ${LEDGER_SCHEMA}.ledger_chunk (
     job_id uuid NOT NULL, source_table text NOT NULL, chunk integer NOT NULL,
     rows_read bigint NOT NULL DEFAULT 0, rows_copied bigint NOT NULL DEFAULT 0, rows_rejected bigint NOT NULL DEFAULT 0,
     rows_adjusted bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, digest text NOT NULL DEFAULT '',
     committed_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, source_table, chunk))`,
  `CREATE TABLE IF NOT EXISTS ${LEDGER_SCHEMA}.ledger_object (
     job_id uuid NOT NULL, source_table text NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
     table_oid bigint NOT NULL, origin text NOT NULL CHECK (origin IN ('created', 'truncated', 'appended')),
     rows_before bigint NOT NULL DEFAULT 0, made_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, source_table))`,
  `CREATE TABLE IF NOT EXISTS ${LEDGER_SCHEMA}.ledger_schema_object (
     job_id uuid NOT NULL, kind text NOT NULL CHECK (kind IN ('type', 'collation', 'sequence', 'function')),
     schema_name text NOT NULL, object_name text NOT NULL, object_oid bigint NOT NULL,
     position integer GENERATED ALWAYS AS IDENTITY, made_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, kind, schema_name, object_name))`,
  createReplayTableSql(LEDGER_SCHEMA),
];

/** What `install` makes sure of. */
const LEDGER_TABLES = ['ledger_chunk', 'ledger_object', 'ledger_schema_object', 'ledger_replay'];

/** What one chunk came to, as committed. */
export interface LedgerChunk {
  readonly rowsRead: number;
  readonly rowsCopied: number;
  readonly rowsRejected: number;
  readonly rowsAdjusted: number;
  readonly bytes: number;
  /** Digest of the lines that were sent, of the kind that the table's plan names. */
  readonly digest: string;
}

export const OBJECT_ORIGINS = ['created', 'truncated', 'appended'] as const;

/** A table of the target that this job made or filled. */
export interface LedgerObject {
  readonly sourceTable: string;
  readonly schema: string;
  readonly table: string;
  /** The table's oid when it was made: a table that somebody dropped and made anew is not ours. */
  readonly oid: string;
  readonly origin: (typeof OBJECT_ORIGINS)[number];
  /** Rows that were there before, in a table that is appended to. */
  readonly rowsBefore: number;
}

export const SCHEMA_OBJECT_KINDS = ['type', 'collation', 'sequence', 'function'] as const;
export type SchemaObjectKind = (typeof SCHEMA_OBJECT_KINDS)[number];

/** Something of the target beside the tables that this job made. */
export interface LedgerSchemaObject {
  readonly kind: SchemaObjectKind;
  readonly schema: string;
  readonly name: string;
  /** The oid that it got: one of the same name that somebody has made since is not ours. */
  readonly oid: string;
}

interface ChunkRow {
  source_table: string;
  chunk: number;
  rows_read: string;
  rows_copied: string;
  rows_rejected: string;
  rows_adjusted: string;
  bytes: string;
  digest: string;
}

/** One job's pages of the ledger. */
export class Ledger {
  readonly #target: Target;
  readonly #jobId: string;

  constructor(target: Target, jobId: string) {
    this.#target = target;
    this.#jobId = jobId;
  }

  get jobId(): string {
    return this.#jobId;
  }

  /**
   * Makes the ledger's tables where they are missing, also in a ledger that an earlier version has made. Two jobs that do so at
   * once both succeed. Where an administrator has made them, no right to create schemas is needed.
   */
  async install(): Promise<void> {
    if (await this.#has(LEDGER_TABLES)) return;
    await this.#target.withSession('installing the ledger', async (session) => {
      for (const statement of LEDGER_DDL) await runIfMissing(session, statement);
    });
  }

  async exists(): Promise<boolean> {
    return await this.#has(['ledger_object']);
  }

  async #has(tables: readonly string[]): Promise<boolean> {
    const [row] = await this.#target.query<{ found: boolean }>(
      'looking for the ledger',
      'SELECT bool_and(to_regclass(name) IS NOT NULL) AS found FROM unnest($1::text[]) AS name',
      [tables.map((table) => `${LEDGER_SCHEMA}.${table}`)],
    );
    return row?.found === true;
  }

  /**
   * Claims a chunk inside the transaction that will fill it. False: it is committed already. A second claimant waits here
   * until the first has committed or gone, however long that takes, so no chunk can be written twice.
   */
  async claimChunk(session: pg.PoolClient, sourceTable: string, chunk: number): Promise<boolean> {
    await session.query('SET LOCAL lock_timeout = 0');
    const { rowCount } = await session.query(
      `INSERT INTO ${LEDGER_SCHEMA}.ledger_chunk (job_id, source_table, chunk) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [this.#jobId, sourceTable, chunk],
    );
    await session.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    return rowCount === 1;
  }

  /** Writes what the chunk came to, in the transaction of its claim. */
  async completeChunk(
    session: pg.PoolClient,
    sourceTable: string,
    chunk: number,
    result: LedgerChunk,
  ): Promise<void> {
    await session.query(
      `UPDATE ${LEDGER_SCHEMA}.ledger_chunk SET rows_read = $4, rows_copied = $5, rows_rejected = $6, rows_adjusted = $7,
         bytes = $8, digest = $9, committed_at = now() WHERE job_id = $1 AND source_table = $2 AND chunk = $3`,
      [
        this.#jobId,
        sourceTable,
        chunk,
        result.rowsRead,
        result.rowsCopied,
        result.rowsRejected,
        result.rowsAdjusted,
        result.bytes,
        result.digest,
      ],
    );
  }

  /** All committed chunks: source table → chunk number → result. */
  async chunks(): Promise<Map<string, Map<number, LedgerChunk>>> {
    const rows = await this.#target.query<ChunkRow>(
      'reading the ledger',
      `SELECT source_table, chunk, rows_read, rows_copied, rows_rejected, rows_adjusted, bytes, digest
         FROM ${LEDGER_SCHEMA}.ledger_chunk WHERE job_id = $1`,
      [this.#jobId],
    );
    const tables = new Map<string, Map<number, LedgerChunk>>();
    for (const row of rows) {
      const chunks = tables.get(row.source_table) ?? new Map<number, LedgerChunk>();
      tables.set(row.source_table, chunks.set(row.chunk, presentChunk(row)));
    }
    return tables;
  }

  /** One committed chunk. */
  async findChunk(sourceTable: string, chunk: number): Promise<LedgerChunk | null> {
    const [row] = await this.#target.query<ChunkRow>(
      'reading the ledger',
      `SELECT source_table, chunk, rows_read, rows_copied, rows_rejected, rows_adjusted, bytes, digest
         FROM ${LEDGER_SCHEMA}.ledger_chunk WHERE job_id = $1 AND source_table = $2 AND chunk = $3`,
      [this.#jobId, sourceTable, chunk],
    );
    return row === undefined ? null : presentChunk(row);
  }

  /** Notes a table in the transaction that makes or empties it. */
  async recordObject(session: pg.PoolClient, object: LedgerObject): Promise<void> {
    await session.query(
      `INSERT INTO ${LEDGER_SCHEMA}.ledger_object
         (job_id, source_table, schema_name, table_name, table_oid, origin, rows_before) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        this.#jobId,
        object.sourceTable,
        object.schema,
        object.table,
        object.oid,
        object.origin,
        object.rowsBefore,
      ],
    );
  }

  /** Tables of this job that still are the ones it made: same name, same oid. Source table → object. */
  async objects(): Promise<Map<string, LedgerObject>> {
    const rows = await this.#target.query<{
      source_table: string;
      schema_name: string;
      table_name: string;
      table_oid: string;
      origin: LedgerObject['origin'];
      rows_before: string;
    }>(
      'reading the ledger',
      `SELECT o.source_table, o.schema_name, o.table_name, o.table_oid, o.origin, o.rows_before
         FROM ${LEDGER_SCHEMA}.ledger_object o
         JOIN pg_class c ON c.oid = o.table_oid AND c.relname = o.table_name
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = o.schema_name
        WHERE o.job_id = $1 ORDER BY o.made_at, o.source_table`,
      [this.#jobId],
    );
    return new Map(
      rows.map((row) => [
        row.source_table,
        {
          sourceTable: row.source_table,
          schema: row.schema_name,
          table: row.table_name,
          oid: row.table_oid,
          origin: row.origin,
          rowsBefore: Number(row.rows_before),
        },
      ]),
    );
  }

  /** Notes a type, collation, sequence or function in the transaction that makes it. */
  async recordSchemaObject(session: pg.PoolClient, object: LedgerSchemaObject): Promise<void> {
    const { kind, schema, name, oid } = object;
    await session.query(
      `INSERT INTO ${LEDGER_SCHEMA}.ledger_schema_object (job_id, kind, schema_name, object_name, object_oid)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (job_id, kind, schema_name, object_name) DO UPDATE SET object_oid = excluded.object_oid`,
      [this.#jobId, kind, schema, name, oid],
    );
  }

  /** Types, collations, sequences and functions of this job that still are the ones it made, in the order of their making. */
  async schemaObjects(): Promise<LedgerSchemaObject[]> {
    if (!(await this.#has(['ledger_schema_object']))) return [];
    return await this.#target.query<{ [Key in keyof LedgerSchemaObject]: LedgerSchemaObject[Key] }>(
      'reading the ledger',
      `SELECT o.kind, o.schema_name AS schema, o.object_name AS name, o.object_oid AS oid
         FROM ${LEDGER_SCHEMA}.ledger_schema_object o
         JOIN (SELECT 'type' AS kind, oid, typnamespace AS namespace, typname AS name FROM pg_type
               UNION ALL SELECT 'collation', oid, collnamespace, collname FROM pg_collation
               UNION ALL SELECT 'sequence', oid, relnamespace, relname FROM pg_class WHERE relkind = 'S'
               UNION ALL SELECT 'function', oid, pronamespace, proname FROM pg_proc) c
           ON c.kind = o.kind AND c.oid = o.object_oid AND c.name = o.object_name
         JOIN pg_namespace n ON n.oid = c.namespace AND n.nspname = o.schema_name
        WHERE o.job_id = $1 ORDER BY o.position`,
      [this.#jobId],
    );
  }

  /** Rejects that were mended and have landed, after the chunks they come from: source table → rows. */
  async replays(): Promise<Map<string, Replay[]>> {
    if (!(await this.#has(['ledger_replay']))) return new Map();
    const replays = await findReplays(this.#target, this.#jobId);
    return Map.groupBy(replays, ({ sourceTable }) => sourceTable);
  }

  /** Those of the job's tables that another job has emptied or appended to since. */
  async findFilledByOthers(
    session: pg.PoolClient,
    objects: readonly LedgerObject[],
  ): Promise<LedgerObject[]> {
    const { rows } = await session.query<{ oid: string }>(
      `SELECT DISTINCT table_oid AS oid FROM ${LEDGER_SCHEMA}.ledger_object
        WHERE table_oid = ANY ($1::bigint[]) AND job_id <> $2 AND origin <> 'created'`,
      [objects.map(({ oid }) => oid), this.#jobId],
    );
    const filled = new Set(rows.map(({ oid }) => oid));
    return objects.filter(({ oid }) => filled.has(oid));
  }

  /** Forgets one table of this job, in the caller's transaction: it is dropped, or made anew. */
  async forgetTable(session: pg.PoolClient, sourceTable: string): Promise<void> {
    for (const table of ['ledger_chunk', 'ledger_object', 'ledger_replay']) {
      if (table === 'ledger_replay' && !(await this.#has([table]))) continue;
      await session.query(
        `DELETE FROM ${LEDGER_SCHEMA}.${table} WHERE job_id = $1 AND source_table = $2`,
        [this.#jobId, sourceTable],
      );
    }
  }

  /** Forgets the whole job, also tables of it that others have dropped. */
  async forgetJob(): Promise<void> {
    for (const table of LEDGER_TABLES) {
      if (!(await this.#has([table]))) continue;
      await this.#target.query(
        'clearing the ledger',
        `DELETE FROM ${LEDGER_SCHEMA}.${table} WHERE job_id = $1`,
        [this.#jobId],
      );
    }
  }
}

/** `IF NOT EXISTS` still fails when somebody makes the same thing in the same moment: then it exists, which is what is wanted. */
async function runIfMissing(session: pg.PoolClient, statement: string): Promise<void> {
  try {
    await session.query(statement);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== '23505' && code !== '42P06' && code !== '42P07') throw error;
  }
}

function presentChunk(row: ChunkRow): LedgerChunk {
  return {
    rowsRead: Number(row.rows_read),
    rowsCopied: Number(row.rows_copied),
    rowsRejected: Number(row.rows_rejected),
    rowsAdjusted: Number(row.rows_adjusted),
    bytes: Number(row.bytes),
    digest: row.digest,
  };
}
