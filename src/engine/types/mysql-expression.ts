import type { SourceDriver } from '../contract.ts';
import { translateDefault } from './mysql-expression-default.ts';
import { emit, emitCondition, sureOrNull } from './mysql-expression-emit.ts';
import { fit } from './mysql-expression-fit.ts';
import { parseExpression } from './mysql-expression-parser.ts';
import { knownColumn, type Typed } from './mysql-expression-values.ts';

type TranslateRequest = Parameters<SourceDriver<unknown>['translateExpression']>[0];

/**
 * An expression of MySQL or MariaDB, as information_schema prints it, as PostgreSQL's, or null where its meaning is not surely
 * the same. Pure. Not sure are: comparisons of text that regard neither case nor accents, quotients of decimals, text taken for
 * a number, results that a source without strict mode would cut to size, JSON paths, LIKE and regular expressions.
 */
export function translateExpression(request: TranslateRequest): string | null {
  const { expression, purpose, columns } = request;
  const own = request.column === undefined ? undefined : columns[request.column];
  if (purpose === 'default') {
    const column = own ?? Object.values(columns)[0];
    return column === undefined ? null : translateDefault(expression, column);
  }
  const parsed = parseExpression(expression);
  if (parsed === null) return null;
  if (purpose === 'where' || purpose === 'check') return emitCondition(parsed, columns);
  const emitted = emit(parsed, columns);
  if (emitted === null || emitted.kind === 'null' || emitted.kind === 'other') return null;
  if (purpose === 'index') return isIndexedAlike(emitted) ? emitted.sql : null;
  if (own === undefined) return emitted.kind === 'boolean' ? null : emitted.sql;
  return sureOrNull(() => fit(emitted, knownColumn(own)));
}

/** An index finds what is equal: text has to be so byte by byte, spaces at its end included. */
function isIndexedAlike({ kind, rule }: Typed): boolean {
  return kind !== 'enum' && (kind !== 'text' || rule?.pads === false);
}
