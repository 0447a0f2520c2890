import {
  asDouble,
  asNumber,
  momentLiteral,
  NotSure,
  type TextRule,
  type Typed,
} from './mysql-expression-values.ts';
import { quotePostgresText } from './sql-text.ts';

const EQUALITIES: readonly string[] = ['=', '<>', 'IS NOT DISTINCT FROM'];
const NUMBERS: readonly string[] = ['integer', 'numeric', 'double', 'boolean'];

/** A comparison in PostgreSQL's SQL. Throws NotSure where the two servers could answer differently. */
export function compare(operator: string, left: Typed, right: Typed): string {
  if (left.kind === 'null' || right.kind === 'null') return infix(operator, left.sql, right.sql);
  if (NUMBERS.includes(left.kind) && NUMBERS.includes(right.kind))
    return compareNumbers(operator, left, right);
  if (left.kind === 'text' && right.kind === 'text') return compareTexts(operator, left, right);
  if (left.kind === 'enum') return compareEnum(operator, left, right);
  if (right.kind === 'enum' && EQUALITIES.includes(operator))
    return compareEnum(operator, right, left);
  if (left.kind === 'bytea' && right.kind === 'bytea' && !(left.literal && right.literal))
    return infix(operator, left.sql, right.sql);
  return compareMoments(operator, left, right);
}

function infix(operator: string, left: string, right: string): string {
  return `(${left} ${operator} ${right})`;
}

function compareNumbers(operator: string, left: Typed, right: Typed): string {
  if (left.kind === 'boolean' || right.kind === 'boolean') {
    const truths = [truthOf(left), truthOf(right)];
    const [a, b] = truths;
    if (a && b && EQUALITIES.includes(operator)) return infix(operator, a, b);
  }
  // 71 beside a YEAR means 1971.
  if (isShortYear(left, right) || isShortYear(right, left)) throw new NotSure();
  const numbers = [asNumber(left), asNumber(right)] as const;
  if (!numbers.some(({ kind }) => kind === 'double'))
    return infix(operator, numbers[0].sql, numbers[1].sql);
  return infix(operator, asDouble(numbers[0]).sql, asDouble(numbers[1]).sql);
}

/** A truth as such; null for numbers other than 0 and 1. */
function truthOf({ kind, literal, sql }: Typed): string | null {
  if (kind === 'boolean') return sql;
  if (literal?.type !== 'integer' || !/^0*[01]$/.test(literal.value)) return null;
  return literal.value.endsWith('1') ? 'TRUE' : 'FALSE';
}

function isShortYear(column: Typed, other: Typed): boolean {
  return column.column?.family === 'year' && (other.range === undefined || other.range[0] < 1000n);
}

function compareTexts(operator: string, left: Typed, right: Typed): string {
  const rule = commonRule([left, right]);
  if (rule === undefined || rule === null) throw new NotSure();
  if (!EQUALITIES.includes(operator)) {
    // Spaces that are added sort after tabs and line ends: where the source pads, the order of the bytes is not its order.
    if (rule.pads || !rule.isOrdered) throw new NotSure();
    return `(${left.sql} COLLATE "C" ${operator} ${right.sql})`;
  }
  return infix(operator, unpadded(left, rule), unpadded(right, rule));
}

function unpadded({ sql, literal }: Typed, { pads }: TextRule): string {
  if (!pads) return sql;
  if (literal !== undefined) return quotePostgresText(literal.value.replace(/ +$/, ''));
  return `rtrim(${sql}, ' ')`;
}

/** The rule by which texts are compared with each other; undefined where none brings one, null where they differ. */
export function commonRule(texts: readonly Typed[]): TextRule | null | undefined {
  const rules = texts.map(({ rule }) => rule).filter((rule) => rule !== undefined);
  const [first] = rules;
  const isSame = rules.every(
    (rule) => rule?.pads === first?.pads && rule?.isOrdered === first?.isOrdered,
  );
  return isSame ? first : null;
}

/** With a label of its own only: other text, or one that the column's collation could take for two labels, is not sure. */
function compareEnum(operator: string, column: Typed, other: Typed): string {
  const { literal } = other;
  const labels = column.column?.declared.labels ?? [];
  if (!EQUALITIES.includes(operator) || literal?.type !== 'text') throw new NotSure();
  const alike = labels.filter((label) => folded(label) === folded(literal.value));
  if (alike.length !== 1 || alike[0] !== literal.value || literal.value === '') throw new NotSure();
  return infix(operator, column.sql, other.sql);
}

/** Letters without accents and case: more is alike here than under any collation that is likely. */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, (character) => (/\p{M}/u.test(character) ? '' : character))
    .toLowerCase()
    .replace(/ +$/, '');
}

function compareMoments(operator: string, left: Typed, right: Typed): string {
  const kinds = [left.kind, right.kind];
  if (kinds.every((kind) => kind === 'date' || kind === 'timestamp'))
    return infix(operator, left.sql, right.sql);
  const moment = [left, right].find(({ kind }) => kind === 'date' || kind === 'timestamp');
  if (moment?.kind !== 'date' && moment?.kind !== 'timestamp') throw new NotSure();
  const { kind } = moment;
  const [a, b] = [left, right].map((side) => (side === moment ? side : momentLiteral(side, kind)));
  return infix(operator, a?.sql ?? '', b?.sql ?? '');
}
