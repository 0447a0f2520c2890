import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

import type { PlannedColumn, SourceValue } from '../../contract.ts';
import type { Cell } from '../../types/sqlite-cells.ts';
import { readsRealsAsText } from '../../types/sqlite-encoders.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import { firstRow } from './query.ts';

/**
 * What SQLite makes of values that are written into columns of these declared types. SQLite itself is asked, in memory: how it
 * converts, and how many digits of a real it prints, differs from version to version.
 */
export function storeValues(
  columns: readonly PlannedColumn[],
  values: readonly SourceValue[],
): Cell[] {
  if (columns.length === 0) return [];
  const db = new DatabaseSync(':memory:');
  try {
    const names = columns.map((_, index) => `c${String(index)}`);
    const typed = columns.map(
      ({ declaredType }, index) => `c${String(index)} ${affinityOf(declaredType)}`,
    );
    db.exec(`CREATE TABLE one (${typed.join(', ')})`);
    const written = values.map((value) => (isText(value) ? 'CAST(? AS TEXT)' : '?'));
    db.prepare(`INSERT INTO one VALUES (${written.join(', ')})`).run(...values.map(toParameter));
    const select = exactSelect(
      columns.map((column, index) => ({
        name: names[index] ?? '',
        realsAsText: readsRealsAsText(column),
      })),
    );
    return exactCells(firstRow(db, `SELECT ${select.join(', ')} FROM one AS t`), 0, 'UTF-8');
  } finally {
    db.close();
  }
}

/** The rules of "Determination Of Column Affinity", https://sqlite.org/datatype3.html. */
function affinityOf(declaredType: string): string {
  const type = declaredType.toUpperCase();
  if (type.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT';
  if (type === '' || type.includes('BLOB')) return 'BLOB';
  return /REAL|FLOA|DOUB/.test(type) ? 'REAL' : 'NUMERIC';
}

/** Text goes as its bytes: it may have a NUL in it, or be no UTF-8. */
function isText(value: SourceValue): boolean {
  return value !== null && value.type === 'text';
}

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

function toParameter(value: SourceValue): SQLInputValue {
  if (value === null) return null;
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  if (value.type === 'text') return Buffer.from(value.value, 'utf8');
  if (value.type === 'real') return Number(value.value);
  const whole = BigInt(value.value);
  // Whole numbers beyond 64 bits are reals to SQLite.
  return whole >= MIN_INTEGER && whole <= MAX_INTEGER ? whole : Number(value.value);
}
