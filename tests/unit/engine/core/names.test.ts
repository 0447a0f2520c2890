import type { Table } from '../../../../src/engine/contract.ts';
import {
  cutIdentifier,
  nameColumns,
  nameTables,
  ObjectNames,
} from '../../../../src/engine/steps/plan/names.ts';

function buildTable(name: string, columns: readonly string[] = []): Table {
  return {
    name,
    columns: columns.map((column) => ({
      name: column,
      declaredType: '',
      nullable: true,
      defaultExpression: null,
      collation: null,
      generated: null,
    })),
    primaryKey: null,
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: null,
  };
}

describe('names in the target', () => {
  it.each([
    ['lower', 'AlbumId', 'albumid'],
    ['snake_case', 'AlbumId', 'album_id'],
    ['snake_case', 'HTTPServer', 'http_server'],
    ['snake_case', 'Unit Price', 'unit_price'],
    ['preserve', 'AlbumId', 'AlbumId'],
    ['preserve', 'a"b', 'a"b'],
    ['lower', 'ÜBER', 'über'],
  ] as const)('with %s calls %s %s', (identifiers, source, target) => {
    expect(nameTables([buildTable(source)], { identifiers, rename: {} }).get(source)).toBe(target);
  });

  it('takes a rename as it stands', () => {
    const options = {
      identifiers: 'lower',
      rename: { Album: 'Records', 'Album.Id': 'Key' },
    } as const;

    expect(nameTables([buildTable('Album')], options).get('Album')).toBe('Records');
    expect(nameColumns(buildTable('Album', ['Id']), options).get('Id')).toBe('Key');
  });

  it('does not take what every object has for a rename', () => {
    const names = nameTables([buildTable('constructor'), buildTable('__proto__')], {
      identifiers: 'lower',
      rename: {},
    });

    expect([...names.values()]).toEqual(['constructor', '__proto__']);
  });

  it('refuses two tables that would get one name, and says which', () => {
    const plan = (): unknown =>
      nameTables([buildTable('Users'), buildTable('USERS')], { identifiers: 'lower', rename: {} });

    expect(plan).toThrow(/Users, USERS would all be called users/);
  });

  it('gives names to columns that PostgreSQL keeps for itself or cannot have', () => {
    const names = nameColumns(buildTable('t', ['xmin', '', 'id']), {
      identifiers: 'lower',
      rename: {},
    });

    expect([...names.values()]).toEqual(['xmin_', 'column_2', 'id']);
  });

  it('cuts long names on a character boundary and keeps them apart', () => {
    const [a, b] = [cutIdentifier(`${'ü'.repeat(40)}a`), cutIdentifier(`${'ü'.repeat(40)}b`)];

    expect(a).not.toBe(b);
    for (const name of [a, b]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(name).toMatch(/^ü+_[0-9a-f]{8}$/);
    }
    expect(cutIdentifier('x'.repeat(63))).toBe('x'.repeat(63));
  });

  it('numbers names of indexes and constraints that are taken', () => {
    const names = new ObjectNames(['orders_pkey']);

    expect([names.claim('orders', 'pkey'), names.claim('orders', 'pkey')]).toEqual([
      'orders_pkey_1',
      'orders_pkey_2',
    ]);
  });
});
