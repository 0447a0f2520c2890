import type {
  Finding,
  Index,
  IndexPart,
  JobOptions,
  PlannedIndex,
  PlannedTable,
  SourceKind,
  Table,
  TableScan,
} from '../../contract.ts';
import { SOURCE_DRIVERS } from '../../sources/registry.ts';
import { columnList, quoteIdentifier } from '../../target/identifiers.ts';
import { columnTypes } from './columns.ts';
import { structureFinding } from './findings.ts';
import { foldName, type ObjectNames } from './names.ts';

/**
 * A btree entry must fit a third of a page (2704 bytes); a character can take 4 bytes. Longer values make CREATE INDEX
 * fail, so columns that hold them are indexed by hash.
 */
const MAX_INDEXED_CHARACTERS = 675;

export interface PlanIndexesRequest {
  readonly kind: SourceKind;
  readonly table: Table;
  readonly scan: TableScan;
  readonly planned: PlannedTable;
  readonly options: JobOptions;
  readonly objectNames: ObjectNames;
}

/** The secondary indexes of a table, those that stand in for a lost key included, and what could not be carried over. */
export function planIndexes(request: PlanIndexesRequest): {
  readonly indexes: readonly PlannedIndex[];
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const indexes = request.table.indexes.flatMap((index) => {
    const planned = planIndex(request, index);
    if (planned === null) findings.push(notCarried(request.table, index));
    return planned ?? [];
  });
  return {
    indexes: [...indexes, ...uniqueInsteadOfKey(request), ...caseInsensitiveKey(request)],
    findings: [...findings, ...collationFindings(request)],
  };
}

function planIndex(request: PlanIndexesRequest, index: Index): PlannedIndex | null {
  const { planned, objectNames, kind } = request;
  const parts = index.parts.map((part) => partSql(request, index, part));
  if (parts.includes(null)) return null;

  const { translateExpression } = SOURCE_DRIVERS[kind];
  const where =
    index.where === null
      ? ''
      : translateExpression({
          expression: index.where,
          purpose: 'where',
          columns: columnTypes(request.table, planned.columns),
        });
  if (where === null) return null;

  const named = index.parts.map(({ column }) => targetOf(planned, column) ?? 'expr');
  const isAutomatic = index.name === '' || index.name.startsWith('sqlite_autoindex_');
  const name = isAutomatic
    ? objectNames.claim(planned.target, ...named, index.unique ? 'key' : 'idx')
    : objectNames.claim(foldName(index.name, request.options, planned.target));
  const method = hashesWholeValue(request, index) ? 'USING hash ' : '';
  return {
    name,
    unique: index.unique,
    definition: `${method}(${parts.join(', ')})${where === '' ? '' : ` WHERE ${where}`}`,
    plainColumns: where === '' ? plainColumns(planned, index, parts) : null,
  };
}

function plainColumns(
  planned: PlannedTable,
  index: Index,
  parts: readonly (string | null)[],
): string[] | null {
  const targets = index.parts.map(({ column }) => targetOf(planned, column));
  const isPlain = targets.every(
    (target, number) => target !== null && parts[number]?.startsWith(quoteIdentifier(target)),
  );
  return isPlain ? targets.filter((target) => target !== null) : null;
}

/** One part of an index, or null where it has no sure equivalent. */
function partSql(request: PlanIndexesRequest, index: Index, part: IndexPart): string | null {
  const { kind, planned } = request;
  const direction = part.descending && !hashesWholeValue(request, index) ? ' DESC' : '';
  if (part.column === null) {
    if (part.expression === null) return null;
    const expression = SOURCE_DRIVERS[kind].translateExpression({
      expression: part.expression,
      purpose: 'index',
      columns: columnTypes(request.table, planned.columns),
    });
    return expression === null ? null : `(${expression})${direction}`;
  }

  const target = targetOf(planned, part.column);
  if (target === null) return null;
  const quoted = quoteIdentifier(target);
  const isText = planned.columns.find((column) => column.target === target)?.targetType === 'text';
  if (isText && part.collation === 'NOCASE') return `${asciiLower(quoted)}${direction}`;
  if (isText && part.collation === 'RTRIM') return `rtrim(${quoted}, ' ')${direction}`;
  if (isLong(request, part.column) && !hashesWholeValue(request, index))
    return `md5(${quoted}::text)${direction}`;
  return `${quoted}${direction}`;
}

/** SQLite's NOCASE folds the 26 letters of ASCII and nothing else; so does lower() under "C". */
function asciiLower(quoted: string): string {
  return `lower(${quoted} COLLATE "C")`;
}

function hashesWholeValue(request: PlanIndexesRequest, index: Index): boolean {
  const [only, ...others] = index.parts;
  if (only === undefined || only.column === null || others.length > 0) return false;
  if (index.unique || index.where !== null) return false;
  return (only.collation === null || only.collation === 'BINARY') && isLong(request, only.column);
}

function isLong({ scan }: PlanIndexesRequest, column: string): boolean {
  return (scan.columns[column]?.maxLength ?? 0) > MAX_INDEXED_CHARACTERS;
}

/** The primary key that NULLs made impossible: still unique, as the source has it. */
function uniqueInsteadOfKey({ table, planned, objectNames }: PlanIndexesRequest): PlannedIndex[] {
  if (table.primaryKey === null || planned.primaryKey !== null) return [];
  const columns = table.primaryKey.map((source) => targetOf(planned, source) ?? source);
  return [
    {
      name: objectNames.claim(planned.target, ...columns, 'key'),
      unique: true,
      definition: `(${columnList(columns)})`,
      plainColumns: columns,
    },
  ];
}

/** A primary key over a NOCASE column holds 'ABC' and 'abc' apart in PostgreSQL: a second index keeps the source's rule. */
function caseInsensitiveKey({ table, planned, objectNames }: PlanIndexesRequest): PlannedIndex[] {
  const columns = (table.primaryKey ?? []).map((source) =>
    table.columns.find(({ name }) => name === source),
  );
  if (!columns.some((column) => column?.collation === 'NOCASE')) return [];
  const parts = columns.flatMap((column) => {
    const target = column === undefined ? null : targetOf(planned, column.name);
    if (target === null) return [];
    return column?.collation === 'NOCASE'
      ? asciiLower(quoteIdentifier(target))
      : quoteIdentifier(target);
  });
  return [
    {
      name: objectNames.claim(planned.target, 'nocase', 'key'),
      unique: true,
      definition: `(${parts.join(', ')})`,
      plainColumns: null,
    },
  ];
}

function collationFindings({ table }: PlanIndexesRequest): Finding[] {
  return table.columns
    .filter(({ collation }) => collation === 'NOCASE' || collation === 'RTRIM')
    .map((column) => {
      const message = `Collation ${column.collation ?? ''}: unique indexes keep their meaning, but comparisons in queries now tell such values apart`;
      return structureFinding('COLLATION_WEAKENED', table, column.name, message);
    });
}

function notCarried(table: Table, index: Index): Finding {
  const parts = index.parts.map(({ column, expression }) => column ?? expression).join(', ');
  const message = `The ${index.unique ? 'unique ' : ''}index ${index.name} has no sure equivalent: create it by hand`;
  return structureFinding('INDEX_NOT_CARRIED', table, parts, message);
}

function targetOf(planned: PlannedTable, source: string | null): string | null {
  return planned.columns.find((column) => column.source === source)?.target ?? null;
}
