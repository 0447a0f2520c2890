import type { Column } from '../../contract.ts';
import {
  DATE_FAMILIES,
  decimalModifier,
  familyOf,
  NUMBER_FAMILIES,
  type SqliteFamily,
} from '../../types/sqlite-family.ts';
import { SQLITE_DATE_FORMS } from '../../types/sqlite-dates.ts';
import { columnOf } from './query.ts';

/** How one fact is counted, and how rows that show it are found. */
export interface FactQuery {
  readonly fact: string;
  /** SQL that is true for a value with the fact. */
  readonly condition: string;
  /** Rows that show it are worth naming. */
  readonly sampled: boolean;
}

/** A condition that nearly all values of a column meet, as its declaration promises: then nothing else has to be asked. */
export interface UsualValues {
  readonly condition: string;
  /** What such a value shows. */
  readonly facts: readonly string[];
  readonly measure: 'integer' | 'text' | null;
}

/** What is asked of one column in the aggregate pass. */
export interface ColumnQueries {
  readonly usual: UsualValues | null;
  readonly facts: readonly FactQuery[];
  /** SQL of an aggregate whose result is JSON: fact → count. Dates have many forms; one call a value tells which. */
  readonly formCounts: string | null;
  /** Facts of `formCounts`, found again one by one. */
  readonly forms: readonly FactQuery[];
}

/** GLOB itself stops at a NUL. */
function hasOtherThanAscii(column: string): string {
  return `${column} GLOB '*[^\u0001-\u007f]*'`;
}

/** Text that is not surely plain ASCII. */
function isUnclean(column: string): string {
  return `(${hasOtherThanAscii(column)} OR instr(${column}, char(0)) > 0)`;
}

const INTEGRAL_LIMIT = '9.2e18';

/** The facts that decide a column's type, those first that every column has. */
export function columnQueries(column: Column): ColumnQueries {
  const family = familyOf(column.declaredType);
  const c = columnOf(column.name);
  const is = (type: string): string => `typeof(${c}) = '${type}'`;
  const isNumber = NUMBER_FAMILIES.has(family) || family === 'boolean';
  const facts: FactQuery[] = [
    { fact: 'null', condition: `${c} IS NULL`, sampled: !column.nullable },
    { fact: 'integer', condition: is('integer'), sampled: family === 'blob' },
    { fact: 'real', condition: is('real'), sampled: family === 'integer' || family === 'decimal' },
    {
      fact: 'text',
      condition: is('text'),
      sampled: isNumber || family === 'blob' || family === 'any',
    },
    { fact: 'blob', condition: is('blob'), sampled: family !== 'blob' },
    {
      fact: 'nul',
      condition: `CASE WHEN ${is('text')} THEN instr(${c}, char(0)) > 0 END`,
      sampled: true,
    },
    {
      fact: 'invalidUtf8',
      condition: `CASE WHEN ${is('text')} AND ${isUnclean(c)} THEN NOT hub_is_text(CAST(${c} AS BLOB)) END`,
      sampled: true,
    },
    {
      fact: 'infinite',
      condition: `CASE WHEN ${is('real')} THEN abs(${c}) > 1.7976931348623157e308 END`,
      sampled: true,
    },
  ];
  if (family === 'integer' || family === 'decimal') {
    facts.push({
      fact: 'integralReal',
      condition: `CASE WHEN ${is('real')} AND abs(${c}) < ${INTEGRAL_LIMIT} THEN ${c} = CAST(${c} AS INTEGER) END`,
      sampled: false,
    });
  }
  if (isNumber || family === 'any') facts.push(...numericTextFacts(c, is('text')));
  if (family === 'boolean') facts.push(...booleanFacts(c, is));
  if (family === 'decimal' && decimalModifier(column.declaredType) !== null)
    facts.push(decimalFact(c, column.declaredType));
  const isDate = DATE_FAMILIES.has(family);
  const form = `hub_date_form(typeof(${c}), CASE typeof(${c}) WHEN 'integer' THEN CAST(${c} AS REAL) WHEN 'blob' THEN NULL ELSE ${c} END)`;
  return {
    usual: usualValues(family, c),
    facts,
    formCounts: isDate ? `hub_date_forms(${form}) FILTER (WHERE ${c} IS NOT NULL)` : null,
    forms: isDate
      ? SQLITE_DATE_FORMS.map((fact) => ({
          fact,
          condition: `${c} IS NOT NULL AND ${form} = '${fact}'`,
          sampled: isUnusualForm(fact),
        }))
      : [],
  };
}

