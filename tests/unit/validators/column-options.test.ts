import { POLICY_VALUES } from '../../../src/engine/contract.ts';
import { isCastType } from '../../../src/validators/column-options.ts';
import { createJobInput } from '../../../src/validators/migration-jobs.ts';
import { failureOf } from '../../helpers/engine.ts';

const ID = '0190a0a0-0000-7000-8000-000000000000';

const read = (options: unknown) =>
  createJobInput.read({
    params: {},
    query: {},
    body: { name: 'a job', sourceId: ID, targetId: ID, options },
  });

describe('options of single columns', () => {
  it('are taken as they were sent', async () => {
    const options = {
      casts: { 'orders.total': 'numeric(12,2)', 'a.b c.d': 'text[]' },
      columnPolicies: { 'orders.created': { zeroDate: 'sentinel', partialDate: 'first' } },
    };

    expect(await read(options)).toMatchObject({ options });
  });

  it.each([
    [
      { casts: { 'orders.total': 'int); DROP TABLE x' } },
      'options.casts',
      /"orders.total".*no type/,
    ],
    [{ casts: { 'orders.total': 7 } }, 'options.casts', /"orders.total"/],
    [{ casts: { orders: 'text' } }, 'options.casts', /table\.column/],
    [{ casts: ['text'] }, 'options.casts', /object/],
    [
      { columnPolicies: { 'orders.created': { zeroDates: 'null' } } },
      'options.columnPolicies',
      /"orders.created": there is no policy "zeroDates": use nulCharacter/,
    ],
    [
      { columnPolicies: { 'orders.created': { zeroDate: 'never' } } },
      'options.columnPolicies',
      /"orders.created": zeroDate must be one of null, reject, sentinel/,
    ],
    [
      { columnPolicies: { 'orders.created': { toString: 'null' } } },
      'options.columnPolicies',
      /no policy "toString"/,
    ],
    [{ columnPolicies: { 'orders.created': 'null' } }, 'options.columnPolicies', /object/],
    [{ policies: { jsonNul: 'never' } }, 'options.policies.jsonNul', /json, reject/],
  ])('are refused, and what is wrong is named: %j', async (options, field, message) => {
    const failure = await failureOf(read(options));

    expect(failure).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { field },
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('take every policy with every value that it has', async () => {
    for (const [name, values] of Object.entries(POLICY_VALUES)) {
      for (const value of values) {
        const policies = { [name]: value };
        const options = { policies, columnPolicies: { 't.c': policies } };
        expect(await read(options)).toMatchObject({ options });
      }
    }
  });
});

describe('types to cast to', () => {
  it.each([
    'bigint',
    'double precision',
    'numeric',
    'numeric(10)',
    'numeric(10,2)',
    'numeric(1000, 1000)',
    'varchar(20)',
    'character varying(20)',
    'timestamp(0)',
    'timestamptz',
    'bit(8)',
    'uuid',
    'text[]',
    'varchar(5)[]',
    'int',
    'bool',
    'decimal(10,2)',
    'timestamp with time zone',
    'timestamp(3) with time zone',
  ])('can be %s', (type) => {
    expect(isCastType(type)).toBe(true);
  });

  it.each([
    '',
    'texts',
    'text(5)',
    'TEXT',
    'text; DROP TABLE x',
    'text COLLATE "C"',
    'text default now()',
    'numeric(0)',
    'numeric(1001)',
    'numeric(2,3)',
    'numeric(1,1,1)',
    'numeric(-1)',
    'varchar(0)',
    'varchar(10485761)',
    'timestamp(7)',
    'text[][]x',
    'text\n',
    'public.mood',
    '"text"',
    'constructor',
    'serial',
  ])('cannot be %j', (type) => {
    expect(isCastType(type)).toBe(false);
  });
});
