import { AppError } from '../errors/app-error.ts';

export interface FieldError {
  readonly error: string;
  /** As the client names it; empty = no single field. */
  readonly field: string;
}

/** @param errors at least one; the first is the one that the answer names */
export function invalidInput(...errors: readonly FieldError[]): AppError {
  const [first] = errors;
  const named = errors.filter(({ field }) => field !== '');
  return new AppError('VALIDATION_FAILED', {
    reason: first?.error ?? 'Invalid input',
    ...(first && first.field !== '' ? { field: first.field } : {}),
    ...(named.length === 0 ? {} : { errors: named }),
  });
}
