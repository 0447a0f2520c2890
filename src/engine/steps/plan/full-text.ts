import type { IndexPart, PlannedColumn, TableScan } from '../../contract.ts';
import { quoteIdentifier } from '../../target/identifiers.ts';

/** A tsvector holds 1 MiB of words; CREATE INDEX fails on a text with more, when all rows are copied. */
const MAX_CHARACTERS = 262_144;

export function isFullTextTooLarge(parts: readonly IndexPart[], { columns }: TableScan): boolean {
  const characters = parts.reduce((sum, { column }) => {
    const scan = column !== null && Object.hasOwn(columns, column) ? columns[column] : undefined;
    return sum + (scan?.maxLength ?? 0);
  }, 0);
  return characters > MAX_CHARACTERS;
}

/** Words as they stand, without a language's endings: what a full-text index of a legacy database mostly does. */
export function fullTextIndex(columns: readonly PlannedColumn[]): string {
  const text = columns.map(({ target }) => `coalesce(${quoteIdentifier(target)}, '')`);
  return `USING gin (to_tsvector('simple', ${text.join(` || ' ' || `)}))`;
}
