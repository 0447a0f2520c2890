import type { PlannedColumn, PlannedTable } from '../../../src/engine/contract.ts';
import { findDifferences } from '../../../src/engine/steps/verify/differences.ts';

function column(source: string, targetType: string): PlannedColumn {
  return {
    source,
    target: source,
    declaredType: '',
    targetType,
    encoder: '',
    nullable: true,
    defaultExpression: null,
    collation: null,
    generatedExpression: null,
    evidence: '',
  };
}

function buildTable(changes: Partial<PlannedTable> = {}): PlannedTable {
  return {
    source: 't',
    schema: 'public',
    target: 't',
    columns: [column('id', 'bigint'), column('name', 'text')],
    chunkKey: null,
    chunks: [],
    digest: 'multiset',
    primaryKey: null,
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: null,
    estimatedRows: 0,
    rowKey: ['id'],
    ...changes,
  };
}

/** The lines in pieces of `size` bytes, as a socket may give them. */
async function* pieces(lines: readonly string[], size = 3): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

describe('findDifferences', () => {
  const compare = (
    source: readonly string[],
    target: readonly string[],
    options: { table?: PlannedTable; isCanonical?: boolean; maxRows?: number; size?: number } = {},
  ) =>
    findDifferences({
      table: options.table ?? buildTable(),
      source: pieces(source, options.size),
      target: pieces(target, options.size),
      isCanonical: options.isCanonical ?? false,
      ...(options.maxRows === undefined ? {} : { maxRows: options.maxRows }),
    });

  it('finds nothing between the same rows in another order', async () => {
    expect(await compare(['1\ta', '2\tb', '2\tb'], ['2\tb', '1\ta', '2\tb'])).toEqual({
      missing: { rows: 0, keys: [] },
      unexpected: { rows: 0, keys: [] },
      truncated: false,
    });
  });

  it('puts a changed row on both lists under its key', async () => {
    expect(await compare(['1\ta', '2\tb'], ['1\ta', '2\tc'])).toMatchObject({
      missing: { rows: 1, keys: [{ id: '2' }] },
      unexpected: { rows: 1, keys: [{ id: '2' }] },
    });
  });

  it('counts each copy of a doubled row', async () => {
    expect(await compare(['1\ta', '1\ta', '1\ta'], ['1\ta'])).toMatchObject({
      missing: { rows: 2, keys: [{ id: '1' }] },
      unexpected: { rows: 0 },
    });
    expect(await compare(['1\ta'], ['1\ta', '1\ta', '1\ta'])).toMatchObject({
      missing: { rows: 0 },
      unexpected: { rows: 2, keys: [{ id: '1' }, { id: '1' }] },
    });
  });

  it('lists at most ten keys and counts all', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => `${String(index)}\tx`);

    const { missing } = await compare(rows, []);

    expect(missing.rows).toBe(25);
    expect(missing.keys).toHaveLength(10);
  });

  it('reports no row as differing that is on both sides, however few may be held', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `${String(index)}\tx`);

    const result = await compare(rows, rows.toReversed(), { maxRows: 10, size: 4096 });

    expect(result).toEqual({
      missing: { rows: 0, keys: [] },
      unexpected: { rows: 0, keys: [] },
      truncated: true,
    });
  });

  it('still finds a share of many differences when few may be held', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `${String(index)}\tx`);
    const changed = rows.map((row) => `${row}y`);

    const result = await compare(rows, changed, { maxRows: 1000, size: 4096 });

    expect(result.truncated).toBe(true);
    expect(result.missing.rows).toBeGreaterThan(100);
    expect(result.unexpected.rows).toBeGreaterThan(100);
  });

  it('reads keys out of both renderings, escapes and NULL included', async () => {
    const table = buildTable({ rowKey: ['id', 'name'] });

    const copy = await compare(['1\ta\\tb\\\\c\\n', '2\t\\N'], [], { table });
    const canonical = await compare(['1\tc3a4', '2\t\\N'], [], { table, isCanonical: true });

    expect(copy.missing.keys).toEqual([
      { id: '1', name: 'a\tb\\c\n' },
      { id: '2', name: null },
    ]);
    expect(canonical.missing.keys).toEqual([
      { id: '1', name: 'ä' },
      { id: '2', name: null },
    ]);
  });

  it('never cuts a character in half', async () => {
    const table = buildTable({ rowKey: ['name'] });

    const { missing } = await compare([`1\t${'a'.repeat(59)}😀 and more`], [], { table });

    expect(missing.keys).toEqual([{ name: `${'a'.repeat(59)}…` }]);
  });
});
