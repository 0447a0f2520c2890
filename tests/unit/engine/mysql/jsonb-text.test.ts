import { jsonbText } from '../../../../src/engine/types/jsonb-text.ts';

describe('jsonbText', () => {
  it.each([
    ['{"bb": 1, "a":2,"é":3, "":4}', '{"": 4, "a": 2, "bb": 1, "é": 3}'],
    ['[1e3,-0,-0.0,1.50e1,1E-3,0.10]', '[1000, 0, 0.0, 15.0, 0.001, 0.10]'],
    ['12345678901234567890.1230', '12345678901234567890.1230'],
    ['"\\u00e9\\/\\n\\u0001\\ud83d\\ude00"', '"é/\\n\\u0001😀"'],
    [' { } ', '{}'],
    ['[ ]', '[]'],
    ['{"a":{"c":null,"b":[true,false]}}', '{"a": {"b": [true, false], "c": null}}'],
  ])('%s is printed as %s', (json, text) => {
    expect(jsonbText(json)).toEqual({ text });
  });

  it.each([
    ['', 'syntax'],
    ['{', 'syntax'],
    ['[1,]', 'syntax'],
    ['01', 'syntax'],
    ['"a\u0001"', 'syntax'],
    ['nul', 'syntax'],
    ['1 2', 'syntax'],
    ['"\\u0000"', 'nul'],
    ['{"a":1,"\\u0061":2}', 'duplicateKey'],
    ['"\\ud83d"', 'surrogate'],
    ['1e200000', 'number'],
    ['['.repeat(1500), 'tooDeep'],
  ])('%s is refused: %s', (json, problem) => {
    expect(jsonbText(json)).toEqual({ problem });
  });
});
