import type { PlannedColumn, PlannedTable, RowKey, ValueAdjustment } from '../../contract.ts';
import { copiedColumns } from '../../target/ddl.ts';
import { columnList, qualifiedName, quoteIdentifier } from '../../target/identifiers.ts';
import { chunkKeyColumns } from '../../target/read-back.ts';
import { printedSql, rowKeySql } from '../../target/replays.ts';

/** What one row needs to land. */
export interface ReplayValues {
  readonly jobId: string;
  readonly sourceTable: string;
  readonly rejectId: string;
  readonly label: RowKey;
  readonly lineDigest: string;
  readonly bytes: number;
  readonly adjustments: readonly ValueAdjustment[];
  /** As PostgreSQL prints them, in the order of the copied columns. */
  readonly fields: readonly (string | null)[];
}

export interface ReplayStatement {
  readonly sql: string;
  readonly values: (row: ReplayValues) => unknown[];
}

const OWN_PARAMETERS = 7;

/**
 * One statement that inserts a row, notes it in the ledger, and gives back what the target has made of it: its fields as the
 * target prints them, and whether there was a row with its key before. No row comes back where a trigger has left it out.
 */
export function buildReplayStatement(
  table: PlannedTable,
  canonicalExpression: (column: PlannedColumn) => string,
): ReplayStatement {
  const columns = copiedColumns(table).map(({ target }) => target);
  // What is returned may be called by the table's name alone.
  const of = quoteIdentifier(table.target);
  const key = table.digest === 'ordered' ? chunkKeyColumns(table) : [];
  const returned = [
    `${key.length === 0 ? 'NULL::jsonb' : rowKeySql(key, of)} AS hub_key`,
    `${digestSql(table.columns.map(canonicalExpression))} AS hub_canonical`,
    `${arraySql(columns.map((column) => printedSql(`${of}.${quoteIdentifier(column)}`)))} AS hub_fields`,
    ...key.map((column, index) => `${of}.${quoteIdentifier(column)} AS hub_k${String(index)}`),
  ];
  const values =
    columns.length === 0
      ? 'DEFAULT VALUES'
      : `(${columnList(columns)}) OVERRIDING SYSTEM VALUE VALUES (${columns
          .map((_, index) => `$${String(OWN_PARAMETERS + 1 + index)}`)
          .join(', ')})`;
  return {
    sql: `WITH landed AS (
        INSERT INTO ${qualifiedName(table)} ${values} RETURNING ${returned.join(', ')}
      ), noted AS (
        INSERT INTO migration_hub.ledger_replay
          (job_id, source_table, reject_id, row_key, label, line_digest, canonical_digest, bytes, adjustments)
        SELECT $1, $2, $3, hub_key, $4, $5, hub_canonical, $6, $7 FROM landed
      )
      SELECT hub_fields AS fields, ${doubledSql(table, key)} AS doubled FROM landed`,
    values: (row) => [
      row.jobId,
      row.sourceTable,
      row.rejectId,
      JSON.stringify(row.label),
      row.lineDigest,
      row.bytes,
      JSON.stringify(row.adjustments),
      ...row.fields,
    ],
  };
}

/** The table as it was before the statement: a second row of one key could not be told from the first. */
function doubledSql(table: PlannedTable, key: readonly string[]): string {
  if (key.length === 0) return 'false';
  const conditions = key.map((column, index) => {
    const isText = table.chunkKey?.kinds[index] === 'text';
    const isNullable = table.columns.find(({ target }) => target === column)?.nullable ?? true;
    const own = `old.${quoteIdentifier(column)}${isText ? ' COLLATE "C"' : ''}`;
    return `${own} ${isNullable ? 'IS NOT DISTINCT FROM' : '='} landed.hub_k${String(index)}`;
  });
  return `EXISTS (SELECT FROM ${qualifiedName(table)} AS old WHERE ${conditions.join(' AND ')})`;
}

/** SHA-256 of a row as COPY prints its canonical fields, none of which has anything to escape. */
function digestSql(fields: readonly string[]): string {
  const line = `array_to_string(${arraySql(fields)}, E'\\t', E'\\\\N') || E'\\n'`;
  return `encode(sha256(convert_to(${line}, 'UTF8')), 'hex')`;
}

function arraySql(values: readonly string[]): string {
  return `ARRAY[${values.map((value) => `(${value})::text`).join(', ')}]::text[]`;
}
