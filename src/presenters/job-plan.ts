import type {
  Assessment,
  Finding,
  Plan,
  PlannedColumn,
  PlannedTable,
  Table,
  TableScan,
} from '../engine/contract.ts';

/** What the source holds, table by table, and what was found in its data. */
export function presentAssessment({ catalog, fingerprint, scans, findings }: Assessment): object {
  return {
    kind: catalog.kind,
    version: catalog.version,
    fingerprint,
    tables: catalog.tables.map((table, position) => presentAssessedTable(table, scans[position])),
    unmoved: catalog.unmoved.map(({ kind, name, definition }) => ({ kind, name, definition })),
    findings: findings.map(presentFinding),
  };
}

/** What the job will do: types with their evidence, DDL in order, chunks, findings. */
export function presentPlan(plan: Plan): object {
  return {
    formatVersion: plan.formatVersion,
    hash: plan.hash,
    source: plan.source,
    options: plan.options,
    tables: plan.tables.map((table) => presentPlannedTable(table, plan)),
    schemaObjects: (plan.schemaObjects ?? []).map(({ kind, schema, name }) => ({
      kind,
      name: `${schema}.${name}`,
    })),
    ddl: plan.ddl,
    unmoved: plan.unmoved.map(({ kind, name, definition }) => ({ kind, name, definition })),
    findings: plan.findings.map(presentFinding),
  };
}

function presentAssessedTable(table: Table, scan: TableScan | undefined): object {
  return {
    name: table.name,
    rows: scan?.rows ?? null,
    primaryKey: table.primaryKey,
    columns: table.columns.map((column) => ({
      name: column.name,
      declaredType: column.declaredType,
      nullable: column.nullable,
      default: column.defaultExpression,
      collation: column.collation,
      generated: column.generated,
      data: scan?.columns[column.name] ?? null,
    })),
    indexes: table.indexes,
    foreignKeys: table.foreignKeys,
    checks: table.checks,
  };
}

function presentPlannedTable(table: PlannedTable, plan: Plan): object {
  return {
    source: table.source,
    target: `${table.schema}.${table.target}`,
    columns: table.columns.map(presentPlannedColumn),
    primaryKey: table.primaryKey,
    indexes: table.indexes.map(({ name, unique, definition }) => ({ name, unique, definition })),
    foreignKeys: table.foreignKeys.map((key) => ({
      name: key.name,
      columns: key.columns,
      references: {
        table: plan.tables[key.referencedTable]?.target ?? null,
        columns: key.referencedColumns,
      },
      onUpdate: key.onUpdate,
      onDelete: key.onDelete,
      orphans: key.orphans,
    })),
    checks: table.checks,
    identity: table.identity,
    triggers: (table.triggers ?? []).map(({ name }) => name),
    comment: table.comment ?? null,
    estimatedRows: table.estimatedRows,
    chunks: table.chunks.length,
    comparedBy: table.digest === 'ordered' ? 'key range' : 'whole table',
  };
}

function presentPlannedColumn(column: PlannedColumn): object {
  return {
    source: column.source,
    target: column.target,
    declaredType: column.declaredType,
    targetType: column.targetType,
    nullable: column.nullable,
    default: column.defaultExpression,
    collation: column.collation,
    generated: column.generatedExpression,
    policies: column.policies ?? {},
    comment: column.comment ?? null,
    evidence: column.evidence,
  };
}

function presentFinding(finding: Finding): object {
  const { severity, code, table, column, message, count, samples } = finding;
  return { severity, code, table, column, message, count, samples };
}
