import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

export type Row = SQLOutputValue[];

/** Any name, as SQLite's SQL takes it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A statement whose rows are arrays: objects lose columns of the same name, and cost more. */
export function prepare(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

export function allRows(
  db: DatabaseSync,
  sql: string,
  parameters: readonly SQLInputValue[] = [],
): Row[] {
  return prepare(db, sql).all(...parameters) as unknown as Row[];
}

/** The first row; an empty array where there is none. */
export function firstRow(
  db: DatabaseSync,
  sql: string,
  parameters: readonly SQLInputValue[] = [],
): Row {
  return (prepare(db, sql).get(...parameters) as unknown as Row | undefined) ?? [];
}

/** Rows one by one; the statement ends with the loop. */
export function iterateRows(
  db: DatabaseSync,
  sql: string,
  parameters: readonly SQLInputValue[] = [],
): IterableIterator<Row> {
  return prepare(db, sql).iterate(...parameters) as unknown as IterableIterator<Row>;
}

/** A column of the table that every query calls `t`. Qualified, because a bare name in quotes that is no column is a text to SQLite. */
export function columnOf(name: string): string {
  return `t.${quoteName(name)}`;
}
