import type {
  PlannedColumn,
  PlannedForeignKey,
  PlannedIndex,
  PlannedSchemaObject,
  PlannedTable,
} from '../contract.ts';
import { columnList, qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.ts';

/** Columns that are copied, in the order of the COPY list: all but the generated ones. */
export function copiedColumns(table: PlannedTable): readonly PlannedColumn[] {
  return table.columns.filter((column) => column.generatedExpression === null);
}

/** A type, collation or sequence. A sequence stands at once where the source's own would go on. */
export function createSchemaObjectSql({
  schema,
  name,
  sql,
  next,
}: PlannedSchemaObject): readonly string[] {
  if (next === undefined) return [sql];
  const sequence = quoteLiteral(qualifiedName({ schema, target: name }));
  return [sql, `SELECT setval(${sequence}, ${quoteLiteral(next)}, false)`];
}

/** The table without keys and indexes, which come when the data is in. */
export function createTableSql(table: PlannedTable): string {
  const lines = table.columns.map((column) => `  ${columnSql(column, table)}`);
  return `CREATE TABLE ${qualifiedName(table)} (\n${lines.join(',\n')}\n)`;
}

/** What the source says of table and columns, and what they were called there. */
export function commentSql(table: PlannedTable): readonly string[] {
  const name = qualifiedName(table);
  const ofTable =
    table.comment === undefined
      ? []
      : [`COMMENT ON TABLE ${name} IS ${quoteLiteral(table.comment)}`];
  const ofColumns = table.columns.flatMap(({ target, comment }) =>
    comment === undefined
      ? []
      : [`COMMENT ON COLUMN ${name}.${quoteIdentifier(target)} IS ${quoteLiteral(comment)}`],
  );
  return [...ofTable, ...ofColumns];
}

export function createIndexSql(table: PlannedTable, index: PlannedIndex): string {
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${qualifiedName(table)} ${index.definition}`;
}

/** The index that `addPrimaryKeySql` turns into the key: built like any other, beside the others. */
export function primaryKeyIndex(table: PlannedTable): PlannedIndex | null {
  if (table.primaryKey === null) return null;
  const { name, columns } = table.primaryKey;
  return { name, unique: true, definition: `(${columnList(columns)})`, plainColumns: columns };
}

export function addPrimaryKeySql(table: PlannedTable, name: string): string {
  const quoted = quoteIdentifier(name);
  return `ALTER TABLE ${qualifiedName(table)} ADD CONSTRAINT ${quoted} PRIMARY KEY USING INDEX ${quoted}`;
}

export function addForeignKeySql(
  table: PlannedTable,
  key: PlannedForeignKey,
  referenced: PlannedTable,
): string {
  return (
    `ALTER TABLE ${qualifiedName(table)} ADD CONSTRAINT ${quoteIdentifier(key.name)} ` +
    `FOREIGN KEY (${columnList(key.columns)}) REFERENCES ${qualifiedName(referenced)} (${columnList(key.referencedColumns)}) ` +
    `ON UPDATE ${key.onUpdate} ON DELETE ${key.onDelete} NOT VALID`
  );
}

export function addCheckSql(
  table: PlannedTable,
  check: { readonly name: string; readonly expression: string },
): string {
  return `ALTER TABLE ${qualifiedName(table)} ADD CONSTRAINT ${quoteIdentifier(check.name)} CHECK (${check.expression}) NOT VALID`;
}

export function validateConstraintSql(table: PlannedTable, name: string): string {
  return `ALTER TABLE ${qualifiedName(table)} VALIDATE CONSTRAINT ${quoteIdentifier(name)}`;
}

function columnSql(column: PlannedColumn, table: PlannedTable): string {
  const parts = [quoteIdentifier(column.target), column.targetType];
  if (column.collation !== null) parts.push(`COLLATE ${collationName(column, column.collation)}`);
  if (column.generatedExpression !== null)
    parts.push(`GENERATED ALWAYS AS (${column.generatedExpression}) STORED`);
  if (table.identity?.column === column.target)
    parts.push(`GENERATED ${table.identity.always === true ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`);
  else if (column.defaultExpression !== null) parts.push(`DEFAULT ${column.defaultExpression}`);
  if (!column.nullable) parts.push('NOT NULL');
  return parts.join(' ');
}

function collationName({ collationSchema }: PlannedColumn, collation: string): string {
  return collationSchema === undefined
    ? quoteIdentifier(collation)
    : qualifiedName({ schema: collationSchema, target: collation });
}
