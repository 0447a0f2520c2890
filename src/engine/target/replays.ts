import type { PlannedTable, RowKey, ValueAdjustment } from '../contract.ts';
import { qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { Target } from './target.ts';

/** Rows that were rejected once, and have landed since. They lie beside the chunks: a mended key can be of any of them. */
const TABLE = 'migration_hub.ledger_replay';

export function createReplayTableSql(schema: string): string {
  return `CREATE TABLE IF NOT EXISTS ${schema}.ledger_replay (
     job_id uuid NOT NULL, source_table text NOT NULL, reject_id uuid NOT NULL, row_key jsonb, label jsonb NOT NULL,
     line_digest text NOT NULL, canonical_digest text NOT NULL, bytes bigint NOT NULL, adjustments jsonb NOT NULL,
     committed_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, reject_id))`;
}

/** One replayed row. */
export interface Replay {
  readonly sourceTable: string;
  readonly rejectId: string;
  /** The row's key for a person, mended. */
  readonly label: RowKey;
  /** SHA-256 (hex) of the line that was sent: of one line, that is its `multiset` digest too. */
  readonly lineDigest: string;
  /** The same of the row's canonical rendering, taken from the target as the row was inserted. */
  readonly canonicalDigest: string;
  readonly bytes: number;
  readonly adjustments: readonly ValueAdjustment[];
}

interface ReplayRow extends Omit<Replay, 'bytes'> {
  readonly bytes: string;
}

/** All replays of a job, or (with `rejectIds`) some. */
export async function findReplays(
  target: Target,
  jobId: string,
  rejectIds?: readonly string[],
): Promise<Replay[]> {
  const rows = await target.query<{ [Key in keyof ReplayRow]: ReplayRow[Key] }>(
    'reading the ledger',
    `SELECT source_table AS "sourceTable", reject_id AS "rejectId", label, line_digest AS "lineDigest",
            canonical_digest AS "canonicalDigest", bytes, adjustments
       FROM ${TABLE} WHERE job_id = $1 AND ($2::uuid[] IS NULL OR reject_id = ANY ($2)) ORDER BY reject_id`,
    [jobId, rejectIds ?? null],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

/** SQL: the row that the query is at was replayed. For tables whose rows the columns `key` tell apart. */
export function isReplayedSql(table: PlannedTable, jobId: string, key: readonly string[]): string {
  const conditions = [
    `job_id = ${quoteLiteral(jobId)}`,
    `source_table = ${quoteLiteral(table.source)}`,
    // The columns of the table that is read are qualified in it: they may be called like those of the ledger.
    `row_key = ${rowKeySql(key, qualifiedName(table))}`,
  ];
  return `EXISTS (SELECT FROM ${TABLE} WHERE ${conditions.join(' AND ')})`;
}

/** SQL of a row's key as the ledger has it: the values as COPY would print them, in an array. */
export function rowKeySql(key: readonly string[], of: string): string {
  const values = key.map((column) => printedSql(`${of}.${quoteIdentifier(column)}`));
  return `jsonb_build_array(${values.join(', ')})`;
}

/** SQL of a value as PostgreSQL's output function prints it; a cast to text would make `true` of `t`. */
export function printedSql(value: string): string {
  return `CASE WHEN ${value} IS NOT NULL THEN format('%s', ${value}) END`;
}
