import type { SourceDriver } from '../contract.ts';
import { translateDefault } from './sqlite-default.ts';
import { emit, emitCondition } from './sqlite-expression-emit.ts';
import { parseExpression } from './sqlite-expression-parser.ts';

type TranslateRequest = Parameters<SourceDriver<unknown>['translateExpression']>[0];

/** A SQLite expression as PostgreSQL's, or null where its meaning is not surely the same. Pure. */
export function translateExpression({
  expression,
  purpose,
  columns,
}: TranslateRequest): string | null {
  if (purpose === 'default') {
    const [column] = Object.values(columns);
    return column === undefined ? null : translateDefault(expression, column.targetType);
  }
  const parsed = parseExpression(expression);
  if (parsed === null) return null;
  if (purpose === 'where' || purpose === 'check') return emitCondition(parsed, columns);
  const emitted = emit(parsed, columns);
  // A condition's value is 0 or 1 in SQLite, which no column of PostgreSQL takes from a boolean.
  const isSure =
    emitted !== null &&
    emitted.kind !== 'null' &&
    (purpose === 'index' || emitted.kind !== 'boolean');
  return isSure ? emitted.sql : null;
}
