import type {
  Finding,
  Index,
  IndexMethod,
  IndexPart,
  JobOptions,
  PlannedColumn,
  PlannedIndex,
  PlannedTable,
  Table,
  TableScan,
} from '../../contract.ts';
import { columnList, quoteIdentifier } from '../../target/identifiers.ts';
import { breaksOnCollation } from './collations.ts';
import { columnTypes } from './columns.ts';
import type { PlanningDriver } from './decisions.ts';
import { structureFinding } from './findings.ts';
import { fullTextIndex, isFullTextTooLarge } from './full-text.ts';
import { foldName, type ObjectNames } from './names.ts';
import type { SchemaObjects } from './schema-objects.ts';

/**
 * A btree entry must fit a third of a page (2704 bytes); a character can take 4 bytes. Longer values make CREATE INDEX
 * fail, so columns that hold them are indexed by hash.
 */
const MAX_INDEXED_CHARACTERS = 675;
const MAX_INDEXED_BYTES = 2700;

export interface PlanIndexesRequest {
  readonly driver: PlanningDriver;
  readonly table: Table;
  readonly scan: TableScan;
  readonly planned: PlannedTable;
  readonly options: JobOptions;
  readonly objectNames: ObjectNames;
  readonly schemaObjects: SchemaObjects;
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
    else findings.push(...changedMeaning(request, index));
    return planned ?? [];
  });
  return {
    indexes: [...indexes, ...uniqueInsteadOfKey(request), ...caseInsensitiveKey(request)],
    findings: [...findings, ...collationFindings(request)],
  };
}

function planIndex(request: PlanIndexesRequest, index: Index): PlannedIndex | null {
  const definition =
    index.method === 'fulltext'
      ? planFullText(request, index)
      : definitionSql(request, index, methodOf(request, index));
  if (definition === null || breaksOnCollation(definition.sql, request.planned.columns))
    return null;
  return {
    name: indexName(request, index),
    unique: index.unique,
    definition: definition.sql,
    plainColumns: definition.plainColumns,
  };
}

function indexName({ planned, objectNames, options }: PlanIndexesRequest, index: Index): string {
  const named = index.parts.map(({ column }) => targetOf(planned, column) ?? 'expr');
  const isAutomatic = index.name === '' || index.name.startsWith('sqlite_autoindex_');
  return isAutomatic
    ? objectNames.claim(planned.target, ...named, index.unique ? 'key' : 'idx')
    : objectNames.claim(foldName(index.name, options, planned.target));
}

/** Everything after `ON table`, and the columns where it has nothing else. */
interface Definition {
  readonly sql: string;
  readonly plainColumns: readonly string[] | null;
}

type Method = Exclude<IndexMethod, 'fulltext' | 'spatial'>;

function definitionSql(
  request: PlanIndexesRequest,
  index: Index,
  method: Method | null,
): Definition | null {
  const { planned } = request;
  if (method === null) return null;
  const parts = index.parts.map((part) => partSql(request, part, method));
  const where = conditionSql(request, index);
  const include = (index.include ?? []).map((column) => targetOf(planned, column));
  if (where === null) return null;
  const sql: string[] = [];
  const plainColumns: string[] = [];
  for (const part of parts) {
    if (part === null) return null;
    sql.push(part.sql);
    if (part.plainColumn !== null) plainColumns.push(part.plainColumn);
  }
  const included = include.filter((column) => column !== null);
  if (included.length < include.length) return null;
  const isPlain = method === 'btree' && where === '' && plainColumns.length === parts.length;
  return {
    sql: [
      `${method === 'btree' ? '' : `USING ${method} `}(${sql.join(', ')})`,
      ...(included.length === 0 ? [] : [`INCLUDE (${columnList(included)})`]),
      ...(index.nullsNotDistinct === true ? ['NULLS NOT DISTINCT'] : []),
      ...(where === '' ? [] : [`WHERE ${where}`]),
    ].join(' '),
    plainColumns: isPlain ? plainColumns : null,
  };
}

/** Empty = none; null = it has no sure equivalent. */
function conditionSql(
  { driver, table, planned, schemaObjects }: PlanIndexesRequest,
  { where }: Index,
): string | null {
  if (where === null) return '';
  const columns = columnTypes(table, planned.columns);
  const carried = driver.translateExpression({ expression: where, purpose: 'where', columns });
  return carried === null ? null : schemaObjects.qualify(carried);
}

