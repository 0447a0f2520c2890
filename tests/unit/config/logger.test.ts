import { Writable } from 'node:stream';

import { UniqueConstraintError, type ValidationErrorItem } from 'sequelize';

import { createLogger, maskSecrets, serializeError } from '../../../src/config/logger.ts';

const CANARY = 'canary-8f3a';

function databaseError(code: string, message: string): Error {
  const original = Object.assign(new Error(message), {
    sql: `SELECT '${CANARY}'`,
    parameters: [CANARY],
    code,
    detail: `Key (secret)=(${CANARY}) already exists.`,
  });
  return new UniqueConstraintError({
    parent: original,
    message,
    errors: [{ value: CANARY } as unknown as ValidationErrorItem],
  });
}

describe('createLogger', () => {
  it('writes no bound value of a failed statement', () => {
    const lines: string[] = [];
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });

    createLogger({ level: 'trace', destination }).error(
      { err: databaseError('23505', 'duplicate key value violates unique constraint "users_key"') },
      'the statement failed',
    );

    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('users_key');
    expect(lines[0]).not.toContain(CANARY);
  });
});

describe('serializeError', () => {
  it('hides the value that did not fit its type', () => {
    const error = databaseError('22P02', `invalid input syntax for type uuid: "${CANARY}"`);

    const serialized = serializeError(error);

    expect(serialized).toMatchObject({
      code: '22P02',
      message: 'invalid input syntax for type uuid: "***"',
    });
    expect(JSON.stringify(serialized)).not.toContain(CANARY);
  });

  it('keeps the stack and the causes', () => {
    const error = new Error('outer', { cause: new TypeError(`password=${CANARY}`) });

    const serialized = serializeError(error);

    expect(serialized.stack).toContain('logger.test.ts');
    expect(serialized.cause).toMatchObject({ name: 'TypeError', message: 'password=***' });
  });
});

describe('maskSecrets', () => {
  it.each([
    [`postgres://hub:${CANARY}@db/hub`, 'postgres://***@db/hub'],
    [`mysql://hub:p@${CANARY}@db/hub`, 'mysql://***@db/hub'],
    [`host=db password=${CANARY} user=hub`, 'host=db password=*** user=hub'],
    [`PASSWORD='${CANARY} x'`, 'PASSWORD=***'],
    [`{"new-password":"${CANARY}","a":1}`, '{"new-password":***,"a":1}'],
  ])('masks %s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it('leaves ordinary text alone', () => {
    const text = 'copied 3 rows from http://127.0.0.1:3000/a@b at 12:30';

    expect(maskSecrets(text)).toBe(text);
  });
});
