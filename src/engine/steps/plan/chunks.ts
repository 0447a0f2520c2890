import type { Chunk, PlannedColumn, PlannedTable, TableScan } from '../../contract.ts';

/** Chunks from the bounds that the scan took from the index, and how their rows can be compared. */
export function planChunks(
  scan: TableScan,
  columns: readonly PlannedColumn[],
): Pick<PlannedTable, 'chunkKey' | 'chunks' | 'digest'> {
  const bounds = scan.chunkKey === null ? [] : scan.chunkBounds;
  const chunks = Array.from({ length: bounds.length + 1 }, (_, index): Chunk => {
    return { number: index + 1, lower: bounds[index - 1] ?? null, upper: bounds[index] ?? null };
  });
  return {
    chunkKey: scan.chunkKey,
    chunks,
    digest: isOrderedInTarget(scan, columns) ? 'ordered' : 'multiset',
  };
}

export const INTEGER_TYPES = new Set(['smallint', 'integer', 'bigint']);

/** The key exists in the target, with values of the same order. */
function isOrderedInTarget({ chunkKey }: TableScan, columns: readonly PlannedColumn[]): boolean {
  if (chunkKey === null || chunkKey.columns.length === 0) return false;
  return chunkKey.columns.every((name, index) => {
    const column = columns.find((candidate) => candidate.source === name);
    if (column?.generatedExpression !== null) return false;
    const kind = chunkKey.kinds[index];
    if (kind === 'integer') return INTEGER_TYPES.has(column.targetType);
    if (kind === 'native') return column.targetType === column.declaredType;
    return kind === 'text' && /^(?:text|character varying(?:\(\d+\))?)$/.test(column.targetType);
  });
}

/**
 * Text keys compare byte by byte in the source. With the "C" collation they do so in the target too: the order stays what
 * it was, and chunks can be read back through the key's own index.
 */
export function withBinaryKeyCollation(table: PlannedTable): PlannedTable {
  const { chunkKey } = table;
  if (table.digest !== 'ordered' || chunkKey === null) return table;
  const textKeys = new Set(chunkKey.columns.filter((_, index) => chunkKey.kinds[index] === 'text'));
  return {
    ...table,
    columns: table.columns.map((column) =>
      textKeys.has(column.source) && column.collation === null
        ? { ...column, collation: 'C' }
        : column,
    ),
  };
}
