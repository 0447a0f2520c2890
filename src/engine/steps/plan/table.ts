import type {
  ColumnDecision,
  Finding,
  JobOptions,
  PlannedColumn,
  PlannedTable,
  Table,
  TableScan,
} from '../../contract.ts';
import { quoteIdentifier, quoteLiteral } from '../../target/identifiers.ts';
import { INTEGER_TYPES, planChunks, withBinaryKeyCollation } from './chunks.ts';
import { breaksOnCollation, planCollations } from './collations.ts';
import { columnTypes, planColumns } from './columns.ts';
import { nameComment } from './comments.ts';
import { policiesOf, type PlanningDriver, type TableDecisions } from './decisions.ts';
import { structureFinding } from './findings.ts';
import { planIndexes } from './indexes.ts';
import type { ObjectNames } from './names.ts';
import type { SchemaObjects } from './schema-objects.ts';
import { planTriggers } from './triggers.ts';

/** A planned table whose foreign keys are still to come: they need all other tables. */
export interface TableDraft {
  readonly table: Table;
  readonly planned: PlannedTable;
  readonly findings: readonly Finding[];
}

export interface PlanTableRequest {
  readonly driver: PlanningDriver;
  readonly table: Table;
  readonly scan: TableScan;
  readonly decisions: TableDecisions;
  /** Columns of this table that foreign keys refer to. */
  readonly referencedColumns: ReadonlySet<string>;
  readonly target: string;
  readonly options: JobOptions;
  readonly objectNames: ObjectNames;
  readonly schemaObjects: SchemaObjects;
}

/** One table's columns, keys, chunks, indexes, checks and triggers. */
export function planTable(request: PlanTableRequest): TableDraft {
  const { table, scan, target, options, objectNames } = request;
  const key = planPrimaryKey(request);
  const compared = planCollations(request);
  const { columns, findings } = planColumns({
    ...request,
    keyColumns: key.columns,
    collations: compared.collations,
  });
  const comment = nameComment(table.name, target, table.comment);
  const identity = planIdentity(table, columns);
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
    identity: identity.identity,
    estimatedRows: scan.rows,
    rowKey: key.columns,
    ...(comment === undefined ? {} : { comment }),
  };
  const indexes = planIndexes({ ...request, planned: withoutIndexes });
  const checks = planChecks(request, columns);
  const triggers = planTriggers({ ...request, planned: withoutIndexes });
  const planned: PlannedTable = {
    ...withoutIndexes,
    indexes: indexes.indexes,
    checks: [...checks.checks, ...allowedValueChecks(request, columns)],
    ...(triggers.triggers.length === 0 ? {} : { triggers: triggers.triggers }),
  };
  return {
    table,
    planned: withBinaryKeyCollation(planned),
    findings: [
      ...key.findings,
      ...compared.findings,
      ...findings,
      ...identity.findings,
      ...indexes.findings,
      ...checks.findings,
      ...triggers.findings,
    ],
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

  const isKept = withNull.every(
    (name) => policiesOf(table, name, options).nullInPrimaryKey === 'reject',
  );
  const outcome = isKept ? 'these rows will be rejected' : 'the key becomes a UNIQUE constraint';
  const message = `The primary key holds NULL: ${outcome}`;
  return {
    columns: isKept ? columns : [],
    findings: [structureFinding('PK_NULL', table, withNull.join(', '), message)],
  };
}

function planIdentity(
  table: Table,
  columns: readonly PlannedColumn[],
): { readonly identity: PlannedTable['identity']; readonly findings: readonly Finding[] } {
  if (table.identity === null) return { identity: null, findings: [] };
  const { column: source, lastValue, always } = table.identity;
  const column = columns.find((candidate) => candidate.source === source);
  if (column === undefined || !INTEGER_TYPES.has(column.targetType) || column.nullable) {
    const message = `The column became ${column?.targetType ?? 'nothing'}, which PostgreSQL cannot number by itself: give it numbers by hand`;
    return {
      identity: null,
      findings: [structureFinding('IDENTITY_NOT_CARRIED', table, source, message)],
    };
  }
  return {
    identity: {
      column: column.target,
      next: lastValue === null ? '1' : String(BigInt(lastValue) + 1n),
      ...(always === true ? { always } : {}),
    },
    findings: [],
  };
}

function planChecks(
  { driver, table, objectNames, target, schemaObjects }: PlanTableRequest,
  columns: readonly PlannedColumn[],
): { readonly checks: PlannedTable['checks']; readonly findings: readonly Finding[] } {
  const types = columnTypes(table, columns);
  const checks: PlannedTable['checks'][number][] = [];
  const findings: Finding[] = [];
  for (const { name, expression } of table.checks) {
    const carried = driver.translateExpression({ expression, purpose: 'check', columns: types });
    if (carried === null || breaksOnCollation(carried, columns)) {
      const message = `The check ${expression} has no sure equivalent: add it by hand`;
      findings.push(structureFinding('CHECK_NOT_CARRIED', table, null, message));
      continue;
    }
    checks.push({
      name: objectNames.claim(...(name === null ? [target, 'check'] : [name])),
      expression: schemaObjects.qualify(carried),
    });
  }
  return { checks, findings };
}

/** What the source's type allows and the target's does not forbid. */
function allowedValueChecks(
  { decisions, target, objectNames }: PlanTableRequest,
  columns: readonly PlannedColumn[],
): PlannedTable['checks'] {
  return columns.flatMap((column) => {
    const allowed = decisions.get(column.source)?.allowedValues;
    if (allowed === undefined || column.generatedExpression !== null) return [];
    return {
      name: objectNames.claim(target, column.target, 'check'),
      expression: allowedSql(column, allowed),
    };
  });
}

function allowedSql(
  { target, targetType }: PlannedColumn,
  allowed: NonNullable<ColumnDecision['allowedValues']>,
): string {
  const quoted = quoteIdentifier(target);
  const literals = allowed.map(quoteLiteral).join(', ');
  if (targetType.endsWith('[]')) return `${quoted} <@ ARRAY[${literals}]::${targetType}`;
  return allowed.length === 0 ? `${quoted} IS NULL` : `${quoted} IN (${literals})`;
}

function targetNames(columns: readonly PlannedColumn[], sources: readonly string[]): string[] {
  return sources.map(
    (source) => columns.find((column) => column.source === source)?.target ?? source,
  );
}
