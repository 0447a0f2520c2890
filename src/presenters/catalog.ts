import type { Catalog, Column, ForeignKey, Index, Table } from '../engine/contract.ts';

/** What introspection found in a source. */
export function presentCatalog({ kind, version, tables, unmoved }: Catalog) {
  return {
    kind,
    version,
    tables: tables.map(presentTable),
    unmoved: unmoved.map(({ kind, name, definition }) => ({ kind, name, definition })),
  };
}

function presentTable(table: Table) {
  return {
    name: table.name,
    columns: table.columns.map(presentColumn),
    primaryKey: table.primaryKey,
    indexes: table.indexes.map(presentIndex),
    foreignKeys: table.foreignKeys.map(presentForeignKey),
    checks: table.checks.map(({ name, expression }) => ({ name, expression })),
    identity: table.identity && {
      column: table.identity.column,
      lastValue: table.identity.lastValue,
    },
  };
}

function presentColumn(column: Column) {
  return {
    name: column.name,
    declaredType: column.declaredType,
    nullable: column.nullable,
    defaultExpression: column.defaultExpression,
    collation: column.collation,
    generated: column.generated && {
      expression: column.generated.expression,
      stored: column.generated.stored,
    },
  };
}

function presentIndex({ name, unique, parts, where }: Index) {
  return {
    name,
    unique,
    parts: parts.map(({ column, expression, descending, collation }) => ({
      column,
      expression,
      descending,
      collation,
    })),
    where,
  };
}

function presentForeignKey({ name, columns, references, onUpdate, onDelete }: ForeignKey) {
  return {
    name,
    columns,
    references: { table: references.table, columns: references.columns },
    onUpdate,
    onDelete,
  };
}
