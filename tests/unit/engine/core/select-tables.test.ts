import type { Catalog, Table } from '../../../../src/engine/contract.ts';
import { selectTables } from '../../../../src/engine/select-tables.ts';

function select(
  names: readonly string[],
  include: readonly string[],
  exclude: readonly string[] = [],
): string[] {
  const tables = names.map((name) => ({ name }) as Table);
  const catalog: Catalog = { kind: 'sqlite', version: '', tables, unmoved: [] };
  return selectTables(catalog, { include, exclude }).tables.map(({ name }) => name);
}

describe('selectTables', () => {
  const names = ['Album', 'album_2', 'tmp_x', 'a.b', 'a+b'];

  it('takes all without a wish', () => {
    expect(select(names, [])).toEqual(names);
  });

  it.each([
    [['album*'], ['Album', 'album_2']],
    [['album'], ['Album']],
    [['a?b'], ['a.b', 'a+b']],
    [['a.b'], ['a.b']],
    [['*'], names],
    [['nothing'], []],
  ])('takes %j without regard to case', (include, expected) => {
    expect(select(names, include)).toEqual(expected);
  });

  it('leaves out what is excluded, even if it is included', () => {
    expect(select(names, ['a*'], ['*_2', 'a?b'])).toEqual(['Album']);
  });

  it('is not slowed down by many stars', () => {
    expect(select(['a'.repeat(5000)], [`${'*a'.repeat(15)}*b`])).toEqual([]);
  });
});
