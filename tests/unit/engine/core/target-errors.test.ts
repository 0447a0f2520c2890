import pg from 'pg';

import { mapTargetError } from '../../../../src/engine/target/errors.ts';

describe('mapTargetError', () => {
  function reasonOf(code: string, message: string, more: Partial<pg.DatabaseError> = {}): unknown {
    const error = Object.assign(new pg.DatabaseError(message, message.length, 'error'), {
      code,
      ...more,
    });
    return mapTargetError(error, { what: 'copying' }).details.reason;
  }

  it.each([
    [
      '22P02',
      'invalid input syntax for type integer: "4111 1111"',
      'invalid input syntax for type integer: "…"',
    ],
    [
      '22003',
      'value "99999" is out of range for type smallint',
      'value "…" is out of range for type smallint',
    ],
    [
      '22P02',
      'invalid input syntax for type uuid: "a "quoted" name"',
      'invalid input syntax for type uuid: "…"',
    ],
    [
      '22P02',
      'invalid input syntax for type json: "two\nlines"',
      'invalid input syntax for type json: "…"',
    ],
    [
      '22P02',
      'ungültige Eingabesyntax für Typ integer: »geheim«',
      'ungültige Eingabesyntax für Typ integer: "…"',
    ],
    [
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xe4 0xf6',
      'invalid byte sequence for encoding "…": 0x…',
    ],
    [
      '22001',
      'value too long for type character varying(3)',
      'value too long for type character varying(3)',
    ],
  ])('masks the values that a message of class 22 quotes: %s %s', (code, message, reason) => {
    expect(reasonOf(code, message)).toBe(reason);
  });

  it.each([
    ['P0001', {}],
    ['P0004', {}],
    ['23514', { routine: 'exec_stmt_raise' }],
  ])('keeps of an exception that a trigger raises (%s) nothing but the fact', (code, more) => {
    expect(reasonOf(code, 'Ada Lovelace owes 100', more)).toBe(
      'a trigger or function of the target raised an exception',
    );
  });

  it.each([
    ['23505', 'duplicate key value violates unique constraint "people_email_key"'],
    ['23514', 'new row for relation "people" violates check constraint "people_age_check"'],
    ['23502', 'null value in column "name" of relation "people" violates not-null constraint'],
    ['42P01', 'relation "people" does not exist'],
  ])('keeps the names of tables and constraints: %s', (code, message) => {
    const detail = 'Failing row contains (Ada, secret).';

    expect(reasonOf(code, message, { detail })).toBe(message);
  });
});
