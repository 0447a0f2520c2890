import { familyOf, parseDeclaredType } from '../../../../src/engine/types/mysql-declared.ts';
import { keyPart, rangeSql } from '../../../../src/engine/sources/mysql/ranges.ts';

function part(name: string, type: string, collation: string | null = null) {
  const declared = parseDeclaredType(type);
  return keyPart({ sql: `\`${name}\``, declared, family: familyOf(declared), collation }, 'opaque');
}

describe('rangeSql', () => {
  it('compares one column plainly', () => {
    expect(rangeSql([part('a', 'int')], { lower: ['1'], upper: ['9'] })).toBe(
      '`a` > 1 AND `a` <= 9',
    );
    expect(rangeSql([part('a', 'int')], { lower: null, upper: null })).toBe('TRUE');
  });

  it('writes several columns out, with the first one in front for the index', () => {
    expect(
      rangeSql([part('a', 'int'), part('b', 'varchar(5)', 'latin1_swedish_ci')], {
        lower: ['1', '80'],
        upper: null,
      }),
    ).toBe("`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` > _latin1 x'80'))");
  });

  it('refuses a bound that is no value of its key', () => {
    expect(() => rangeSql([part('a', 'int')], { lower: ['1 OR 1=1'], upper: null })).toThrow();
    expect(() => rangeSql([part('a', 'date')], { lower: ["' OR '"], upper: null })).toThrow();
    expect(() =>
      rangeSql([part('a', 'text', 'utf8mb4_bin')], { lower: ["00' OR"], upper: null }),
    ).toThrow();
  });
});
