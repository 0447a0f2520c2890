import type { SourceDriver } from '../contract.ts';
import {
  isQuotedName,
  isText,
  nameOf,
  partsOfName,
  textOf,
  tokenBefore,
  tokensOf,
} from './postgres-tokens.ts';
import { quotePostgresName, quotePostgresText } from './sql-text.ts';

type Request = Parameters<SourceDriver<unknown>['translateExpression']>[0];
type Column = Request['columns'][string];

/**
 * An expression of a PostgreSQL source, as the catalog has it: names of columns are always quoted, and so is nothing else but
 * functions, types and collations where they have to be; what is not PostgreSQL's own or moved too has its schema before it.
 * Carried over where all of its columns keep their types, with the names that they get.
 */
export function translateExpression({ expression, purpose, columns }: Request): string | null {
  if (purpose === 'default') {
    const [own] = Object.values(columns);
    if (own !== undefined && !keepsType(own)) return constantDefault(expression, own.targetType);
  }
  const tokens = tokensOf(expression);
  const translated = tokens.map((token, index) => {
    if (isText(token)) return namesForeignObject(tokens, index) ? null : token;
    if (!isQuotedName(token)) return token;
    const [before, after] = [tokenBefore(tokens, index), tokens[index + 1]];
    // Something of a schema that the target need not have, a field of a row, or a whole row.
    if (before === '.' || after === '.') return null;
    if (before === 'COLLATE') return isCommonCollation(nameOf(token)) ? token : null;
    const isName = after === '(' || before === '::' || before === 'NAME' || before === 'AS';
    return isName ? token : columnName(columns, nameOf(token));
  });
  return translated.includes(null) ? null : translated.join('');
}

function columnName(columns: Request['columns'], name: string): string | null {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  return column !== undefined && keepsType(column) ? quotePostgresName(column.target) : null;
}

/** A type of the source's own keeps its name or gets another one in the target; there it is quoted. */
function keepsType({ declaredType, targetType }: Column): boolean {
  if (declaredType === undefined || declaredType === targetType) return true;
  return declaredType.includes('.') && targetType.startsWith('"');
}

/** `'public.orders'::regclass`, `'public.german'::regconfig`. */
function namesForeignObject(tokens: readonly string[], index: number): boolean {
  if (tokens[index + 1] !== '::' || !/^"?reg[a-z]+"?$/.test(tokens[index + 2] ?? '')) return false;
  const text = textOf(tokens[index] ?? '');
  return text === null || partsOfName(text)?.length !== 1;
}

/** The collations that every PostgreSQL has. */
export function isCommonCollation(name: string): boolean {
  return ['C', 'POSIX', 'default', 'ucs_basic'].includes(name) || name.endsWith('-x-icu');
}

/** The default of a column that has become another type: only where it is a plain text or number. */
function constantDefault(expression: string, targetType: string): string | null {
  const isTextType = /^(?:text|character varying)\b(?!.*\[)/.test(targetType);
  if (/^-?\d+$/.test(expression)) {
    const isNumber = /^(?:bigint|integer|numeric|double precision)$/.test(targetType);
    return isNumber ? expression : null;
  }
  const [first = '', ...others] = tokensOf(expression);
  const text = isText(first) ? textOf(first) : null;
  const isCast = others.length === 0 || (others[0] === '::' && !others.includes('('));
  return isTextType && text !== null && isCast ? `${quotePostgresText(text)}::text` : null;
}
