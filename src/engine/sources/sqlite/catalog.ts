import type { DatabaseSync } from 'node:sqlite';

import {
  REFERENTIAL_ACTIONS,
  type Catalog,
  type Column,
  type ForeignKey,
  type Index,
  type IndexPart,
  type Table,
  type UnmovedObject,
} from '../../contract.ts';
import { normalCollation, parseCreateIndex, parseCreateTable, type TableDdl } from './ddl.ts';
import { sameName } from './names.ts';
import { allRows, firstRow, quoteText } from './query.ts';
import { shadowTables } from './shadow-tables.ts';
import { accessTable, type TableAccess } from './table-access.ts';

interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/** Product and version, for a person. */
export function readVersion(db: DatabaseSync): string {
  return `SQLite ${String(firstRow(db, 'SELECT sqlite_version()')[0])}`;
}

/**
 * The tables of the file and what belongs to them. Views and triggers are only ever read as text: preparing a statement on
 * them, or PRAGMA table_list, would expand them, which a hostile file can make endless.
 */
export function readCatalog(db: DatabaseSync): Catalog {
  const entries = readSchema(db);
  const virtualTables = entries.filter(isVirtual);
  const shadows = shadowTables(virtualTables);
  const names = entries
    .filter(
      (entry) =>
        entry.type === 'table' &&
        !isVirtual(entry) &&
        !isInternal(entry.name) &&
        !shadows.has(entry.name),
    )
    .map(({ name }) => name)
    .sort(compareText);
  return {
    kind: 'sqlite',
    version: readVersion(db),
    tables: names.map((name) => readTable(db, name, names)),
    unmoved: listUnmoved(entries),
  };
}

function readSchema(db: DatabaseSync): SchemaEntry[] {
  return allRows(db, 'SELECT type, name, sql FROM sqlite_schema').map(([type, name, sql]) => {
    return { type: String(type), name: String(name), sql: typeof sql === 'string' ? sql : null };
  });
}

function readTable(db: DatabaseSync, name: string, names: readonly string[]): Table {
  const access = accessTable(db, name);
  const ddl = parseCreateTable(tableSql(db, name));
  return {
    name,
    columns: access.columns.map((column) => describeColumn(column, access, ddl)),
    primaryKey: access.primaryKey.length === 0 ? null : access.primaryKey,
    indexes: readIndexes(db, name),
    foreignKeys: readForeignKeys(db, access, ddl, names),
    checks: ddl.checks,
    identity:
      access.rowidAlias === null
        ? null
        : { column: access.rowidAlias, lastValue: readSequence(db, name) },
  };
}

function describeColumn(
  column: TableAccess['columns'][number],
  access: TableAccess,
  ddl: TableDdl,
): Column {
  const written = ddl.columns.find(({ name }) => sameName(name, column.name));
  const isKey = access.primaryKey.includes(column.name);
  const neverNull =
    column.notNull ||
    access.rowidAlias === column.name ||
    (isKey && (access.withoutRowid || ddl.strict));
  return {
    name: column.name,
    declaredType: column.declaredType,
    nullable: !neverNull,
    defaultExpression: column.generated === null ? column.defaultExpression : null,
    collation: written?.collation ?? null,
    generated:
      column.generated === null
        ? null
        : {
            expression: written?.generated?.expression ?? '',
            stored: column.generated === 'stored',
          },
  };
}

function readIndexes(db: DatabaseSync, table: string): Index[] {
  const rows = allRows(
    db,
    `SELECT name, "unique", origin FROM pragma_index_list(${quoteText(table)}, 'main')`,
  );
  return rows
    .filter(([, , origin]) => origin !== 'pk')
    .map(([name, unique]) => readIndex(db, String(name), unique === 1))
    .sort((a, b) => compareText(a.name, b.name));
}

