import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Request, Response } from 'express';

import { findErrorCode } from '../config/error-code.ts';
import { AuditTrail } from '../models/audit-trail.ts';
import { findPage, LATEST_FIRST } from '../models/pagination.ts';
import { presentAuditEntry, presentVerification } from '../presenters/audit-trail.ts';
import { exportAudit } from '../services/audit-export.ts';
import { verifyAudit } from '../services/audit-verify.ts';
import type { Hub } from '../services/hub.ts';
import type { ListAuditInput } from '../validators/audit-trail.ts';
import { pageOf } from '../validators/page.ts';
import { answerPage } from './page-answer.ts';

const FILTERS = ['action', 'actor', 'entityType', 'entityId'] as const;

export function auditTrailController(hub: Hub) {
  return {
    list: async (request: Request, response: Response, input: ListAuditInput) => {
      const where = readFilter(input);
      const page = await findPage(AuditTrail, { where, order: LATEST_FIRST, ...pageOf(input) });
      answerPage(request, response, page, presentAuditEntry);
    },

    verify: async (_request: Request, response: Response) => {
      response.json(presentVerification(await verifyAudit(hub)));
    },

    /** One line of JSON for each row, read as fast as the client takes them. */
    export: async (request: Request, response: Response) => {
      const rows = await exportAudit(hub, request.auditContext);
      response.attachment('audit-trail.ndjson').type('application/x-ndjson');
      try {
        await pipeline(Readable.from(toLines(rows)), response);
      } catch (error) {
        // The client has left: there is nobody to answer to.
        if (findErrorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
      }
    },
  };
}

function readFilter(input: ListAuditInput): Record<string, string> {
  const given = FILTERS.filter((name) => input[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, input[name] ?? '']));
}

async function* toLines(rows: AsyncIterable<AuditTrail>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(presentAuditEntry(row))}\n`;
}
