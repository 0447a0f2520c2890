import { AppError } from '../../../errors/app-error.ts';
import type { Plan, PlannedIndex, PlannedTable } from '../../contract.ts';
import { qualifiedName, quoteIdentifier } from '../../target/identifiers.ts';
import type { Target } from '../../target/target.ts';
import { rewriteIdentifiers } from '../plan/rewrite.ts';

const MAX_GROUPS = 5;
const MAX_KEY_CHARACTERS = 60;

export interface UniqueIndex {
  readonly table: PlannedTable;
  readonly index: PlannedIndex;
}

/**
 * The same index comparing byte by byte, where it was to compare by a collation of the plan and nothing rests on that: what ICU
 * takes for equal is not always what the source did (`ß` and `ss`). Null: there is no such way out.
 */
export function findWeakerIndex(
  { table, index }: UniqueIndex,
  { tables }: Plan,
): PlannedIndex | null {
  const compared = new Set(
    table.columns
      .filter((column) => column.collationSchema !== undefined)
      .map(({ target }) => target),
  );
  const definition = rewriteIdentifiers(index.definition, {
    replace: (name) => (compared.has(name) ? `${quoteIdentifier(name)} COLLATE "C"` : null),
    isComposite: false,
  });
  if (definition === index.definition || definition.includes(' INCLUDE ')) return null;
  const isKey = table.primaryKey?.name === index.name;
  const isReferenced = tables.some(({ foreignKeys }) =>
    foreignKeys.some(
      ({ referencedTable, referencedColumns }) =>
        tables[referencedTable]?.source === table.source &&
        sameSet(referencedColumns, index.plainColumns ?? []),
    ),
  );
  return isKey || isReferenced ? null : { ...index, definition, plainColumns: null };
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}

/** TARGET_NOT_UNIQUE, with the keys of some rows that the index takes for equal. */
export function notUnique({ table, index }: UniqueIndex, keys: string, cause: unknown): AppError {
  const isCompared = table.columns.some(
    ({ target, collationSchema }) =>
      collationSchema !== undefined && index.definition.includes(quoteIdentifier(target)),
  );
  const advice = isCompared
    ? 'set keyCollation to drop for its columns, or mend the rows in the source'
    : 'mend the rows in the source';
  return new AppError(
    'TARGET_NOT_UNIQUE',
    {
      index: index.name,
      table: `${table.schema}.${table.target}`,
      reason: `${keys}: ${advice}`,
      ...(isCompared ? { field: 'options.policies.keyCollation' } : {}),
    },
    { cause },
  );
}

/** `rows with id 1, 2; 5, 9 are equal to it`: the rows' own keys, so that a person can look them up. */
export async function describeDuplicates(
  target: Target,
  { table, index }: UniqueIndex,
): Promise<string> {
  const columns = index.plainColumns;
  const key = table.columns.filter(({ source }) => table.rowKey.includes(source));
  if (columns === null || key.length === 0) return 'rows of different keys are equal to it';
  const list = columns.map(quoteIdentifier);
  const keySql = key.map((column) => `${quoteIdentifier(column.target)}::text`).join(', ');
  const rows = await target.query<{ keys: string[] }>(
    `looking for rows that are equal to ${index.name}`,
    `SELECT (array_agg(left(concat_ws(',', ${keySql}), ${String(MAX_KEY_CHARACTERS)})))[1:${String(MAX_GROUPS)}] AS keys
       FROM ${qualifiedName(table)} WHERE num_nulls(${list.join(', ')}) = 0
      GROUP BY ${list.join(', ')} HAVING count(*) > 1 LIMIT ${String(MAX_GROUPS)}`,
  );
  const named = rows.map(({ keys }) => keys.join(' = ')).join('; ');
  return `rows with the key ${key.map(({ source }) => source).join(', ')} are equal to it: ${named}`;
}
