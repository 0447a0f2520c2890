import type { ValidationChain } from 'express-validator';

import {
  isPlainObject,
  type Field,
  type Fields,
  type OptionalField,
  type Shape,
} from './schema.ts';

/** Canonical spelling only, so that one resource has one address. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface TextOptions {
  /** Characters (code points). */
  readonly max: number;
  /** Default: 1. */
  readonly min?: number;
  readonly pattern?: RegExp;
  /** What the pattern asks for, for a person. */
  readonly hint?: string;
}

/** Text, used exactly as it was sent. */
export function text({ max, min = 1, pattern, hint }: TextOptions): Field<string> {
  return required((chain) => {
    const checked = isText(chain)
      .isLength({ min, max })
      .withMessage(`Must have ${String(min)} to ${String(max)} characters`)
      .bail();
    if (!pattern) return checked;
    return checked.custom((value: string) => pattern.test(value)).withMessage(hint ?? 'Malformed');
  });
}

/** A name for people: no line breaks or other control characters, and not only white space. */
export function label(max: number): Field<string> {
  const hint = 'Must hold something visible, and no control characters';
  return text({ max, pattern: /^(?=.*\S)\P{Cc}*$/u, hint });
}

/** Text of a length in bytes: what a length in characters does not say. */
export function textOfBytes(maxBytes: number, name: string): Field<string> {
  return required((chain) =>
    isText(chain)
      .isLength({ min: 1 })
      .withMessage('Required')
      .bail()
      .custom((value: string) => Buffer.byteLength(value) <= maxBytes)
      .withMessage(`${name} must be at most ${String(maxBytes)} bytes`),
  );
}

export function oneOf<const Value extends string>(values: readonly Value[]): Field<Value> {
  return required((chain) =>
    isText(chain)
      .isIn(values)
      .withMessage(`Must be one of ${values.join(', ')}`),
  );
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

export function uuid(): Field<string> {
  return required((chain) =>
    isText(chain)
      .custom((value: string) => isUuid(value))
      .withMessage('Must be a UUID in lower case'),
  );
}

/** A whole number in a JSON body. Text that looks like one is not one. */
export function integer({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): Field<number> {
  return required((chain) =>
    chain
      .custom((value) => Number.isSafeInteger(value) && value >= min && value <= max)
      .withMessage(`Must be a whole number from ${String(min)} to ${String(max)}`),
  );
}

/** A whole number in a query string: plain digits, no sign, no leading zero, no exponent. */
export function queryInteger({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): Field<number> {
  return required((chain) =>
    chain
      .custom(
        (value) =>
          typeof value === 'string' &&
          /^(0|[1-9]\d{0,15})$/.test(value) &&
          Number(value) >= min &&
          Number(value) <= max,
      )
      .withMessage(`Must be a whole number from ${String(min)} to ${String(max)}`)
      .bail()
      .customSanitizer(Number),
  );
}

/** A value of any inner form: `problem` says what is wrong with it, null = nothing. */
export function json<Value>(problem: (value: unknown) => string | null): Field<Value> {
  return required((chain) =>
    chain.custom((value: unknown) => {
      const found = problem(value);
      if (found !== null) throw new Error(found);
      return true;
    }),
  );
}

/** An object with fields of its own. */
export function object<Members extends Fields>(members: Members): Field<Shape<Members>> {
  return { check: (chain) => chain.custom(isPlainObject), optional: false, members };
}

/** May be left out. null is not left out. */
export function optional<Value>(field: Field<Value>): OptionalField<Value> {
  return { ...field, optional: true };
}

function required<Value>(check: (chain: ValidationChain) => ValidationChain): Field<Value> {
  return { check, optional: false };
}

function isText(chain: ValidationChain): ValidationChain {
  return chain
    .custom((value) => typeof value === 'string')
    .withMessage('Must be text')
    .bail();
}
