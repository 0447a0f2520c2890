import type { Column, ColumnScan, Finding, Table } from '../contract.ts';

/** The column that a finding is about. */
export interface ScannedColumn {
  readonly table: Table;
  readonly column: Column;
  readonly scan: ColumnScan;
}

/** A finding about one column, with the rows that show the fact. */
export function columnFinding(
  { table, column, scan }: ScannedColumn,
  finding: Pick<Finding, 'severity' | 'code' | 'message'> & {
    readonly fact: string;
    /** Left out = the values that show the fact. */
    readonly count?: number;
  },
): Finding {
  return {
    severity: finding.severity,
    code: finding.code,
    table: table.name,
    column: column.name,
    message: finding.message,
    count: finding.count ?? scan.facts[finding.fact] ?? 0,
    samples: scan.samples[finding.fact] ?? [],
  };
}
