import type {
  Chunk,
  Column,
  ColumnDecision,
  ColumnScan,
  Finding,
  JobOptions,
  PlannedColumn,
  PlannedTable,
  SourceKind,
  Table,
  TableScan,
} from '../../contract.ts';
import { SOURCE_DRIVERS } from '../../sources/registry.ts';
import { planIndexes } from './indexes.ts';
import { nameColumns, type ObjectNames } from './names.ts';

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

interface ColumnDraft {
  readonly column: Column;
  readonly target: string;
  readonly decision: ColumnDecision;
}

const EMPTY_SCAN: ColumnScan = { facts: {}, minInteger: null, maxInteger: null, maxLength: null, samples: {} };

/** One table's columns, keys, chunks and indexes. */
export function planTable(request: PlanTableRequest): TableDraft {
  const { kind, table, scan, target, options, objectNames } = request;
  const drafts = draftColumns(request);
  const findings: Finding[] = [];

  const nullKeyColumns = (table.primaryKey ?? []).filter((name) => (scan.columns[name]?.facts['null'] ?? 0) > 0);
  const keepsPrimaryKey =
    table.primaryKey !== null && (nullKeyColumns.length === 0 || options.policies.nullInPrimaryKey === 'reject');
  if (nullKeyColumns.length > 0) findings.push(nullKeyFinding(table, nullKeyColumns, keepsPrimaryKey));

  const columns = drafts.map((draft) => planColumn(draft, request, drafts, keepsPrimaryKey, findings));
  const planned: PlannedTable = {
    source: table.name,
    schema: options.targetSchema,
    target,
    columns,
    ...planChunks(scan, columns),
    primaryKey: keepsPrimaryKey
      ? { name: objectNames.claim(target, 'pkey'), columns: targetNames(columns, table.primaryKey ?? []) }
      : null,
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: planIdentity(table, columns),
    estimatedRows: scan.rows,
    rowKey: keepsPrimaryKey ? (table.primaryKey ?? []) : [],
  };
  const indexes = planIndexes({ kind, table, scan, planned, options, objectNames });
  const checks = planChecks(request, columns, findings);
  return {
    table,
    planned: withBinaryKeyCollation({ ...planned, indexes: indexes.indexes, checks }),
    findings: [...findings, ...indexes.findings],
  };
}

function draftColumns({ kind, table, scan, options }: PlanTableRequest): ColumnDraft[] {
  const names = nameColumns(table, options);
  return table.columns.map((column) => ({
    column,
    target: names.get(column.name) ?? column.name,
    decision: SOURCE_DRIVERS[kind].decideColumn({
      table,
      column,
      scan: scan.columns[column.name] ?? EMPTY_SCAN,
      rows: scan.rows,
      policies: options.policies,
    }),
  }));
}

function planColumn(
  { column, target, decision }: ColumnDraft,
  { kind, table }: PlanTableRequest,
  drafts: readonly ColumnDraft[],
  keepsPrimaryKey: boolean,
  findings: Finding[],
): PlannedColumn {
  const isKey = keepsPrimaryKey && (table.primaryKey ?? []).includes(column.name);
  const { translateExpression } = SOURCE_DRIVERS[kind];
  const self = { [column.name]: { target, targetType: decision.targetType } };

  const defaultExpression =
    column.defaultExpression === null
      ? null
      : translateExpression({ expression: column.defaultExpression, purpose: 'default', columns: self });
  if (column.defaultExpression !== null && defaultExpression === null) {
    findings.push(
      structureFinding('DEFAULT_NOT_CARRIED', table, column.name, `The default ${column.defaultExpression} has no sure equivalent: set it by hand`),
    );
  }

  const generatedExpression =
    column.generated === null
      ? null
      : translateExpression({ expression: column.generated.expression, purpose: 'generated', columns: typesOf(drafts) });
  if (column.generated !== null && generatedExpression === null) {
    findings.push(
      structureFinding(
        'GENERATED_AS_DATA',
        table,
        column.name,
        `The expression ${column.generated.expression} has no sure equivalent: its values are copied as data`,
      ),
    );
  }

  return {
    source: column.name,
    target,
    declaredType: column.declaredType,
    targetType: decision.targetType,
    encoder: decision.encoder,
    nullable: isKey ? false : column.nullable || decision.holdsNull || generatedExpression !== null,
    defaultExpression,
    collation: null,
    generatedExpression,
    evidence: decision.evidence,
  };
}

