import type { Finding, Table } from '../../contract.ts';

/** Something of a table's structure that is not in the target as it was in the source. */
export function structureFinding(
  code: string,
  table: Table,
  column: string | null,
  message: string,
): Finding {
  return {
    severity: 'warning',
    code,
    table: table.name,
    column,
    message,
    count: null,
    samples: [],
  };
}
