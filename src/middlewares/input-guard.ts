import type { NextFunction, Request, Response } from 'express';

import type { AppError } from '../errors/app-error.ts';
import { invalidInput } from '../services/invalid-input.ts';

const DEEPEST = 32;
const MOST_VALUES = 20_000;
const LONGEST_FIELD = 100;
const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype'];

interface Visit {
  readonly value: unknown;
  readonly field: string;
  readonly depth: number;
}

/**
 * Refuses what no column can hold or what changes on the way there, wherever it is in a request. PostgreSQL takes neither NUL nor
 * lone surrogates, and Sequelize stores a NUL as a literal backslash and zero without a word.
 */
export function inputGuard(request: Request, _response: Response, next: NextFunction): void {
  for (const [name, value] of Object.entries(request.query)) assertQueryValue(name, value);
  assertClean(request.params, '');
  assertClean(request.body, '');
  next();
}

/**
 * Walks without recursion: what is nested a hundred thousand levels deep would overflow the stack.
 * @throws AppError VALIDATION_FAILED naming the field
 */
export function assertClean(input: unknown, name: string): void {
  const open: Visit[] = [{ value: input, field: name, depth: 0 }];
  let visited = 0;
  for (let visit = open.pop(); visit; visit = open.pop()) {
    visited += 1;
    if (visited > MOST_VALUES) throw refuse('Too many values', visit.field);
    assertValue(visit);
    open.push(...children(visit));
  }
}

function assertValue({ value, field, depth }: Visit): void {
  if (depth > DEEPEST) throw refuse(`Nested deeper than ${String(DEEPEST)} levels`, field);
  if (typeof value === 'string') assertText(value, field);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw refuse('The number is out of range', field);
  }
}

function assertText(text: string, field: string): void {
  if (text.includes('\0')) throw refuse('Must not contain NUL characters', field);
  if (!text.isWellFormed()) throw refuse('Must be well-formed Unicode', field);
}

function* children({ value, field, depth }: Visit): Generator<Visit> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const name = join(field, Array.isArray(value) ? `[${key}]` : key);
    assertText(key, name);
    if (FORBIDDEN_KEYS.includes(key)) throw refuse('This name is not allowed', name);
    yield { value: (value as Record<string, unknown>)[key], field: name, depth: depth + 1 };
  }
}

/** `?a=1&a=2` is a list to one reader and its last value to another. */
function assertQueryValue(name: string, value: unknown): void {
  const field = name.split('[', 1)[0] ?? name;
  assertText(name, field);
  if (FORBIDDEN_KEYS.includes(field)) throw refuse('This name is not allowed', field);
  if (typeof value !== 'string' || field !== name) throw refuse('Must be given once', field);
  assertText(value, field);
}

function join(parent: string, key: string): string {
  if (parent === '' || key.startsWith('[')) return parent + key;
  return `${parent}.${key}`;
}

function refuse(reason: string, field: string): AppError {
  // The name comes from the client: what is echoed stays short and printable.
  const name = field.replaceAll('\0', '').toWellFormed().slice(0, LONGEST_FIELD);
  return invalidInput({ error: reason, field: name });
}
