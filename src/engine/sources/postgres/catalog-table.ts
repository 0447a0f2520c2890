import type {
  Check,
  Column,
  Finding,
  ForeignKey,
  Index,
  IndexMethod,
  IndexPart,
  ReferentialAction,
  Table,
} from '../../contract.ts';
import type { PostgresColumnDetail } from '../../types/postgres.ts';
import { isCommonCollation } from '../../types/postgres-expression.ts';
import type { ExpressionWriter } from './catalog-expressions.ts';
import type {
  CollationRow,
  ColumnRow,
  ConstraintRow,
  ExpressionRow,
  IndexPartRow,
  IndexRow,
  RelationRow,
} from './catalog-queries.ts';
import type { Counter } from './catalog-sequences.ts';

/** What the server says of one table. */
export interface TableParts {
  readonly relation: RelationRow;
  readonly schema: string;
  readonly columns: readonly ColumnRow[];
  readonly expressions: ReadonlyMap<string, ExpressionRow>;
  readonly indexes: readonly IndexRow[];
  readonly constraints: readonly ConstraintRow[];
  readonly counter: Counter | undefined;
  readonly writer: ExpressionWriter;
  readonly detailOf: (column: ColumnRow) => PostgresColumnDetail;
  readonly collations: readonly CollationRow[];
}

