import { parse } from 'csv-parse/sync';
import fc from 'fast-check';

import type { Dialect } from '../../../../src/engine/sources/csv/dialect.ts';
import {
  BrokenRecordError,
  MAX_RECORD_BYTES,
  RecordTokenizer,
} from '../../../../src/engine/sources/csv/record-tokenizer.ts';
import { SEED } from '../../../helpers/seed.ts';

const RUNS = { seed: SEED, numRuns: 500 };

const COMMA: Dialect = { delimiter: Buffer.from(','), quote: 0x22, escape: 0x22 };
const BACKSLASH: Dialect = { ...COMMA, escape: 0x5c };

interface Found {
  readonly fields: readonly string[];
  readonly quoted: readonly boolean[];
  readonly isMalformed: boolean;
  readonly range: readonly [number, number];
}

/** The records of a text that comes in pieces of so many bytes. */
function tokenize(text: string, dialect = COMMA, pieceBytes = 1_000_000): Found[] {
  const bytes = Buffer.from(text);
  const tokenizer = new RecordTokenizer(dialect, 0);
  const found: Found[] = [];
  const takeAll = (): void => {
    while (tokenizer.next()) {
      const fields = Array.from({ length: tokenizer.fieldCount }, (_, field) => field);
      found.push({
        fields: fields.map((field) => tokenizer.value(field).toString()),
        quoted: fields.map((field) => tokenizer.isQuoted(field)),
        isMalformed: tokenizer.isMalformed,
        range: [tokenizer.offset, tokenizer.endOffset],
      });
    }
  };
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    tokenizer.push(bytes.subarray(start, start + pieceBytes));
    takeAll();
  }
  tokenizer.finish();
  takeAll();
  return found;
}

const fieldsOf = (text: string, dialect = COMMA): (readonly string[])[] =>
  tokenize(text, dialect).map(({ fields }) => fields);

describe(`the tokenizer of records, seed ${String(SEED)}`, () => {
  const hostile = fc
    .array(fc.constantFrom('"', '""', ',', '\n', '\r', '\r\n', '\\', 'a', 'é', '🐘', ' ', '\0'), {
      maxLength: 40,
    })
    .map((parts) => parts.join(''));

  it('cuts any text into the records and fields that csv-parse finds', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        let expected: string[][];
        try {
          expected = parse(text, {
            relax_quotes: true,
            relax_column_count: true,
            record_delimiter: ['\r\n', '\n', '\r'],
          });
        } catch {
          expect(() => tokenize(text)).toThrow(BrokenRecordError);
          return;
        }
        const found = tokenize(text);
        expect(found.length).toBe(expected.length);
        for (const [index, { fields, isMalformed }] of found.entries()) {
          expect(fields.length).toBe(expected[index]?.length);
          // What follows a closing quote has no sure reading: such a record is rejected.
          if (!isMalformed) expect(fields).toEqual(expected[index]);
        }
      }),
      RUNS,
    );
  });

  it.each([
    ['doubled quotes', COMMA],
    ['backslashes', BACKSLASH],
    ['a delimiter of three bytes', { ...COMMA, delimiter: Buffer.from('€') }],
  ])('finds the same in pieces of any size, with %s', (_, dialect) => {
    const whole = hostile.map((text) => text.replaceAll(',', dialect.delimiter.toString()));
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 7 }), (text, pieceBytes) => {
        const attempt = (size: number): unknown => {
          try {
            return tokenize(text, dialect, size);
          } catch (error) {
            return (error as BrokenRecordError).problem;
          }
        };
        expect(attempt(pieceBytes)).toEqual(attempt(1_000_000));
      }),
      RUNS,
    );
  });

  it('gives ranges that follow one another and hold one record each', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        let found: Found[];
        try {
          found = tokenize(text);
        } catch {
          return;
        }
        let end = 0;
        for (const { range, fields } of found) {
          expect(range[0]).toBe(end);
          end = range[1];
          const part = Buffer.from(text)
            .subarray(...range)
            .toString();
          expect(tokenize(part).map((record) => record.fields)).toEqual([fields]);
        }
        expect(end).toBe(Buffer.byteLength(text));
      }),
      RUNS,
    );
  });

  it('tells what was quoted from what was not', () => {
    expect(tokenize('a,"a",,""\n')[0]?.quoted).toEqual([false, true, false, true]);
  });

  it('takes a quote inside an unquoted field as it stands', () => {
    expect(fieldsOf('5" disk,x\n')).toEqual([['5" disk', 'x']]);
  });

  it('makes a backslash an escape only before a quote and itself', () => {
    expect(fieldsOf('"a\\"b","C:\\\\new","C:\\new"\n', BACKSLASH)).toEqual([
      ['a"b', 'C:\\new', 'C:\\new'],
    ]);
  });

  it('takes LF, CR and CRLF, also mixed, and needs none at the end', () => {
    expect(fieldsOf('a\rb\r\nc\nd')).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  it('keeps quotes that are none of the dialect', () => {
    expect(fieldsOf('"a,b"\n', { ...COMMA, quote: -1, escape: -1 })).toEqual([['"a', 'b"']]);
  });

  it('says where a record begins whose quote is never closed', () => {
    const tokenizer = new RecordTokenizer(COMMA, 0);
    tokenizer.push(Buffer.from('a,b\n1,"x\ny\n'));
    tokenizer.finish();

    expect(tokenizer.next()).toBe(true);
    expect(() => tokenizer.next()).toThrow(new BrokenRecordError('unclosed', 4));
    expect(tokenizer.offset).toBe(4);
  });

  it('gives up a record that is too long before it fills the memory', () => {
    const tokenizer = new RecordTokenizer(COMMA, 0);
    const piece = Buffer.alloc(8 * 1024 * 1024, 'x');
    tokenizer.push(Buffer.from('a,b\n1,"'));
    expect(tokenizer.next()).toBe(true);
    const fill = (): void => {
      for (let pieces = 0; pieces < 100; pieces++) {
        expect(tokenizer.next()).toBe(false);
        tokenizer.push(piece);
      }
    };

    expect(fill).toThrow(new BrokenRecordError('tooLong', 4));
    expect(tokenizer.bytes.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
  });

  it('counts fields beyond those that it keeps', () => {
    const record = new RecordTokenizer(COMMA, 0);
    record.push(Buffer.from(','.repeat(999_999)));
    record.finish();

    expect(record.next()).toBe(true);
    expect(record.fieldCount).toBe(1_000_000);
  });
});
