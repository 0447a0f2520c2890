import type { PlannedTable, SourceRow, SourceValue } from '../engine/contract.ts';

/** Source column → value that takes the place of the one that the source has. */
export type MendedValues = Readonly<Record<string, SourceValue>>;

/** A row with all its values, or the columns whose values somebody has to give first. */
export type MendedRow =
  { readonly row: Readonly<Record<string, SourceValue>> } | { readonly missing: readonly string[] };

/**
 * The row of a reject with mended values in their places. Values that were too long to be kept whole have to be given; and of
 * what has not exactly the columns of its table, such as a record of a CSV file with a field too many, all of them: which
 * value belongs to which column would be a guess.
 */
export function mendRow(table: PlannedTable, row: SourceRow, set: MendedValues): MendedRow {
  const columns = columnsOf(table);
  const isRow =
    Object.keys(row).length === columns.length && columns.every((name) => Object.hasOwn(row, name));
  const missing: string[] = [];
  const entries = columns.map((name) => {
    const value = Object.hasOwn(set, name) ? (set[name] ?? null) : isRow ? row[name] : undefined;
    if (value === undefined || (value !== null && 'truncatedFrom' in value)) missing.push(name);
    return [name, value] as const;
  });
  if (missing.length > 0) return { missing };
  return { row: Object.fromEntries(entries) as Readonly<Record<string, SourceValue>> };
}

/** The source columns that a row of the table has to have a value for. */
export function columnsOf({ columns }: PlannedTable): string[] {
  return columns
    .filter(({ generatedExpression }) => generatedExpression === null)
    .map(({ source }) => source);
}