function readIndex(db: DatabaseSync, name: string, unique: boolean): Index {
  const [sql] = firstRow(db, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", [
    name,
  ]);
  const ddl = typeof sql === 'string' ? parseCreateIndex(sql) : null;
  const rows = allRows(
    db,
    `SELECT name, "desc", coll FROM pragma_index_xinfo(${quoteText(name)}, 'main') WHERE key = 1 ORDER BY seqno`,
  );
  const parts = rows.map(([column, descending, collation], position): IndexPart => {
    return {
      column: typeof column === 'string' ? column : null,
      expression: typeof column === 'string' ? null : (ddl?.parts[position] ?? null),
      descending: descending === 1,
      collation: normalCollation(typeof collation === 'string' ? collation : null),
    };
  });
  return { name, unique, parts, where: ddl?.where ?? null };
}

function readForeignKeys(
  db: DatabaseSync,
  access: TableAccess,
  ddl: TableDdl,
  names: readonly string[],
): ForeignKey[] {
  const rows = allRows(
    db,
    `SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(${quoteText(access.name)}, 'main') ORDER BY id DESC, seq`,
  );
  // SQLite numbers them from the last one written to the first.
  const ids = [...new Set(rows.map(([id]) => id))];
  const namesMatch = ids.length === ddl.foreignKeyNames.length;
  return ids.map((id, position): ForeignKey => {
    const parts = rows.filter((row) => row[0] === id);
    const [, table, , , onUpdate, onDelete] = parts[0] ?? [];
    const parentName = names.find((name) => sameName(name, String(table))) ?? String(table);
    const parent = names.includes(parentName) ? accessTable(db, parentName) : null;
    const referenced = parts.map(([, , , to]) => (typeof to === 'string' ? to : null));
    return {
      name: namesMatch ? (ddl.foreignKeyNames[position] ?? null) : null,
      columns: parts.map(([, , from]) => actualName(access, String(from))),
      references: {
        table: parentName,
        columns: referenced.includes(null)
          ? (parent?.primaryKey ?? [])
          : referenced.map((to) => (parent === null ? (to ?? '') : actualName(parent, to ?? ''))),
      },
      onUpdate: actionOf(onUpdate),
      onDelete: actionOf(onDelete),
    };
  });
}

function actionOf(text: unknown): ForeignKey['onUpdate'] {
  return REFERENTIAL_ACTIONS.find((action) => action === text) ?? 'NO ACTION';
}

function actualName(table: TableAccess, name: string): string {
  return table.columns.find((column) => sameName(column.name, name))?.name ?? name;
}

/** The counter of AUTOINCREMENT. */
function readSequence(db: DatabaseSync, table: string): string | null {
  const [exists] = firstRow(
    db,
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sqlite_sequence'",
  );
  if (exists === undefined) return null;
  const [last] = firstRow(
    db,
    "SELECT CAST(max(seq) AS TEXT) FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'",
    [table],
  );
  return typeof last === 'string' ? last : null;
}

function tableSql(db: DatabaseSync, name: string): string {
  return String(
    firstRow(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", [name])[0] ??
      '',
  );
}

function listUnmoved(entries: readonly SchemaEntry[]): UnmovedObject[] {
  return entries
    .flatMap((entry): UnmovedObject[] => {
      if (entry.type === 'view' || entry.type === 'trigger')
        return [{ kind: entry.type, name: entry.name, definition: entry.sql }];
      return isVirtual(entry)
        ? [{ kind: 'virtual table', name: entry.name, definition: entry.sql }]
        : [];
    })
    .sort((a, b) => compareText(a.kind, b.kind) || compareText(a.name, b.name));
}

function isVirtual({ type, sql }: SchemaEntry): boolean {
  return type === 'table' && sql !== null && /^\s*CREATE\s+VIRTUAL\s+TABLE\b/i.test(sql);
}

function isInternal(name: string): boolean {
  return name.toLowerCase().startsWith('sqlite_');
}

/** By code unit: the machine's language must not change a catalog. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
