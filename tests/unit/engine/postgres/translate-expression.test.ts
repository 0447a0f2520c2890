import { translateExpression } from '../../../../src/engine/types/postgres-expression.ts';

const COLUMNS = {
  'E Mail': { target: 'e_mail', targetType: 'text', declaredType: 'text' },
  year: { target: 'year_', targetType: 'integer', declaredType: 'integer' },
  mood: { target: 'mood', targetType: '"app"."mood"', declaredType: 'public.mood' },
  tag: { target: 'tag', targetType: 'text', declaredType: 'ext.citext' },
};

function translate(expression: string): string | null {
  return translateExpression({ expression, purpose: 'check', columns: COLUMNS });
}

describe('an expression of a PostgreSQL source', () => {
  it.each([
    ['(length("E Mail") > 3)', '(length("e_mail") > 3)'],
    [`("E Mail" = '"E Mail"'::text)`, `("e_mail" = '"E Mail"'::text)`],
    [`("E Mail" <> E'it\\'s "year"')`, `("e_mail" <> E'it\\'s "year"')`],
    ['(EXTRACT(year FROM CURRENT_DATE) = "year")', '(EXTRACT(year FROM CURRENT_DATE) = "year_")'],
    [`("mood" = 'sad'::"mood")`, `("mood" = 'sad'::"mood")`],
    ['("left"("E Mail", 2) COLLATE "C")', '("left"("e_mail", 2) COLLATE "C")'],
    [`to_tsvector('english'::regconfig, "E Mail")`, `to_tsvector('english'::regconfig, "e_mail")`],
    ['make_interval("days" => "year")', null],
  ])('%s → %s', (expression, expected) => {
    expect(translate(expression)).toBe(expected);
  });

  it.each([
    ['a function of the source', '"public"."f"("year")'],
    ['a type that is not moved', `("E Mail" = 'x'::"ext"."citext")`],
    ['an operator of an extension', '("E Mail" OPERATOR("ext".%) \'x\'::text)'],
    [
      'a text search configuration of the source',
      `to_tsvector('public.german'::regconfig, "E Mail")`,
    ],
    ['a collation that the target need not have', '("E Mail" COLLATE "de_DE.utf8")'],
    ['a field of a row', '("mood")."x"'],
    ['a whole row', '("t".* IS NOT NULL)'],
    ['a column that it does not know', '("other" > 1)'],
    ['a column whose type becomes another one', `("tag" = 'x'::text)`],
  ])('is not carried over with %s', (_, expression) => {
    expect(translate(expression)).toBeNull();
  });

  it.each([
    [`'new'::"ext"."citext"`, 'text', 'ext.citext', `'new'::text`],
    ['now()', 'text', 'ext.citext', null],
    ['0', 'bigint', 'integer', '0'],
    [`'$1.00'::money`, 'numeric', 'money', null],
    [`nextval('"numbers"'::regclass)`, 'integer', 'integer', `nextval('"numbers"'::regclass)`],
    [`nextval('"other"."numbers"'::regclass)`, 'integer', 'integer', null],
  ])('as the default %s of %s', (expression, targetType, declaredType, expected) => {
    const columns = { v: { target: 'v', targetType, declaredType } };

    expect(translateExpression({ expression, purpose: 'default', columns })).toBe(expected);
  });
});
