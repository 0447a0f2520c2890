import type { Page } from '../models/pagination.ts';

/** The form of every list. */
export function presentPage<Row, Presented>(
  page: Page<Row>,
  presentRow: (row: Row) => Presented,
): { readonly data: Presented[]; readonly nextCursor: string | null } {
  return { data: page.rows.map((row) => presentRow(row)), nextCursor: page.nextCursor };
}
