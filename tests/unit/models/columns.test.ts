import { toSafeInteger } from '../../../src/models/columns.ts';

describe('toSafeInteger', () => {
  it.each([
    ['0', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    [42, 42],
  ])('reads %s', (given, expected) => {
    expect(toSafeInteger(given)).toBe(expected);
  });

  it.each(['9007199254740992', '1.5', 'x'])('refuses %s', (given) => {
    expect(() => toSafeInteger(given)).toThrow(RangeError);
  });
});
