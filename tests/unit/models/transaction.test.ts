import { DatabaseError } from 'sequelize';

import { AppError } from '../../../src/errors/app-error.ts';
import { sqlStateOf } from '../../../src/models/transaction.ts';

describe('sqlStateOf', () => {
  const driverError = Object.assign(new Error('conflict'), { code: '40001', sql: '' });

  it.each([
    ['an error of pg', driverError, '40001'],
    ['an error of Sequelize', new DatabaseError(driverError), '40001'],
    [
      'the cause of an error of ours',
      new AppError('INTERNAL', {}, { cause: driverError }),
      '40001',
    ],
    ['a lost connection', Object.assign(new Error('gone'), { code: 'EPIPE' }), null],
    ['an error without a code', new Error('x'), null],
    ['no error', 'text', null],
  ])('finds it in %s', (_name, error, expected) => {
    expect(sqlStateOf(error)).toBe(expected);
  });
});