/** SQLite evaluates both sides of AND and OR; only CASE leaves out what need not be known. */
function usualValues(family: SqliteFamily, c: string): UsualValues | null {
  const is = (type: string): string => `typeof(${c}) = '${type}'`;
  const isText = (condition: string): string => `CASE WHEN ${is('text')} THEN ${condition} END`;
  switch (family) {
    case 'integer':
      return { condition: is('integer'), facts: ['integer'], measure: 'integer' };
    case 'real':
      return {
        condition: `CASE WHEN ${is('real')} THEN abs(${c}) <= 1.7976931348623157e308 END`,
        facts: ['real'],
        measure: null,
      };
    case 'boolean':
      return {
        condition: `${is('integer')} AND ${c} IN (0, 1)`,
        facts: ['integer', 'zeroOrOne'],
        measure: 'integer',
      };
    case 'date':
      return {
        condition: isText(
          `CASE WHEN length(${c}) = 10 AND ${c} >= '0001' THEN date(${c}) = ${c} END`,
        ),
        facts: ['text', 'isoDate'],
        measure: 'text',
      };
    case 'dateTime':
      return {
        condition: isText(isUsualDateTime(c)),
        facts: ['text', 'isoDateTime'],
        measure: 'text',
      };
    case 'text':
      return {
        condition: isText(
          `instr(${c}, char(0)) = 0 AND CASE WHEN ${hasOtherThanAscii(c)} THEN hub_is_text(CAST(${c} AS BLOB)) ELSE TRUE END`,
        ),
        facts: ['text'],
        measure: 'text',
      };
    case 'blob':
      return { condition: is('blob'), facts: ['blob'], measure: null };
    case 'decimal':
    case 'time':
    case 'any':
      return null;
  }
}

/** What SQLite prints again as it is, it has understood; it takes February 30 for March 2. */
function isUsualDateTime(c: string): string {
  return `CASE WHEN length(${c}) = 19 AND ${c} >= '0001' THEN datetime(${c}) = replace(${c}, 'T', ' ') END`;
}

function isUnusualForm(form: string): boolean {
  return form !== 'isoDate' && form !== 'isoDateTime';
}

function numericTextFacts(c: string, isText: string): FactQuery[] {
  return [
    {
      fact: 'numericText',
      condition: `CASE WHEN ${isText} THEN hub_is_numeric(CAST(${c} AS BLOB)) END`,
      sampled: false,
    },
    {
      fact: 'notNumeric',
      condition: `CASE WHEN ${isText} THEN NOT hub_is_numeric(CAST(${c} AS BLOB)) END`,
      sampled: true,
    },
  ];
}

function booleanFacts(c: string, is: (type: string) => string): FactQuery[] {
  const word = `(${is('text')} AND lower(${c}) IN ('true', 'false', 't', 'f'))`;
  const digit = `(${is('integer')} AND ${c} IN (0, 1))`;
  return [
    { fact: 'zeroOrOne', condition: digit, sampled: false },
    { fact: 'booleanWord', condition: word, sampled: false },
    {
      fact: 'notBoolean',
      condition: `${c} IS NOT NULL AND NOT ${digit} AND NOT ${word}`,
      sampled: true,
    },
  ];
}

function decimalFact(c: string, declaredType: string): FactQuery {
  const { precision, scale } = decimalModifier(declaredType) ?? { precision: 0, scale: 0 };
  const value = `CASE typeof(${c}) WHEN 'real' THEN ${c} WHEN 'integer' THEN CAST(${c} AS TEXT) WHEN 'text' THEN CAST(${c} AS BLOB) END`;
  return {
    fact: 'decimalMisfit',
    condition: `${c} IS NOT NULL AND hub_exceeds_decimal(${value}, ${String(precision)}, ${String(scale)})`,
    sampled: true,
  };
}
