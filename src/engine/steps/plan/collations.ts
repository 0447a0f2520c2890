import type {
  ColumnDecision,
  ColumnEquality,
  Finding,
  JobOptions,
  PlannedColumn,
  Table,
} from '../../contract.ts';
import { policiesOf, type TableDecisions } from './decisions.ts';
import { structureFinding } from './findings.ts';
import type { SchemaObjects } from './schema-objects.ts';

/** How a column compares in the target. */
export type ColumnCollation = Pick<PlannedColumn, 'collation' | 'collationSchema'>;

export interface PlanCollationsRequest {
  readonly table: Table;
  readonly decisions: TableDecisions;
  readonly options: JobOptions;
  readonly schemaObjects: SchemaObjects;
  /** Columns that foreign keys of any table refer to. */
  readonly referencedColumns: ReadonlySet<string>;
}

interface ComparedColumn {
  readonly name: string;
  readonly equality: ColumnEquality;
}

/**
 * The collation of each column. Where a key rests on a comparison without regard to case or accents, PostgreSQL gets one that
 * compares alike: else a key that held in the source would not hold in the target, or forbid less. Other columns keep the
 * database's own, since a nondeterministic collation is slower and forbids patterns; both is told.
 */
export function planCollations(request: PlanCollationsRequest): {
  readonly collations: ReadonlyMap<string, ColumnCollation>;
  readonly findings: readonly Finding[];
} {
  const { table, decisions, options, schemaObjects } = request;
  const keys = keyColumns(request);
  const collations = new Map<string, ColumnCollation>();
  const [kept, dropped, others]: [ComparedColumn[], ComparedColumn[], ComparedColumn[]] = [
    [],
    [],
    [],
  ];
  for (const { name } of table.columns) {
    const decision = decisions.get(name);
    if (decision === undefined) continue;
    if (decision.collation !== undefined) collations.set(name, { collation: decision.collation });
    const { equality } = decision;
    if (equality === undefined || !isText(decision)) continue;
    if (!keys.has(name)) {
      others.push({ name, equality });
      continue;
    }
    if (policiesOf(table, name, options).keyCollation === 'drop') {
      dropped.push({ name, equality });
      continue;
    }
    kept.push({ name, equality });
    collations.set(name, {
      collation: schemaObjects.collationFor(equality),
      collationSchema: options.targetSchema,
    });
  }
  return { collations, findings: collationFindings(table, { kept, dropped, others }) };
}

/** Columns whose equality a primary key, a unique index or a foreign key rests on. */
function keyColumns({ table, referencedColumns }: PlanCollationsRequest): ReadonlySet<string> {
  return new Set([
    ...(table.primaryKey ?? []),
    ...table.indexes
      .filter(({ unique }) => unique)
      .flatMap(({ parts }) => parts.flatMap(({ column }) => column ?? [])),
    ...table.foreignKeys.flatMap(({ columns }) => columns),
    ...referencedColumns,
  ]);
}

function isText({ targetType, enumLabels }: ColumnDecision): boolean {
  return enumLabels === undefined && /^(?:text|varchar|char|character)\b(?!.*\[)/.test(targetType);
}

interface ComparedColumns {
  readonly kept: readonly ComparedColumn[];
  readonly dropped: readonly ComparedColumn[];
  readonly others: readonly ComparedColumn[];
}

/** One finding for each kind of change, however many columns there are. */
function collationFindings(table: Table, { kept, dropped, others }: ComparedColumns): Finding[] {
  const findings: Finding[] = [];
  const padded = kept.filter(({ equality }) => equality.ignoresTrailingSpaces);
  if (kept.length > 0) {
    const message = `Keys go on comparing as ${collationsOf(kept)} did, by an ICU collation: LIKE on these columns needs PostgreSQL 18`;
    findings.push(aboutColumns('COLLATION_CARRIED', 'info', { table, columns: kept, message }));
  }
  if (padded.length > 0) {
    const message = `${collationsOf(padded)} took no notice of spaces at the end: keys now tell "a" and "a " apart`;
    findings.push(
      aboutColumns('COLLATION_WEAKENED', 'warning', { table, columns: padded, message }),
    );
  }
  if (dropped.length > 0) {
    const message = `Keys no longer compare as ${collationsOf(dropped)} did but byte by byte, as keyCollation asks for: "a" and "A" are two values`;
    findings.push(
      aboutColumns('COLLATION_WEAKENED', 'warning', { table, columns: dropped, message }),
    );
  }
  if (others.length > 0) {
    const message = `Comparisons in queries no longer work as ${collationsOf(others)} did: they tell case and accents apart now`;
    findings.push(aboutColumns('COMPARISON_STRICTER', 'info', { table, columns: others, message }));
  }
  return findings;
}

interface ColumnsFinding {
  readonly table: Table;
  readonly columns: readonly ComparedColumn[];
  readonly message: string;
}

function aboutColumns(
  code: string,
  severity: Finding['severity'],
  { table, columns, message }: ColumnsFinding,
): Finding {
  const names = columns.map(({ name }) => name).join(', ');
  return { ...structureFinding(code, table, names, message), severity };
}

function collationsOf(columns: readonly ComparedColumn[]): string {
  return [...new Set(columns.map(({ equality }) => equality.name))].join(', ');
}

/** Patterns and searches, which PostgreSQL refuses (before 18: all of them, later: regular expressions) under such a collation. */
const PATTERNS =
  /~|\b(?:LIKE|ILIKE|SIMILAR|regexp_\w+|strpos|position|replace|split_part|starts_with|string_to_array|translate)\b/i;

/** True where an expression would fail on a column whose collation does not tell all values apart. */
export function breaksOnCollation(expression: string, columns: readonly PlannedColumn[]): boolean {
  if (!PATTERNS.test(expression)) return false;
  return columns.some(
    ({ target, collationSchema }) =>
      collationSchema !== undefined && expression.includes(`"${target.replaceAll('"', '""')}"`),
  );
}