export interface BuiltTable {
  readonly table: Table;
  readonly findings: readonly Finding[];
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

const METHODS: readonly string[] = [
  'btree',
  'hash',
  'gin',
  'gist',
  'spgist',
  'brin',
] satisfies IndexMethod[];

/** A table as the contract has it, and what of it the contract has no words for. */
export function buildTable(parts: TableParts): BuiltTable {
  const notes = new Notes(parts.relation.name);
  const primary = parts.indexes.find((index) => index.is_primary && index.method === 'btree');
  const table: Table = {
    name: parts.relation.name,
    columns: parts.columns.map((column) => buildColumn(parts, column)),
    primaryKey: primary === undefined ? null : columnsOf(primary),
    indexes: parts.indexes.flatMap((index) => buildIndex(parts, index, notes) ?? []),
    foreignKeys: parts.constraints.flatMap((row) => buildForeignKey(parts, row, notes) ?? []),
    checks: parts.constraints.flatMap((row) => buildCheck(parts, row, notes) ?? []),
    identity: buildIdentity(parts, notes),
    ...(parts.relation.comment === null ? {} : { comment: parts.relation.comment }),
  };
  noteRelation(parts, notes);
  return { table, findings: notes.findings };
}

function buildColumn(parts: TableParts, column: ColumnRow): Column {
  const { writer, counter, expressions, collations } = parts;
  const expression = expressions.get(column.number)?.expression;
  const isCounter = counter?.owner_number === column.number;
  const written = expression === undefined || isCounter ? null : writer.write(expression);
  const detail = { ...parts.detailOf(column), ...collationDetail(column, collations) };
  return {
    name: column.name,
    declaredType: column.declared,
    nullable: column.nullable,
    defaultExpression: column.generated === '' ? written : null,
    collation: column.collation,
    generated:
      column.generated === '' || written === null
        ? null
        : { expression: written, stored: column.generated === 's' },
    ...(column.comment === null ? {} : { comment: column.comment }),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}

function collationDetail(
  { collation, collation_schema: schema }: ColumnRow,
  collations: readonly CollationRow[],
): PostgresColumnDetail {
  if (collation === null || schema === 'pg_catalog') return {};
  const made = collations.find((row) => row.schema === schema && row.name === collation);
  if (made === undefined || made.is_deterministic || made.locale === null)
    return { collation: 'own' };
  return { collation: 'own', icuLocale: made.locale };
}

function columnsOf(index: IndexRow): string[] {
  return index.parts.flatMap(({ column }) => column ?? []);
}

function buildIndex(parts: TableParts, index: IndexRow, notes: Notes): Index | null {
  if (index.is_primary && index.method === 'btree') {
    if (!index.is_immediate)
      notes.add(
        'warning',
        'CONSTRAINT_NOT_DEFERRABLE',
        `The primary key was deferrable; now it is checked at once`,
      );
    return null;
  }
  // Exclusion constraints, also those that a primary key WITHOUT OVERLAPS is.
  if (index.is_exclusion || (index.is_unique && index.method !== 'btree')) return null;
  const reason = obstacle(parts, index);
  if (reason !== null) {
    const what = `The ${index.is_unique ? 'unique ' : ''}index ${index.name} is not carried over`;
    notes.add('warning', 'INDEX_NOT_CARRIED', `${what}: ${reason}`);
    return null;
  }
  if (!index.is_immediate) {
    const message = `The unique constraint ${index.name} was deferrable; now it is checked at once`;
    notes.add('warning', 'CONSTRAINT_NOT_DEFERRABLE', message);
  }
  return {
    name: index.name,
    unique: index.is_unique,
    parts: index.parts.map((part) => buildPart(part, parts.writer)),
    where: index.where === null ? null : parts.writer.write(index.where),
    ...(index.method === 'btree' ? {} : { method: index.method as IndexMethod }),
    ...(index.include.length === 0 ? {} : { include: index.include }),
    ...(index.nulls_not_distinct ? { nullsNotDistinct: true } : {}),
  };
}

/** Why the target may be unable to have an index; null = nothing is in its way. */
function obstacle({ columns, detailOf }: TableParts, index: IndexRow): string | null {
  if (!index.is_valid) return 'it is not valid in the source either';
  if (!METHODS.includes(index.method)) return `its method ${index.method} is an extension's`;
  for (const part of index.parts) {
    if (part.operator_class !== null && part.operator_class_schema !== 'pg_catalog') {
      const owner = part.operator_class_extension ?? part.operator_class_schema;
      return `its operator class ${part.operator_class} belongs to ${owner}`;
    }
    if (part.collation !== null && !isCommonCollation(part.collation))
      return `its collation ${part.collation} need not exist in the target`;
    const column = columns.find(({ name }) => name === part.column);
    const { kind, type } = column === undefined ? {} : detailOf(column);
    if (kind !== undefined && type === undefined && index.method !== 'btree')
      return `the type of ${part.column ?? ''} becomes another one`;
    if (kind === undefined && part.operator_class_extension !== null)
      return `its operator class belongs to the extension ${part.operator_class_extension}`;
  }
  return null;
}

function buildPart(part: IndexPartRow, writer: ExpressionWriter): IndexPart {
  const [descending, nullsFirst] = [(part.option & 1) !== 0, (part.option & 2) !== 0];
  return {
    column: part.column,
    expression: part.column === null ? writer.write(part.expression) : null,
    descending,
    collation: part.collation,
    ...(descending === nullsFirst ? {} : { nulls: nullsFirst ? 'first' : 'last' }),
    ...(part.operator_class === null ? {} : { operatorClass: part.operator_class }),
  };
}

function buildForeignKey(
  { schema }: TableParts,
  row: ConstraintRow,
  notes: Notes,
): ForeignKey | null {
  if (row.kind !== 'f') return null;
  const notCarried = (reason: string): null => {
    const message = `The foreign key ${row.name} to ${row.referenced ?? ''} is not carried over: ${reason}`;
    notes.add('warning', 'FK_NOT_CARRIED', message);
    return null;
  };
  if (row.referenced_schema !== schema)
    return notCarried(`it refers to the schema ${row.referenced_schema ?? ''}`);
  if (row.is_period) return notCarried('it is one over periods');
  if (!row.is_enforced) return notCarried('the source does not enforce it either');
  if (row.is_deferrable) {
    const message = `The foreign key ${row.name} was deferrable; now it is checked at once`;
    notes.add('warning', 'CONSTRAINT_NOT_DEFERRABLE', message);
  }
  if (row.is_match_full) {
    const message = `The foreign key ${row.name} was MATCH FULL; now a key that is NULL in part is allowed`;
    notes.add('warning', 'FK_WEAKENED', message);
  }
  if (row.is_partial_delete) {
    const message = `The foreign key ${row.name} set some of its columns only when the other row went: now that row cannot go`;
    notes.add('warning', 'FK_DELETE_COLUMNS', message);
  }
  return {
    name: row.name,
    columns: row.columns,
    references: { table: row.referenced ?? '', columns: row.referenced_columns },
    onUpdate: ACTIONS[row.on_update] ?? 'NO ACTION',
    onDelete: row.is_partial_delete ? 'NO ACTION' : (ACTIONS[row.on_delete] ?? 'NO ACTION'),
  };
}

function buildCheck({ writer }: TableParts, row: ConstraintRow, notes: Notes): Check | null {
  if (row.kind !== 'c' || row.expression === null) return null;
  if (row.is_enforced && row.is_validated)
    return { name: row.name, expression: writer.write(row.expression) };
  const message = `The check ${row.name} does not hold for all rows in the source either: add it by hand as NOT VALID`;
  notes.add('warning', 'CHECK_NOT_CARRIED', message);
  return null;
}

function buildIdentity({ columns, counter }: TableParts, notes: Notes): Table['identity'] {
  const column = columns.find(({ number }) => number === counter?.owner_number);
  if (counter === undefined || column === undefined) return null;
  if (counter.increment !== '1') {
    const message = `The counter of ${column.name} went up by ${counter.increment}; now it goes up by 1`;
    notes.add('warning', 'IDENTITY_INCREMENT', message);
  }
  if (!counter.can_read) {
    const message = `The account may not read the sequence ${counter.name}: its number is taken from the rows alone`;
    notes.add('warning', 'SEQUENCE_UNREADABLE', message);
  }
  return {
    column: column.name,
    lastValue: String(BigInt(counter.next) - 1n),
    ...(column.identity === 'a' ? { always: true } : {}),
  };
}

function noteRelation({ relation }: TableParts, notes: Notes): void {
  if (relation.kind === 'p') {
    const message = `The table is partitioned by ${relation.definition ?? ''}: it becomes one table with the rows of all its partitions`;
    notes.add('warning', 'PARTITIONING_LOST', message);
  }
  if (relation.kind === 'r' && relation.parents !== null) {
    const message = `The table inherits from ${relation.parents}: it becomes a table of its own, and queries on the parent no longer see its rows`;
    notes.add('warning', 'INHERITANCE_LOST', message);
  }
  if (relation.is_unlogged)
    notes.add('info', 'UNLOGGED_LOST', 'The table was unlogged: it becomes an ordinary one');
  if (relation.has_policies) {
    const message =
      'Row security was on: the policies are listed but not moved, and every row can be seen';
    notes.add('warning', 'ROW_SECURITY_LOST', message);
  }
}

class Notes {
  readonly findings: Finding[] = [];
  readonly #table: string;

  constructor(table: string) {
    this.#table = table;
  }

  add(severity: Finding['severity'], code: string, message: string): void {
    const table = this.#table;
    this.findings.push({ severity, code, table, column: null, message, count: null, samples: [] });
  }
}
