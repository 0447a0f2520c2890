import { textCell, type Cell, type TextEncoding } from '../../types/sqlite-cells.ts';
import { columnOf, type Row } from './query.ts';

/** SQLite takes at most 1000 arguments in a call. */
const MAX_ARGUMENTS = 500;

export interface ExactColumn {
  readonly name: string;
  /** Reals come as SQLite writes them. */
  readonly realsAsText: boolean;
}

/** SQL that gives each value exactly, whatever it is: first the types as one letter each, then the values. */
export function exactSelect(columns: readonly ExactColumn[]): string[] {
  const letters = columns.map(({ name }) => `substr(typeof(${columnOf(name)}), 1, 1)`);
  return [
    columns.length === 0 ? "''" : concatenate(letters),
    ...columns.map(({ name, realsAsText }) => {
      const column = columnOf(name);
      const reals = realsAsText ? ` WHEN 'real' THEN CAST(${column} AS TEXT)` : '';
      return `CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS TEXT) WHEN 'text' THEN CAST(${column} AS BLOB)${reals} ELSE ${column} END`;
    }),
  ];
}

/** The cells of a row whose values from `offset` on were selected with `exactSelect`. */
export function exactCells(row: Row, offset: number, encoding: TextEncoding): Cell[] {
  const letters = String(row[offset]);
  return Array.from(letters, (letter, position) =>
    cellOf(letter, row[offset + 1 + position], encoding),
  );
}

function cellOf(letter: string, value: Row[number] | undefined, encoding: TextEncoding): Cell {
  switch (letter) {
    case 'i':
      return { type: 'integer', value: BigInt(value as string) };
    case 'r':
      return typeof value === 'string'
        ? { type: 'real', value: Number(value.replace('Inf', 'Infinity')), text: value }
        : { type: 'real', value: value as number, text: null };
    case 't':
      return textCell(value as Uint8Array, encoding);
    case 'b':
      return { type: 'blob', bytes: value as Uint8Array };
    default:
      return { type: 'null' };
  }
}

/** `concat(…)` of any number of parts. */
export function concatenate(parts: readonly string[]): string {
  if (parts.length <= MAX_ARGUMENTS) return `concat(${parts.join(', ')})`;
  const groups = Array.from({ length: Math.ceil(parts.length / MAX_ARGUMENTS) }, (_, group) =>
    concatenate(parts.slice(group * MAX_ARGUMENTS, (group + 1) * MAX_ARGUMENTS)),
  );
  return concatenate(groups);
}
