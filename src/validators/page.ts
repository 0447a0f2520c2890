import { optional, queryInteger, text, uuid } from './fields.ts';
import { defineInput, type InputOf } from './schema.ts';

/** For routes that take nothing. */
export const noInput = defineInput({});

/** For routes that take the id in their path and nothing else. */
export const idInput = defineInput({ params: { id: uuid() } });
export type IdInput = InputOf<typeof idInput>;

/** The query of every list. */
export const pageFields = {
  limit: optional(queryInteger({ min: 1, max: 100 })),
  cursor: optional(text({ max: 512, min: 0 })),
};
export const pageInput = defineInput({ query: pageFields });
export type PageInput = InputOf<typeof pageInput>;

const DEFAULT_LIMIT = 20;

/** What `findPage` wants to know. */
export function pageOf({ limit = DEFAULT_LIMIT, cursor }: PageInput): {
  readonly limit: number;
  readonly cursor: string | null;
} {
  return { limit, cursor: cursor ?? null };
}
