import type { Request, Response } from 'express';

import type { Page } from '../models/pagination.ts';
import { presentPage } from '../presenters/page.ts';

/** Answers with one page of a list, and a `Link` to the next one (RFC 8288). */
export function answerPage<Row>(
  request: Request,
  response: Response,
  page: Page<Row>,
  presentRow: (row: Row) => object,
): void {
  if (page.nextCursor !== null) {
    response.set('Link', `<${nextUrl(request.originalUrl, page.nextCursor)}>; rel="next"`);
  }
  response.json(presentPage(page, presentRow));
}

/** Relative: the Host header is the client's word and no part of an answer. */
function nextUrl(originalUrl: string, cursor: string): string {
  const url = new URL(originalUrl, 'http://localhost');
  url.searchParams.set('cursor', cursor);
  return url.pathname + url.search;
}
