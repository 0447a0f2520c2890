import type { AdjustmentSummary } from '../models/adjustment.ts';
import type { MigrationLog } from '../models/migration-log.ts';
import type { MigrationTable } from '../models/migration-table.ts';
import type { RejectedRow } from '../models/rejected-row.ts';

interface TableDetail {
  readonly failures?: readonly object[];
  /** More ranges that differ, beyond those that are listed. */
  readonly failuresOmitted?: number;
}

/** One table of a job; `failures` tells key ranges and rows where verification found a difference. */
export function presentTable(table: MigrationTable): object {
  const { failures = [], failuresOmitted = 0 } = (table.detail ?? {}) as TableDetail;
  return {
    sourceTable: table.sourceTable,
    targetTable: `${table.targetSchema}.${table.targetTable}`,
    phase: table.phase,
    rowsEstimated: table.rowsEstimated,
    rowsRead: table.rowsRead,
    rowsCopied: table.rowsCopied,
    rowsRejected: table.rowsRejected,
    rowsAdjusted: table.rowsAdjusted,
    rowsVerified: table.rowsVerified,
    bytes: table.bytes,
    verdict: table.verdict,
    failures,
    failuresOmitted,
  };
}

export function presentLog(log: MigrationLog): object {
  return {
    seq: log.seq,
    at: log.at,
    level: log.level,
    phase: log.phase,
    table: log.tableName,
    message: log.message,
    detail: log.detail,
  };
}

/** A rejected row with its table (association `table`). */
export function presentReject(row: RejectedRow & { readonly table?: MigrationTable }): object {
  return {
    id: row.id,
    table: row.table?.sourceTable ?? null,
    chunk: row.chunkNumber,
    key: row.rowKey,
    column: row.columnName,
    reasonCode: row.reasonCode,
    message: row.message,
    row: row.row,
    mended: row.mended,
    replayedAt: row.replayedAt,
    createdAt: row.createdAt,
  };
}

export function presentAdjustment(adjustment: AdjustmentSummary): object {
  return {
    table: adjustment.table,
    column: adjustment.column,
    rule: adjustment.rule,
    count: adjustment.count,
    sampleKeys: adjustment.sampleKeys,
  };
}
