import pg from 'pg';

import type { PlannedColumn, PlannedTable } from '../../../../src/engine/contract.ts';
import {
  findRefusedColumn,
  findRefusedLine,
} from '../../../../src/engine/steps/copy/refusal-context.ts';

function tableOf(target: string, ...columns: string[]): PlannedTable {
  return {
    schema: 'public',
    target,
    columns: columns.map((name) => ({ source: `source ${name}`, target: name }) as PlannedColumn),
  } as unknown as PlannedTable;
}

function errorOf(where: string, fields: Partial<pg.DatabaseError> = {}): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { where, ...fields });
}

describe('the context of an error in a COPY', () => {
  const notes = tableOf('notes 2', 'a', 'a: b', 'b');

  it.each([
    ['COPY notes 2, line 7, column b: "x"', 7, true, 'source b'],
    ['COPY notes 2, line 7', 7, true, ''],
    ['COPY notes 2, line 7: "1\tx, line 9, column a: "', 7, true, ''],
    ['COPY notes 2, line 7, column a: b: "x"', 7, true, 'source a: b'],
    ['COPY notes 2, line 7, column b: null input', 7, true, 'source b'],
    ['COPY notes 2, line 7, column b: "1\nCOPY notes 2, line 3, column a: x"', 7, true, 'source b'],
    ['PL/pgSQL function f() line 3 at RAISE\nCOPY notes 2, line 7', 7, true, ''],
    ['COPY notes 2, Zeile 7, Spalte b: »x«', 7, false, 'source b'],
    ['COPY notes 2, ligne 7, colonne b : « x »', 7, false, 'source b'],
    ['notes 2のCOPY、行 7、列 b: "x"', 7, false, 'source b'],
    ['COPY notes 2，第 7 行, 列 b："x"', 7, false, 'source b'],
  ])('%j tells the line, and the column where there is one', (where, line, isCertain, column) => {
    const error = errorOf(where);

    expect(findRefusedLine(error, notes, 10)).toEqual({ line, isCertain });
    expect(findRefusedColumn(error, notes)).toBe(column);
  });

  it.each([
    '',
    'SQL statement "SELECT 1"',
    'COPY notes 2, line 11',
    'COPY notes 2, line 0',
    'COPY x',
  ])('%j tells no line of ten', (where) => {
    expect(findRefusedLine(errorOf(where), notes, 10)).toBeNull();
  });

  it('takes the column from the error itself only where it is of this table', () => {
    const named = { schema: 'public', column: 'b' };

    expect(findRefusedColumn(errorOf('', { ...named, table: 'notes 2' }), notes)).toBe('source b');
    expect(findRefusedColumn(errorOf('', { ...named, table: 'log' }), notes)).toBe('');
  });
});
