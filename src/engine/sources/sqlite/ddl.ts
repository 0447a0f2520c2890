import { isOperator, isWord, type Token } from '../../types/sql-tokens.ts';
import { tokenize } from '../../types/sqlite-tokens.ts';

/** What only the text of a CREATE TABLE tells: the PRAGMAs leave it out. Names are as they stand there. */
export interface TableDdl {
  readonly columns: readonly ColumnDdl[];
  readonly checks: readonly { readonly name: string | null; readonly expression: string }[];
  /** Names of the foreign keys, in the order in which they are written. */
  readonly foreignKeyNames: readonly (string | null)[];
  readonly withoutRowid: boolean;
  readonly strict: boolean;
}

export interface ColumnDdl {
  readonly name: string;
  readonly collation: string | null;
  readonly generated: { readonly expression: string; readonly stored: boolean } | null;
}

/** What only the text of a CREATE INDEX tells. */
export interface IndexDdl {
  /** Each part without its COLLATE, ASC and DESC. */
  readonly parts: readonly string[];
  readonly where: string | null;
}

const NO_TABLE: TableDdl = {
  columns: [],
  checks: [],
  foreignKeyNames: [],
  withoutRowid: false,
  strict: false,
};

/** Reads a CREATE TABLE. Text that cannot be read gives nothing rather than something wrong. */
export function parseCreateTable(sql: string): TableDdl {
  const tokens = tokenize(sql);
  const open = tokens?.findIndex((token) => isOperator(token, '(')) ?? -1;
  if (tokens === null || open < 0) return NO_TABLE;
  const close = closingParenthesis(tokens, open);
  const found: MutableDdl = { columns: [], checks: [], foreignKeyNames: [] };
  let isConstraint = false;
  for (const item of splitList(tokens, open + 1, close)) {
    isConstraint ||= isWord(item[0], 'CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN');
    readItem(sql, item, isConstraint ? null : (item[0]?.text ?? null), found);
  }
  const options = tokens.slice(close + 1);
  return {
    ...found,
    withoutRowid: options.some(
      (token, index) => isWord(token, 'WITHOUT') && isWord(options[index + 1], 'ROWID'),
    ),
    strict: options.some((token) => isWord(token, 'STRICT')),
  };
}

/** Reads a CREATE INDEX; null where it cannot be read. */
export function parseCreateIndex(sql: string): IndexDdl | null {
  const tokens = tokenize(sql);
  const on = tokens?.findIndex((token) => isWord(token, 'ON')) ?? -1;
  if (tokens === null || on < 0) return null;
  const open = tokens.findIndex((token, index) => index > on && isOperator(token, '('));
  if (open < 0) return null;
  const close = closingParenthesis(tokens, open);
  const where = tokens[close + 1];
  const last = tokens.at(-1);
  return {
    parts: splitList(tokens, open + 1, close).map((part) => textOf(sql, withoutOrder(part))),
    where:
      isWord(where, 'WHERE') && where !== undefined && last !== undefined
        ? sql.slice(where.end, last.end).trim()
        : null,
  };
}

interface MutableDdl {
  readonly columns: ColumnDdl[];
  readonly checks: { readonly name: string | null; readonly expression: string }[];
  readonly foreignKeyNames: (string | null)[];
}

/** One column definition with its constraints, or one constraint of the table (`columnName` null). */
function readItem(
  sql: string,
  tokens: readonly Token[],
  columnName: string | null,
  found: MutableDdl,
): void {
  let collation: string | null = null;
  let generated: ColumnDdl['generated'] = null;
  let constraintName: string | null = null;
  for (let index = columnName === null ? 0 : 1; index < tokens.length; index++) {
    const token = tokens[index];
    if (isOperator(token, '(')) {
      index = closingParenthesis(tokens, index);
      continue;
    }
    if (isWord(token, 'CONSTRAINT')) {
      constraintName = tokens[++index]?.text ?? null;
      continue;
    }
    if (isWord(token, 'COLLATE')) collation = tokens[++index]?.text ?? null;
    if (isWord(token, 'CHECK', 'AS') && isOperator(tokens[index + 1], '(')) {
      const close = closingParenthesis(tokens, index + 1);
      const expression = textOf(sql, tokens.slice(index + 2, close));
      if (isWord(token, 'CHECK')) found.checks.push({ name: constraintName, expression });
      else generated = { expression, stored: isWord(tokens[close + 1], 'STORED') };
      index = close;
    }
    if (isWord(token, 'REFERENCES')) found.foreignKeyNames.push(constraintName);
    if (isWord(token, 'CHECK', 'REFERENCES', 'UNIQUE', 'PRIMARY', 'DEFAULT', 'COLLATE'))
      constraintName = null;
    // FOREIGN KEY (…) REFERENCES …: the name belongs to what follows.
  }
  if (columnName !== null)
    found.columns.push({ name: columnName, collation: normalCollation(collation), generated });
}

/** BINARY is what there is without any. */
export function normalCollation(name: string | null): string | null {
  if (name === null) return null;
  const upper = name.toUpperCase();
  return upper === 'BINARY' ? null : upper;
}

function withoutOrder(part: readonly Token[]): readonly Token[] {
  let end = part.length;
  if (isWord(part[end - 1], 'ASC', 'DESC')) end--;
  if (isWord(part[end - 2], 'COLLATE')) end -= 2;
  return part.slice(0, end);
}

function textOf(sql: string, tokens: readonly Token[]): string {
  const [first] = tokens;
  const last = tokens.at(-1);
  return first === undefined || last === undefined ? '' : sql.slice(first.start, last.end);
}

function closingParenthesis(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (isOperator(tokens[index], '(')) depth++;
    if (isOperator(tokens[index], ')') && --depth === 0) return index;
  }
  return tokens.length;
}

function splitList(tokens: readonly Token[], from: number, to: number): Token[][] {
  const items: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(from, to)) {
    if (isOperator(token, '(')) depth++;
    if (isOperator(token, ')')) depth--;
    if (depth === 0 && isOperator(token, ',')) items.push([]);
    else items.at(-1)?.push(token);
  }
  return items.filter((item) => item.length > 0);
}