/** Null: PostgreSQL has nothing that finds rows so. */
function methodOf(request: PlanIndexesRequest, index: Index): Method | null {
  const { method = 'btree' } = index;
  switch (method) {
    case 'btree':
      return hashesWholeValue(request, index) ? 'hash' : 'btree';
    case 'hash':
      // PostgreSQL's own holds one column, and keeps nothing unique.
      return index.parts.length === 1 && !index.unique ? 'hash' : 'btree';
    case 'spatial':
      return index.parts.every(({ column }) => isSpatial(columnOf(request.planned, column)))
        ? 'gist'
        : null;
    case 'fulltext':
      return null;
    case 'gin':
    case 'gist':
    case 'spgist':
    case 'brin':
      return method;
  }
}

function isSpatial(column: PlannedColumn | null): boolean {
  return column !== null && /\b(?:geometry|geography|point|box|polygon)\b/.test(column.targetType);
}

function planFullText(request: PlanIndexesRequest, { parts }: Index): Definition | null {
  const { planned, scan } = request;
  if (isFullTextTooLarge(parts, scan)) return null;
  const columns = parts.map(({ column }) => columnOf(planned, column));
  const known = columns.filter((column) => column !== null);
  if (known.length === 0 || known.length < columns.length) return null;
  return { sql: fullTextIndex(known), plainColumns: null };
}

interface Part {
  readonly sql: string;
  /** Null: an expression, or a column that is not compared in its own way. */
  readonly plainColumn: string | null;
}

/** One part of an index, or null where it has no sure equivalent. */
function partSql(request: PlanIndexesRequest, part: IndexPart, method: Method): Part | null {
  const modifiers = modifiersOf(part, method);
  if (part.column === null) {
    const expression = expressionSql(request, part);
    return expression === null ? null : { sql: `(${expression})${modifiers}`, plainColumn: null };
  }
  const column = columnOf(request.planned, part.column);
  if (column === null) return null;
  const value = valueSql(request, { part, column, method });
  const quoted = quoteIdentifier(column.target);
  const collation = value === quoted ? collationSql(request, part, column) : '';
  const isPlain = value === quoted && collation === '' && part.operatorClass === undefined;
  return { sql: `${value}${collation}${modifiers}`, plainColumn: isPlain ? column.target : null };
}

function expressionSql(
  { driver, table, planned, schemaObjects }: PlanIndexesRequest,
  { expression }: IndexPart,
): string | null {
  if (expression === null) return null;
  const columns = columnTypes(table, planned.columns);
  const carried = driver.translateExpression({ expression, purpose: 'index', columns });
  return carried === null ? null : schemaObjects.qualify(carried);
}

/** What of a column is indexed: all of it, its beginning, or what stands for a value that is too long. */
function valueSql(
  { scan }: PlanIndexesRequest,
  {
    part,
    column,
    method,
  }: { readonly part: IndexPart; readonly column: PlannedColumn; readonly method: Method },
): string {
  const quoted = quoteIdentifier(column.target);
  if (column.targetType === 'text' && part.collation === 'NOCASE') return asciiLower(quoted);
  if (column.targetType === 'text' && part.collation === 'RTRIM') return `rtrim(${quoted}, ' ')`;
  if (method !== 'btree') return quoted;

  const longest = columnScanOf(scan, column)?.maxLength ?? 0;
  const { prefixLength } = part;
  const isCut = prefixLength !== undefined && kindOf(column) !== 'other';
  const limit = kindOf(column) === 'bytes' ? MAX_INDEXED_BYTES : MAX_INDEXED_CHARACTERS;
  const value = isCut ? prefixSql(quoted, column, prefixLength) : quoted;
  if (kindOf(column) === 'other' || Math.min(longest, prefixLength ?? longest) <= limit)
    return value;
  if (kindOf(column) === 'bytes') return `md5(${value})`;
  return isCut ? `md5(${value})` : `md5(${quoted}::text)`;
}

function prefixSql(quoted: string, column: PlannedColumn, prefixLength: number): string {
  const length = String(prefixLength);
  return kindOf(column) === 'bytes'
    ? `substring(${quoted} from 1 for ${length})`
    : `left(${quoted}, ${length})`;
}

