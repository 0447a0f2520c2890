import {
  DEFAULT_JOB_OPTIONS,
  type PlannedTable,
  type SourceValue,
} from '../../../../src/engine/contract.ts';
import { encodeRow } from '../../../../src/engine/types/postgres-encode-row.ts';

const { policies } = DEFAULT_JOB_OPTIONS;

function encode(value: SourceValue, { targetType = 'text', nullable = true } = {}): unknown {
  const column = { source: 'v', target: 'v', targetType, nullable, generatedExpression: null };
  const table = { columns: [column] } as unknown as PlannedTable;
  const encoded = encodeRow({ table, row: { v: value }, policies });
  return 'line' in encoded ? Buffer.from(encoded.line).toString('latin1') : encoded.problem;
}

describe('a mended row of a PostgreSQL source', () => {
  it('is written as COPY reads it', () => {
    expect(encode({ type: 'text', value: 'tab\t back\\ \n' })).toBe('tab\\t back\\\\ \\n\n');
    expect(encode({ type: 'integer', value: '-7' }, { targetType: 'integer' })).toBe('-7\n');
    expect(encode({ type: 'blob', base64: 'AP8=' }, { targetType: 'bytea' })).toBe('\\\\x00ff\n');
    expect(encode(null)).toBe('\\N\n');
  });

  it.each([
    ['numeric(10,2)', '1.5', '1.50'],
    ['integer', '+7', '7'],
    ['double precision', '1e3', '1000'],
    ['boolean', 'yes', 't'],
    ['jsonb', '{"bb":1,"a":2}', '{"a": 2, "bb": 1}'],
    ['timestamp with time zone', '2020-01-01 12:00:00+02', '2020-01-01 10:00:00+00'],
    ['date', 'infinity', 'infinity'],
    ['"app"."mood"', 'sad', 'sad'],
  ])('is written as %s prints it', (targetType, value, expected) => {
    expect(encode({ type: 'text', value }, { targetType })).toBe(`${expected}\n`);
  });

  it('is still a reject where PostgreSQL cannot hold it', () => {
    expect(encode({ type: 'text', value: 'a\0b' })).toMatchObject({ reasonCode: 'TEXT_NUL' });
    expect(encode({ type: 'text', base64: '/w==' })).toMatchObject({ reasonCode: 'INVALID_UTF8' });
    expect(encode(null, { nullable: false })).toMatchObject({ reasonCode: 'NULL_NOT_ALLOWED' });
  });
});
