import type {
  Column,
  ColumnDecision,
  Finding,
  JobOptions,
  PlannedColumn,
  Policies,
  Table,
  TableScan,
} from '../../contract.ts';
import { breaksOnCollation, type ColumnCollation } from './collations.ts';
import { nameComment } from './comments.ts';
import {
  differingPolicies,
  policiesOf,
  type PlanningDriver,
  type TableDecisions,
} from './decisions.ts';
import { structureFinding } from './findings.ts';
import { nameColumns } from './names.ts';
import type { SchemaObjects } from './schema-objects.ts';

export interface PlanColumnsRequest {
  readonly driver: PlanningDriver;
  readonly table: Table;
  /** The table's name in the target. */
  readonly target: string;
  readonly scan: TableScan;
  readonly options: JobOptions;
  readonly decisions: TableDecisions;
  readonly collations: ReadonlyMap<string, ColumnCollation>;
  readonly schemaObjects: SchemaObjects;
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

/** Findings of columns in which a policy changes values, rather than reject their rows. */
const CHANGES: Readonly<Record<string, (policies: Policies) => boolean>> = {
  ZERO_DATE: ({ zeroDate }) => zeroDate !== 'reject',
  PARTIAL_DATE: ({ partialDate }) => partialDate !== 'reject',
  EMPTY_DATE: ({ emptyDate }) => emptyDate !== 'reject',
  INVALID_DATE: ({ invalidDate }) => invalidDate !== 'reject',
  ENUM_ERROR_VALUE: ({ enumError }) => enumError !== 'reject',
  TEXT_NUL: ({ nulCharacter }) => nulCharacter !== 'reject',
  INVALID_UTF8: ({ invalidUtf8 }) => invalidUtf8 !== 'reject',
  DOUBLE_ENCODING: ({ doubleEncoding }) => doubleEncoding !== 'keep',
};

interface ColumnDraft {
  readonly column: Column;
  readonly target: string;
  readonly targetType: string;
  readonly decision: ColumnDecision;
}

/** Name, type, default and generation rule of every column, and what of them could not be carried over. */
export function planColumns(request: PlanColumnsRequest): {
  readonly columns: readonly PlannedColumn[];
  readonly findings: readonly Finding[];
} {
  const drafts = draftColumns(request);
  const types = columnTypes(
    request.table,
    drafts.map(({ column, target, targetType }) => ({ source: column.name, target, targetType })),
  );
  const planned = drafts.map((draft) => planColumn(request, draft, types));
  const columns = planned.map((column) => withoutBreaking(column, planned));
  return { columns, findings: findLosses(request, columns) };
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

function draftColumns({
  table,
  target: tableTarget,
  options,
  decisions,
  schemaObjects,
}: PlanColumnsRequest): ColumnDraft[] {
  const names = nameColumns(table, options);
  return table.columns.map((column) => {
    const decision = decisions.get(column.name);
    if (decision === undefined) throw new Error(`no type for ${table.name}.${column.name}`);
    const target = names.get(column.name) ?? column.name;
    return {
      column,
      target,
      targetType: schemaObjects.typeOf(decision, tableTarget, target),
      decision,
    };
  });
}

function planColumn(
  request: PlanColumnsRequest,
  { column, target, targetType, decision }: ColumnDraft,
  types: ColumnTypes,
): PlannedColumn {
  const { driver, table, options, keyColumns, collations, schemaObjects } = request;
  const { encoder, evidence, holdsNull } = decision;
  const carry = (expression: string | null, purpose: 'default' | 'generated'): string | null => {
    if (expression === null) return null;
    const columns =
      purpose === 'generated'
        ? sourcesOf(types, request, column.name)
        : ownOnly(types, column.name);
    const carried = driver.translateExpression({
      expression,
      purpose,
      columns,
      column: column.name,
    });
    return carried === null ? null : schemaObjects.qualify(carried);
  };
  const generatedExpression = carry(column.generated?.expression ?? null, 'generated');
  const canBeNull = column.nullable || holdsNull || generatedExpression !== null;
  const policies = differingPolicies(table, column.name, options);
  const comment = nameComment(column.name, target, column.comment);
  return {
    source: column.name,
    target,
    declaredType: column.declaredType,
    targetType,
    encoder,
    nullable: canBeNull && !keyColumns.includes(column.name),
    defaultExpression: carry(column.defaultExpression, 'default'),
    ...(collations.get(column.name) ?? { collation: null }),
    generatedExpression,
    evidence,
    ...(policies === undefined ? {} : { policies }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** Own members only: a column may be called `__proto__`. */
function ownOnly(types: ColumnTypes, column: string): ColumnTypes {
  return Object.fromEntries(Object.entries(types).filter(([name]) => name === column));
}

/**
 * PostgreSQL computes a column out of those that are no result themselves. What a policy changes on the way is left out too: of
 * another value comes another result, and nobody would count it. The column's own type tells what has to come out.
 */
function sourcesOf(
  types: ColumnTypes,
  { table, options, decisions }: PlanColumnsRequest,
  column: string,
): ColumnTypes {
  const isFit = ({ name, generated }: Column): boolean => {
    const policies = policiesOf(table, name, options);
    const findings = decisions.get(name)?.findings ?? [];
    return generated === null && !findings.some(({ code }) => CHANGES[code]?.(policies));
  };
  const fit = new Set(table.columns.filter(isFit).map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(types).filter(([name]) => name === column || fit.has(name)),
  );
}

/** A generation rule that its columns' collations forbid would refuse every row: the values come as data instead. */
function withoutBreaking(column: PlannedColumn, columns: readonly PlannedColumn[]): PlannedColumn {
  const { generatedExpression } = column;
  if (generatedExpression === null || !breaksOnCollation(generatedExpression, columns))
    return column;
  return { ...column, generatedExpression: null };
}

function findLosses(
  { table, decisions, keyColumns }: PlanColumnsRequest,
  columns: readonly PlannedColumn[],
): Finding[] {
  return table.columns.flatMap((column, position) => {
    const planned = columns[position];
    const losses: Finding[] = [];
    const lose = (code: string, message: string): void => {
      losses.push(structureFinding(code, table, column.name, message));
    };
    if (column.defaultExpression !== null && planned?.defaultExpression === null) {
      const message = `The default ${column.defaultExpression} has no sure equivalent: set it by hand`;
      lose('DEFAULT_NOT_CARRIED', message);
    }
    if (column.generated !== null && planned?.generatedExpression === null) {
      const message = `The expression ${column.generated.expression} has no sure equivalent: its values are copied as data`;
      lose('GENERATED_AS_DATA', message);
    }
    const isRelaxed = !column.nullable && planned?.generatedExpression === null;
    if (isRelaxed && planned.nullable && !keyColumns.includes(column.name)) {
      const { evidence } = decisions.get(column.name) ?? planned;
      lose('NOT_NULL_RELAXED', `The column may be NULL in the target: ${evidence}`);
    }
    return losses;
  });
}
