import type {
  Column,
  ColumnDecision,
  ColumnScan,
  Finding,
  JobOptions,
  PlannedColumn,
  SourceKind,
  Table,
  TableScan,
} from '../../contract.ts';
import { SOURCE_DRIVERS } from '../../sources/registry.ts';
import { structureFinding } from './findings.ts';
import { nameColumns } from './names.ts';

export interface PlanColumnsRequest {
  readonly kind: SourceKind;
  readonly table: Table;
  readonly scan: TableScan;
  readonly options: JobOptions;
  /** Columns of a primary key that the target will have: never NULL there. */
  readonly keyColumns: readonly string[];
}

/** Source column → name and type in the target: what an expression needs to be carried over. */
export type ColumnTypes = Readonly<
  Record<
    string,
    {
      readonly target: string;
      readonly targetType: string;
      readonly declaredType: string;
      readonly collation: string | null;
    }
  >
>;

interface ColumnDraft {
  readonly column: Column;
  readonly target: string;
  readonly decision: ColumnDecision;
}

const EMPTY_SCAN: ColumnScan = {
  facts: {},
  minInteger: null,
  maxInteger: null,
  maxLength: null,
  samples: {},
};

/** Name, type, default and generation rule of every column, and what of them could not be carried over. */
export function planColumns(request: PlanColumnsRequest): {
  readonly columns: readonly PlannedColumn[];
  readonly findings: readonly Finding[];
} {
  const drafts = draftColumns(request);
  const types = columnTypes(
    request.table,
    drafts.map(({ column, target, decision }) => ({
      source: column.name,
      target,
      targetType: decision.targetType,
    })),
  );
  const columns = drafts.map((draft) => planColumn(request, draft, types));
  return { columns, findings: findLosses(request.table, columns) };
}

/** The columns as an expression sees them: what they are called and hold, and how the source compares them. */
export function columnTypes(
  table: Table,
  columns: readonly Pick<PlannedColumn, 'source' | 'target' | 'targetType'>[],
): ColumnTypes {
  const declared = new Map(table.columns.map((column) => [column.name, column]));
  return Object.fromEntries(
    columns.map(({ source, target, targetType }) => [
      source,
      {
        target,
        targetType,
        declaredType: declared.get(source)?.declaredType ?? '',
        collation: declared.get(source)?.collation ?? null,
      },
    ]),
  );
}

function draftColumns({ kind, table, scan, options }: PlanColumnsRequest): ColumnDraft[] {
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
  { kind, keyColumns }: PlanColumnsRequest,
  { column, target, decision }: ColumnDraft,
  types: ColumnTypes,
): PlannedColumn {
  const { translateExpression } = SOURCE_DRIVERS[kind];
  const { targetType, encoder, evidence, holdsNull } = decision;
  const { declaredType, collation } = column;
  const own = { [column.name]: { target, targetType, declaredType, collation } };
  const defaultExpression =
    column.defaultExpression === null
      ? null
      : translateExpression({
          expression: column.defaultExpression,
          purpose: 'default',
          columns: own,
        });
  const generatedExpression =
    column.generated === null
      ? null
      : translateExpression({
          expression: column.generated.expression,
          purpose: 'generated',
          columns: types,
        });
  const canBeNull = column.nullable || holdsNull || generatedExpression !== null;
  return {
    source: column.name,
    target,
    declaredType: column.declaredType,
    targetType,
    encoder,
    nullable: canBeNull && !keyColumns.includes(column.name),
    defaultExpression,
    collation: null,
    generatedExpression,
    evidence,
  };
}

function findLosses(table: Table, columns: readonly PlannedColumn[]): Finding[] {
  return table.columns.flatMap((column, position) => {
    const planned = columns[position];
    const losses: Finding[] = [];
    if (column.defaultExpression !== null && planned?.defaultExpression === null) {
      const message = `The default ${column.defaultExpression} has no sure equivalent: set it by hand`;
      losses.push(structureFinding('DEFAULT_NOT_CARRIED', table, column.name, message));
    }
    if (column.generated !== null && planned?.generatedExpression === null) {
      const message = `The expression ${column.generated.expression} has no sure equivalent: its values are copied as data`;
      losses.push(structureFinding('GENERATED_AS_DATA', table, column.name, message));
    }
    return losses;
  });
}
