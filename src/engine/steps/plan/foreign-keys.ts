import type {
  Finding,
  ForeignKey,
  PlannedColumn,
  PlannedForeignKey,
  PlannedTable,
  TableScan,
} from '../../contract.ts';
import { INTEGER_TYPES } from './chunks.ts';
import { findTable } from './decisions.ts';
import { structureFinding } from './findings.ts';
import { foldName, type NamingOptions, type ObjectNames } from './names.ts';
import type { TableDraft } from './table.ts';

type Outcome = { readonly key: PlannedForeignKey } | { readonly reason: string };

/** Adds the foreign keys, now that every table has its names, types and unique keys. */
export function planForeignKeys(
  drafts: readonly TableDraft[],
  scans: readonly TableScan[],
  names: { readonly objectNames: ObjectNames; readonly options: NamingOptions },
): { readonly tables: readonly PlannedTable[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const tables = drafts.map((draft, position): PlannedTable => {
    const foreignKeys = draft.table.foreignKeys.flatMap((foreignKey, number) => {
      const orphans = scans[position]?.orphans.find((entry) => entry.foreignKey === number);
      const outcome = planForeignKey({
        planned: draft.planned,
        foreignKey,
        drafts,
        ...names,
        orphans: orphans?.rows ?? 0,
      });
      if ('reason' in outcome) {
        const message = `The foreign key to ${foreignKey.references.table} is not carried over: ${outcome.reason}`;
        findings.push(keyFinding('FK_NOT_CARRIED', draft, foreignKey, message));
        return [];
      }
      if (orphans !== undefined) {
        const message = `${String(orphans.rows)} rows refer to rows that do not exist: the key stays NOT VALID`;
        findings.push({
          ...keyFinding('ORPHANED_ROWS', draft, foreignKey, message),
          count: orphans.rows,
          samples: orphans.samples,
        });
      }
      return [outcome.key];
    });
    return { ...draft.planned, foreignKeys };
  });
  return { tables: tables.map((table) => withReferencedCollations(table, tables)), findings };
}

/**
 * Both sides of a foreign key compare alike: PostgreSQL 18 refuses another collation on the side that refers where one of the two
 * does not tell all values apart, and earlier ones compare as the referenced side does.
 */
function withReferencedCollations(
  table: PlannedTable,
  tables: readonly PlannedTable[],
): PlannedTable {
  const referenced = new Map(
    table.foreignKeys.flatMap(({ columns, referencedTable, referencedColumns }) =>
      columns.map((column, index) => [
        column,
        tables[referencedTable]?.columns.find(({ target }) => target === referencedColumns[index]),
      ]),
    ),
  );
  return {
    ...table,
    columns: table.columns.map((column): PlannedColumn => {
      const parent = referenced.get(column.target);
      const isShared = [column, parent].some((side) => side?.collationSchema !== undefined);
      if (parent === undefined || !isShared) return column;
      const { collation, collationSchema } = parent;
      const compared: PlannedColumn = { ...column, collation };
      if (collationSchema !== undefined) return { ...compared, collationSchema };
      delete (compared as { collationSchema?: string }).collationSchema;
      return compared;
    }),
  };
}

interface ForeignKeyRequest {
  readonly planned: PlannedTable;
  readonly foreignKey: ForeignKey;
  readonly drafts: readonly TableDraft[];
  readonly objectNames: ObjectNames;
  readonly options: NamingOptions;
  readonly orphans: number;
}

function planForeignKey(request: ForeignKeyRequest): Outcome {
  const { planned, foreignKey, drafts, orphans } = request;
  const referencedTable = findTable(
    drafts.map(({ table }) => table),
    foreignKey.references.table,
  );
  const referenced = drafts[referencedTable]?.planned;
  if (referenced === undefined)
    return { reason: `it refers to ${foreignKey.references.table}, which is not moved` };

  const columns = foreignKey.columns.map((name) => findColumn(planned, name));
  const referencedColumns = foreignKey.references.columns.map((name) =>
    findColumn(referenced, name),
  );
  if (columns.length === 0 || columns.length !== referencedColumns.length)
    return { reason: 'its columns do not match' };

  const pairs = columns.map((column, index) => [column, referencedColumns[index]] as const);
  for (const [column, parent] of pairs) {
    if (column === undefined || parent === undefined)
      return { reason: 'it names a column that does not exist' };
    if (!areComparable(column.targetType, parent.targetType)) {
      return {
        reason: `${column.source} became ${column.targetType}, but ${parent.source} became ${parent.targetType}`,
      };
    }
  }

  const targets = columns.map((column) => column?.target ?? '');
  const referencedTargets = referencedColumns.map((column) => column?.target ?? '');
  if (!isUnique(referenced, referencedTargets)) {
    return {
      reason: `${referenced.source} (${foreignKey.references.columns.join(', ')}) is not unique`,
    };
  }
  return {
    key: {
      name: nameKey(request, targets),
      columns: targets,
      referencedTable,
      referencedColumns: referencedTargets,
      onUpdate: foreignKey.onUpdate,
      onDelete: foreignKey.onDelete,
      orphans,
    },
  };
}

/** The source's own name, where the key has one. */
function nameKey(
  { planned, foreignKey, objectNames, options }: ForeignKeyRequest,
  columns: readonly string[],
): string {
  if (foreignKey.name === null) return objectNames.claim(planned.target, ...columns, 'fkey');
  return objectNames.claim(foldName(foreignKey.name, options, planned.target));
}

/** SQLite compares names without case, and keeps in a foreign key what its author typed. */
function findColumn(
  table: PlannedTable,
  source: string,
): PlannedTable['columns'][number] | undefined {
  return (
    table.columns.find((column) => column.source === source) ??
    table.columns.find((column) => column.source.toLowerCase() === source.toLowerCase())
  );
}

/** PostgreSQL converts the side that refers where that loses nothing; lengths and precisions do not matter to it. */
function areComparable(child: string, parent: string): boolean {
  const [a, b] = [comparedAs(child), comparedAs(parent)];
  return a === b || (a === 'integer' && b === 'numeric');
}

function comparedAs(type: string): string {
  const bare = type.replace(/\(\s*\d+(?:\s*,\s*-?\d+)?\s*\)/, '');
  if (INTEGER_TYPES.has(bare)) return 'integer';
  return bare === 'varchar' || bare === 'character varying' ? 'text' : bare;
}

function isUnique(table: PlannedTable, columns: readonly string[]): boolean {
  if (table.primaryKey !== null && sameSet(table.primaryKey.columns, columns)) return true;
  return table.indexes.some(
    ({ unique, plainColumns }) => unique && plainColumns !== null && sameSet(plainColumns, columns),
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}

function keyFinding(
  code: string,
  { table }: TableDraft,
  foreignKey: ForeignKey,
  message: string,
): Finding {
  return structureFinding(code, table, foreignKey.columns.join(', '), message);
}
