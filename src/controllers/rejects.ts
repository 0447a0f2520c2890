import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Op, type WhereOptions } from 'sequelize';
import { findErrorCode } from '../config/error-code.ts';
import type { SourceValue } from '../engine/contract.ts';
import { AppError } from '../errors/app-error.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { BY_ID, findPage } from '../models/pagination.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { presentReject } from '../presenters/job-details.ts';
import { presentJob } from '../presenters/migration-jobs.ts';
import type { Hub } from '../services/hub.ts';
import { exportRejects, rejectsTable } from '../services/reject-export.ts';
import { requestReplay } from '../services/replay-request.ts';
import { pageOf } from '../validators/page.ts';
import type {
  ExportRejectsInput,
  GivenValue,
  ListRejectsInput,
  ReplayRejectsInput,
} from '../validators/rejects.ts';
import { setETag } from './etag.ts';
import { answerPage } from './page-answer.ts';

/** The rows that a job could not store: to read, to take along, and to send once more. */
export function rejectsController(hub: Hub) {
  return {
    list: async (request: Request, response: Response, input: ListRejectsInput) => {
      await assertJob(input.id);
      const page = await findPage(RejectedRow, {
        where: filterOf(input),
        order: BY_ID,
        ...pageOf(input),
        include: [rejectsTable(input.table)],
      });
      answerPage(request, response, page, presentReject);
    },

    /** One line of JSON for each reject, read as fast as the client takes them. */
    export: async (
      request: Request,
      response: Response,
      { id, ...filters }: ExportRejectsInput,
    ) => {
      await assertJob(id);
      const where = filterOf({ id, ...filters });
      const rows = await exportRejects(
        { jobId: id, where, table: filters.table, filters },
        request.auditContext,
      );
      response.attachment(`rejects-${id}.ndjson`).type('application/x-ndjson');
      try {
        await pipeline(Readable.from(toLines(rows)), response);
      } catch (error) {
        // The client has left: there is nobody to answer to.
        if (findErrorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
      }
    },

    /** Answers before the work is done: follow the job, and look at its rejects when it has ended. */
    replay: async (request: Request, response: Response, { id, ...input }: ReplayRejectsInput) => {
      const { reasonCode, table, policies = {} } = input;
      const rejects = input.rejects?.map(({ id: rejectId, set = {} }) => ({
        id: rejectId,
        set: Object.fromEntries(
          Object.entries(set).map(([name, value]) => [name, toSourceValue(value)]),
        ),
      }));
      const job = await requestReplay({
        jobId: id,
        input: {
          rejects: rejects ?? null,
          policies,
          ...(reasonCode === undefined ? {} : { reasonCode }),
          ...(table === undefined ? {} : { table }),
        },
        context: request.auditContext,
        queue: hub.queue,
      });
      setETag(response, job);
      response.status(202).json(presentJob(job));
    },
  };
}

/** @throws AppError NOT_FOUND */
async function assertJob(id: string): Promise<void> {
  if ((await MigrationJob.count({ where: { id } })) === 0)
    throw new AppError('NOT_FOUND', { entity: 'Job' });
}

function filterOf({
  id,
  reasonCode,
  column,
  replayed,
}: ExportRejectsInput): WhereOptions<RejectedRow> {
  return {
    jobId: id,
    ...(reasonCode === undefined ? {} : { reasonCode }),
    ...(column === undefined ? {} : { columnName: column }),
    ...(replayed === undefined
      ? {}
      : { replayedAt: { [replayed === 'true' ? Op.not : Op.is]: null } }),
  };
}

async function* toLines(rows: AsyncIterable<RejectedRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(presentReject(row))}\n`;
}

/** A value as JSON has it, as a source would have given it. */
function toSourceValue(value: GivenValue): SourceValue {
  if (typeof value === 'string') return { type: 'text', value };
  if (typeof value === 'boolean') return { type: 'integer', value: value ? '1' : '0' };
  if (typeof value !== 'number') return value;
  if (Object.is(value, -0)) return { type: 'real', value: '-0' };
  return { type: Number.isInteger(value) ? 'integer' : 'real', value: String(value) };
}