function kindOf({ targetType }: PlannedColumn): 'text' | 'bytes' | 'other' {
  if (targetType === 'bytea') return 'bytes';
  return /^(?:text|varchar|char|character)\b(?!.*\[)/.test(targetType) ? 'text' : 'other';
}

/** SQLite's NOCASE folds the 26 letters of ASCII and nothing else; so does lower() under "C". */
function asciiLower(quoted: string): string {
  return `lower(${quoted} COLLATE "C")`;
}

/** Collations of SQLite, which its columns carry as something else. */
const OWN_COLLATIONS = new Set(['BINARY', 'NOCASE', 'RTRIM']);

/** A collation that the index has and the column has not; only where the source's names are PostgreSQL's. */
function collationSql(
  { table }: PlanIndexesRequest,
  { collation }: IndexPart,
  column: PlannedColumn,
): string {
  if (collation === null || OWN_COLLATIONS.has(collation)) return '';
  const source = table.columns.find(({ name }) => name === column.source);
  const isOwn = source?.collation === collation || column.collation === collation;
  if (isOwn || column.collationSchema !== undefined) return '';
  // Another source's name for a collation means nothing to PostgreSQL.
  if (!isPostgresCollation(collation)) return '';
  return ` COLLATE ${quoteIdentifier(collation)}`;
}

function isPostgresCollation(name: string): boolean {
  return /^(?:C|POSIX|default|ucs_basic|unicode|.*-x-icu|[a-z]{2,3}_[A-Z]{2}.*|C\..*)$/.test(name);
}

function modifiersOf(part: IndexPart, method: Method): string {
  const operatorClass =
    part.operatorClass === undefined
      ? ''
      : ` ${part.operatorClass.split('.').map(quoteIdentifier).join('.')}`;
  if (method !== 'btree') return operatorClass;
  const direction = part.descending ? ' DESC' : '';
  const nulls = part.nulls === undefined ? '' : ` NULLS ${part.nulls.toUpperCase()}`;
  return `${operatorClass}${direction}${nulls}`;
}

function hashesWholeValue({ scan, planned }: PlanIndexesRequest, index: Index): boolean {
  const [only, ...others] = index.parts;
  if (only === undefined || only.column === null || others.length > 0) return false;
  if (index.unique || index.where !== null || only.prefixLength !== undefined) return false;
  if (only.operatorClass !== undefined || (index.include ?? []).length > 0) return false;
  if (only.collation === 'NOCASE' || only.collation === 'RTRIM') return false;
  const column = columnOf(planned, only.column);
  return column !== null && isLong(scan, column);
}

function isLong(scan: TableScan, column: PlannedColumn): boolean {
  const longest = columnScanOf(scan, column)?.maxLength ?? 0;
  switch (kindOf(column)) {
    case 'text':
      return longest > MAX_INDEXED_CHARACTERS;
    case 'bytes':
      return longest > MAX_INDEXED_BYTES;
    case 'other':
      return false;
  }
}

function columnScanOf({ columns }: TableScan, { source }: PlannedColumn) {
  return Object.hasOwn(columns, source) ? columns[source] : undefined;
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

/** An index that is there, but finds or forbids something else than the source's. */
function changedMeaning({ table, planned, scan }: PlanIndexesRequest, index: Index): Finding[] {
  const names = index.parts.map(({ column, expression }) => column ?? expression).join(', ');
  if (index.method === 'fulltext') {
    const message = `The full-text index ${index.name} becomes GIN over to_tsvector('simple', …): queries ask it with @@ instead of MATCH`;
    return [{ ...structureFinding('FULLTEXT_CHANGED', table, names, message), severity: 'info' }];
  }
  const weakened = index.parts.some(({ column }) => {
    const compared = columnOf(planned, column);
    return compared?.collationSchema !== undefined && isLong(scan, compared);
  });
  if (!index.unique || !weakened) return [];
  const message = `The unique index ${index.name} holds values too long for a btree: it compares their hashes, and so tells case and accents apart`;
  return [structureFinding('COLLATION_WEAKENED', table, names, message)];
}

function notCarried(table: Table, index: Index): Finding {
  const parts = index.parts.map(({ column, expression }) => column ?? expression).join(', ');
  const message = `The ${index.unique ? 'unique ' : ''}index ${index.name} has no sure equivalent: create it by hand`;
  return structureFinding('INDEX_NOT_CARRIED', table, parts, message);
}

function columnOf({ columns }: PlannedTable, source: string | null): PlannedColumn | null {
  return columns.find((column) => column.source === source) ?? null;
}

function targetOf(planned: PlannedTable, source: string | null): string | null {
  return columnOf(planned, source)?.target ?? null;
}
