import type { PartialJobOptions, Plan } from '../../../../src/engine/contract.ts';
import { rewriteReferences } from '../../../../src/engine/steps/plan/rewrite.ts';
import { part, planFixture, type CatalogFixture } from '../../../helpers/planning.ts';

const columnOf = (plan: Plan, table: string, column: string) =>
  plan.tables
    .find(({ source }) => source === table)
    ?.columns.find(({ source }) => source === column);

const codes = (plan: Plan): string[] => plan.findings.map(({ code }) => code);

describe('columns of foreign keys', () => {
  const family = (child: string, max: string): CatalogFixture => ({
    tables: [
      {
        name: 'child',
        columns: [{ name: 'parent', type: child, scan: { minInteger: '1', maxInteger: max } }],
        foreignKeys: [
          {
            name: null,
            columns: ['parent'],
            references: { table: 'PARENT', columns: ['ID'] },
            onUpdate: 'NO ACTION',
            onDelete: 'NO ACTION',
          },
        ],
      },
      {
        name: 'parent',
        primaryKey: ['id'],
        columns: [{ name: 'id', type: 'bigint', nullable: false }],
      },
    ],
  });

  it('get the type of the key that they refer to, from the driver itself', () => {
    const plan = planFixture(family('numeric(20,0)', '9223372036854775807'));

    expect(columnOf(plan, 'child', 'parent')).toMatchObject({
      targetType: 'bigint',
      encoder: 'as bigint',
      evidence: expect.stringContaining('bigint as the key that it refers to') as unknown,
    });
    expect(plan.tables.find(({ source }) => source === 'child')?.foreignKeys).toHaveLength(1);
  });

  it.each([
    ['a value is too great for it', 'numeric(20,0)', '9223372036854775808'],
    ['their numbers have fractions', 'numeric(20,2)', '5'],
    ['they are no numbers', 'text', '5'],
  ])('keep their own type where %s, and the key is not carried over', (_, type, max) => {
    const plan = planFixture(family(type, max));

    expect(columnOf(plan, 'child', 'parent')?.targetType).toBe(type);
    expect(codes(plan)).toContain('FK_NOT_CARRIED');
  });

  it('keep the type that the user has cast them to', () => {
    const plan = planFixture(family('numeric(20,0)', '1'), { casts: { 'child.parent': 'text' } });

    expect(columnOf(plan, 'child', 'parent')?.targetType).toBe('text');
  });
});

describe('names of types, indexes and tables', () => {
  it('never collide', () => {
    const plan = planFixture({
      types: [{ name: 'orders', kind: 'enum', definition: "AS ENUM ('a')" }],
      sequences: [{ name: 'orders_status', definition: '', next: '1' }],
      tables: [
        {
          name: 'Orders',
          columns: [{ name: 'Status', type: 'enum', decision: { enumLabels: ['a'] } }],
          indexes: [{ name: 'ORDERS', parts: [part('Status')] }],
        },
      ],
    });

    const names = [
      ...plan.tables.flatMap(({ target, indexes }) => [target, ...indexes.map(({ name }) => name)]),
      ...(plan.schemaObjects ?? []).map(({ name }) => name),
    ];
    expect(new Set(names).size).toBe(5);
    expect(columnOf(plan, 'Orders', 'Status')?.targetType).toBe('"public"."orders_status_1"');
  });
});

describe('options of columns', () => {
  const options: PartialJobOptions = {
    columnPolicies: { 't.a': { zeroDate: 'reject', nulCharacter: 'reject' }, 't.x': {} },
    casts: { 't.y': 'text' },
    rename: { z: 'q' },
  };

  it('stand with the column as far as they differ, and are missed where they name nothing', () => {
    const plan = planFixture(
      { tables: [{ name: 't', columns: [{ name: 'a', type: 'date' }] }] },
      options,
    );

    expect(columnOf(plan, 't', 'a')?.policies).toEqual({ zeroDate: 'reject' });
    expect(codes(plan)).toEqual(['CAST_UNMATCHED', 'COLUMN_POLICY_UNMATCHED', 'RENAME_UNMATCHED']);
  });
});

describe('what has no sure equivalent', () => {
  it('is told, and left out', () => {
    const plan = planFixture({
      tables: [
        {
          name: 't',
          identity: { column: 'a', lastValue: '1' },
          columns: [
            { name: 'a', type: 'numeric(20,0)', nullable: false, decision: { holdsNull: true } },
            { name: 'b', type: 'text', onUpdate: 'untranslatable', scan: { maxLength: 900_000 } },
            {
              name: 'c',
              type: 'text',
              decision: {
                equality: { name: 'x_ci', icuLocale: 'und', ignoresTrailingSpaces: false },
              },
            },
          ],
          indexes: [
            { name: 'f', method: 'fulltext', parts: [part('b')] },
            { name: 's', method: 'spatial', parts: [part('b')] },
            { name: 'u', unique: true, parts: [part('c')] },
          ],
          checks: [{ name: null, expression: `"c" LIKE 'a%'` }],
        },
      ],
    });

    expect(codes(plan).sort()).toEqual(
      [
        'CHECK_NOT_CARRIED',
        'COLLATION_CARRIED',
        'IDENTITY_NOT_CARRIED',
        'INDEX_NOT_CARRIED',
        'INDEX_NOT_CARRIED',
        'NOT_NULL_RELAXED',
        'ON_UPDATE_NOT_CARRIED',
      ].sort(),
    );
    expect(plan.tables[0]?.indexes.map(({ name }) => name)).toEqual(['u']);
  });
});

describe('rewriteReferences', () => {
  const rewrite = (expression: string): string =>
    rewriteReferences(expression, {
      type: (name) => (name === 'Mood' ? '"s"."mood"' : null),
      sequence: (name) => (name === 'Seq' ? `"s"."seq"` : null),
    });

  it.each([
    [`'ok'::"Mood"[]`, `'ok'::"s"."mood"[]`],
    [`nextval('"Seq"'::regclass)`, `nextval('"s"."seq"'::regclass)`],
    [`nextval('Seq'::regclass)`, `nextval('"s"."seq"'::regclass)`],
    [`'x::Mood'::text`, `'x::Mood'::text`],
    [`"Mood" = 1`, `"Mood" = 1`],
    [`E'it\\'s ::Mood'::text || "Seq"`, `E'it\\'s ::Mood'::text || "Seq"`],
    [`'a'::Mood.other`, `'a'::Mood.other`],
  ])('%s', (expression, expected) => {
    expect(rewrite(expression)).toBe(expected);
  });
});
