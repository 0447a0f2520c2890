import { readFileSync } from 'node:fs';

/** One row of a table: heading of the column → text of the cell, a bar within a cell as it is meant. */
export type Row = Readonly<Record<string, string>>;

/** The rows of all tables of a page below the given heading (`## …`), or of the whole page. */
export function readTables(file: string, heading?: string): Row[] {
  const rows: Row[] = [];
  let columns: string[] | null = null;
  for (const line of sectionOf(readFileSync(file, 'utf8'), heading)) {
    if (!line.startsWith('|')) {
      columns = null;
      continue;
    }
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (columns === null) columns = cells;
    else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) rows.push(rowOf(columns, cells));
  }
  return rows;
}

/** The text of a cell that is one piece of code. */
export function codeOf(cell: string | undefined): string {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1] ?? `not code: ${String(cell)}`;
}

function rowOf(columns: readonly string[], cells: readonly string[]): Row {
  if (cells.length !== columns.length) throw new Error(`a row of ${String(cells.length)} cells`);
  return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
}

function sectionOf(text: string, heading: string | undefined): string[] {
  const lines = text.split('\n');
  if (heading === undefined) return lines;
  const start = lines.indexOf(`## ${heading}`) + 1;
  if (start === 0) throw new Error(`no heading ${heading}`);
  const length = lines.slice(start).findIndex((line) => line.startsWith('## '));
  return length === -1 ? lines.slice(start) : lines.slice(start, start + length);
}