function typesOf(drafts: readonly ColumnDraft[]): Readonly<Record<string, { target: string; targetType: string }>> {
  return Object.fromEntries(
    drafts.map(({ column, target, decision }) => [column.name, { target, targetType: decision.targetType }]),
  );
}

/** Chunks from the bounds that the scan took from the index, and how their rows can be compared. */
function planChunks(
  scan: TableScan,
  columns: readonly PlannedColumn[],
): Pick<PlannedTable, 'chunkKey' | 'chunks' | 'digest'> {
  const bounds = scan.chunkKey === null ? [] : scan.chunkBounds;
  const chunks = Array.from({ length: bounds.length + 1 }, (_, index): Chunk => {
    return { number: index + 1, lower: bounds[index - 1] ?? null, upper: bounds[index] ?? null };
  });
  return { chunkKey: scan.chunkKey, chunks, digest: isOrderedInTarget(scan, columns) ? 'ordered' : 'multiset' };
}

const INTEGER_TYPES = new Set(['smallint', 'integer', 'bigint']);

/** The key exists in the target, with values of the same order. */
function isOrderedInTarget({ chunkKey }: TableScan, columns: readonly PlannedColumn[]): boolean {
  if (chunkKey === null || chunkKey.columns.length === 0) return false;
  return chunkKey.columns.every((name, index) => {
    const column = columns.find((candidate) => candidate.source === name);
    if (column === undefined || column.generatedExpression !== null) return false;
    return chunkKey.kinds[index] === 'integer' ? INTEGER_TYPES.has(column.targetType) : column.targetType === 'text';
  });
}

/**
 * Text keys compare byte by byte in the source. With the "C" collation they do so in the target too: the order stays what
 * it was, and chunks can be read back through the key's own index.
 */
function withBinaryKeyCollation(table: PlannedTable): PlannedTable {
  const { chunkKey } = table;
  if (table.digest !== 'ordered' || chunkKey === null) return table;
  const textKeys = new Set(chunkKey.columns.filter((_, index) => chunkKey.kinds[index] === 'text'));
  return {
    ...table,
    columns: table.columns.map((column) => (textKeys.has(column.source) ? { ...column, collation: 'C' } : column)),
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
  findings: Finding[],
): PlannedTable['checks'] {
  const types = Object.fromEntries(
    columns.map(({ source, target: name, targetType }) => [source, { target: name, targetType }]),
  );
  return table.checks.flatMap(({ name, expression }) => {
    const translated = SOURCE_DRIVERS[kind].translateExpression({ expression, purpose: 'check', columns: types });
    if (translated !== null) return [{ name: objectNames.claim(...(name === null ? [target, 'check'] : [name])), expression: translated }];
    findings.push(
      structureFinding('CHECK_NOT_CARRIED', table, null, `The check ${expression} has no sure equivalent: add it by hand`),
    );
    return [];
  });
}

function targetNames(columns: readonly PlannedColumn[], sources: readonly string[]): string[] {
  return sources.map((source) => columns.find((column) => column.source === source)?.target ?? source);
}

function nullKeyFinding(table: Table, columns: readonly string[], keepsPrimaryKey: boolean): Finding {
  const outcome = keepsPrimaryKey ? 'these rows will be rejected' : 'the key becomes a UNIQUE constraint';
  return structureFinding('PK_NULL', table, columns.join(', '), `The primary key holds NULL: ${outcome}`);
}

function structureFinding(code: string, table: Table, column: string | null, message: string): Finding {
  return { severity: 'warning', code, table: table.name, column, message, count: null, samples: [] };
}
