import type { SourceDriver } from '../contract.ts';

type TranslateRequest = Parameters<SourceDriver<unknown>['translateExpression']>[0];

/** A SQLite expression as PostgreSQL's, or null where its meaning is not surely the same. */
export function translateExpression(_request: TranslateRequest): string | null {
  return null;
}
