import { familyOf, parseDeclaredType } from '../../../../src/engine/types/mysql-declared.ts';

describe('parseDeclaredType', () => {
  it.each([
    ['tinyint(1)', 'tinyint', [1], false],
    ['bigint(20) unsigned', 'bigint', [20], true],
    ['int(5) unsigned zerofill', 'int', [5], true],
    ['decimal(65,30)', 'decimal', [65, 30], false],
    ['double', 'double', [], false],
    ['timestamp(6)', 'timestamp', [6], false],
  ])('reads %s', (text, name, sizes, unsigned) => {
    expect(parseDeclaredType(text)).toMatchObject({ name, sizes, unsigned });
  });

  it('reads labels, whatever is in them', () => {
    const { labels, name } = parseDeclaredType(
      "enum('a','','it''s','b\\\\s','x\\ny','(1) unsigned',',')",
    );

    expect(name).toBe('enum');
    expect(labels).toEqual(['a', '', "it's", 'b\\s', 'x\ny', '(1) unsigned', ',']);
  });

  it('knows no family of what it does not know', () => {
    expect(familyOf(parseDeclaredType('vector(3)'))).toBe('unknown');
    expect(familyOf(parseDeclaredType('constructor'))).toBe('unknown');
  });
});
