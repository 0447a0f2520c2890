import type pg from 'pg';
import type { PlannedTable, RowProblem } from '../../contract.ts';
import { reasonOf } from '../../target/errors.ts';

/** Where in a COPY the server says that it has stumbled. */
export interface RefusedLine {
  /** Counted from 1. */
  readonly line: number;
  /** The context is in the server's English, so the number is no other than the line's. */
  readonly isCertain: boolean;
}

/**
 * The line that the context of an error names, `COPY notes, line 7, column body: "…"`; null where it names none, as for what
 * is only checked at the end of the statement. The context is in the server's language: there the first number after the
 * table's name is taken, which has to be tried before it is believed.
 */
export function findRefusedLine(
  error: pg.DatabaseError,
  table: PlannedTable,
  lines: number,
): RefusedLine | null {
  const found = findCopyContext(error, table);
  const number = /^\D*?(\d+)/u.exec(found?.rest ?? '')?.[1];
  const line = Number(number ?? 0);
  if (found === null || line < 1 || line > lines) return null;
  return { line, isCertain: found.isEnglish };
}

/** Why the target refused a row, and which column of the source is to blame, where it says so. */
export function findRefusal(error: pg.DatabaseError, table: PlannedTable): RowProblem {
  const column = findRefusedColumn(error, table);
  return { column, reasonCode: 'TARGET_REFUSED', message: reasonOf(error) };
}

/** The source's name of the column that an error names; '' where it names none of this table. */
export function findRefusedColumn(error: pg.DatabaseError, table: PlannedTable): string {
  const isOfTable = error.table === table.target && error.schema === table.schema;
  const name =
    isOfTable && error.column !== undefined ? error.column : columnOfContext(error, table);
  return table.columns.find(({ target }) => target === name)?.source ?? '';
}

/** Between the line's number and the column's name stands a word of the server's language, such as `, column `. */
const MAX_WORD = 20;

function columnOfContext(error: pg.DatabaseError, table: PlannedTable): string | null {
  const rest = findCopyContext(error, table)?.rest ?? '';
  const afterNumber = /^\D*?\d+(.*)$/su.exec(rest)?.[1] ?? '';
  const isNamed = (name: string): boolean =>
    [': ', ' : ', ':', '：'].some((colon) => {
      const at = afterNumber.indexOf(name + colon);
      return at > 0 && at <= MAX_WORD;
    });
  // The longest first: of `a: b` and `b`, both could be found in `a: b: …`.
  const names = table.columns.map(({ target }) => target);
  return names.sort((one, other) => other.length - one.length).find(isNamed) ?? null;
}

/**
 * The first line of the context that COPY into this table has written, from behind the table's name. What follows it can be a
 * value of the row, and hold anything.
 */
function findCopyContext(
  { where = '' }: pg.DatabaseError,
  { target }: PlannedTable,
): { readonly rest: string; readonly isEnglish: boolean } | null {
  const english = `COPY ${target}, line `;
  const at = `\n${where}`.indexOf(`\n${english}`);
  if (at !== -1) return { rest: where.slice(at + english.length), isEnglish: true };
  const begin = /^.*COPY/mu.exec(where)?.index ?? -1;
  const name = begin === -1 ? -1 : where.indexOf(target, begin);
  return name === -1 ? null : { rest: where.slice(name + target.length), isEnglish: false };
}
