import type {
  Finding,
  JobOptions,
  PlannedColumn,
  PlannedTable,
  SourceKind,
  Table,
  TableScan,
} from '../../contract.ts';
import { SOURCE_DRIVERS } from '../../sources/registry.ts';
import { INTEGER_TYPES, planChunks, withBinaryKeyCollation } from './chunks.ts';
import { columnTypes, planColumns } from './columns.ts';
import { structureFinding } from './findings.ts';
import { planIndexes } from './indexes.ts';
import type { ObjectNames } from './names.ts';

/** A planned table whose foreign keys are still to come: they need all other tables. */
export interface TableDraft {
  readonly table: Table;
  readonly planned: PlannedTable;
  readonly findings: readonly Finding[];
}

export interface PlanTableRequest {
  readonly kind: SourceKind;
  readonly table: Table;
  readonly scan: TableScan;
  readonly target: string;
  readonly options: JobOptions;
  readonly objectNames: ObjectNames;
}

/** One table's columns, keys, chunks, indexes and checks. */
export function planTable(request: PlanTableRequest): TableDraft {
  const { table, scan, target, options, objectNames } = request;
  const key = planPrimaryKey(request);
  const { columns, findings } = planColumns({ ...request, keyColumns: key.columns });
  const withoutIndexes: PlannedTable = {
    source: table.name,
    schema: options.targetSchema,
    target,
    columns,
    ...planChunks(scan, columns),
    primaryKey:
      key.columns.length === 0
        ? null
        : { name: objectNames.claim(target, 'pkey'), columns: targetNames(columns, key.columns) },
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: planIdentity(table, columns),
    estimatedRows: scan.rows,
    rowKey: key.columns,
  };
  const indexes = planIndexes({ ...request, planned: withoutIndexes });
  const checks = planChecks(request, columns);
  const planned = { ...withoutIndexes, indexes: indexes.indexes, checks: checks.checks };
  return {
    table,
    planned: withBinaryKeyCollation(planned),
    findings: [...key.findings, ...findings, ...indexes.findings, ...checks.findings],
  };
}

/** The key's columns in the source's names; none where there is no key, or NULLs make it impossible. */
function planPrimaryKey({ table, scan, options }: PlanTableRequest): {
  readonly columns: readonly string[];
  readonly findings: readonly Finding[];
} {
  const columns = table.primaryKey ?? [];
  const withNull = columns.filter((name) => (scan.columns[name]?.facts.null ?? 0) > 0);
  if (withNull.length === 0) return { columns, findings: [] };

  const isKept = options.policies.nullInPrimaryKey === 'reject';
  const outcome = isKept ? 'these rows will be rejected' : 'the key becomes a UNIQUE constraint';
  const message = `The primary key holds NULL: ${outcome}`;
  return {
    columns: isKept ? columns : [],
    findings: [structureFinding('PK_NULL', table, withNull.join(', '), message)],
  };
}

function planIdentity(table: Table, columns: readonly PlannedColumn[]): PlannedTable['identity'] {
  if (table.identity === null) return null;
  const { column: source, lastValue } = table.identity;
  const column = columns.find((candidate) => candidate.source === source);
  if (column === undefined || !INTEGER_TYPES.has(column.targetType) || column.nullable) return null;
  return { column: column.target, next: lastValue === null ? '1' : String(BigInt(lastValue) + 1n) };
}

function planChecks(
  { kind, table, objectNames, target }: PlanTableRequest,
  columns: readonly PlannedColumn[],
): { readonly checks: PlannedTable['checks']; readonly findings: readonly Finding[] } {
  const { translateExpression } = SOURCE_DRIVERS[kind];
  const types = columnTypes(table, columns);
  const translated = table.checks.map(({ name, expression }) => ({
    name,
    expression,
    carried: translateExpression({ expression, purpose: 'check', columns: types }),
  }));
  return {
    checks: translated.flatMap(({ name, carried }) =>
      carried === null
        ? []
        : [
            {
              name: objectNames.claim(...(name === null ? [target, 'check'] : [name])),
              expression: carried,
            },
          ],
    ),
    findings: translated
      .filter(({ carried }) => carried === null)
      .map(({ expression }) => {
        const message = `The check ${expression} has no sure equivalent: add it by hand`;
        return structureFinding('CHECK_NOT_CARRIED', table, null, message);
      }),
  };
}

function targetNames(columns: readonly PlannedColumn[], sources: readonly string[]): string[] {
  return sources.map(
    (source) => columns.find((column) => column.source === source)?.target ?? source,
  );
}
