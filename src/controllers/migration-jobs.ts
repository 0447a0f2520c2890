import type { Request, Response } from 'express';
import { AppError } from '../errors/app-error.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { findPage, NEWEST_FIRST } from '../models/pagination.ts';
import { presentJob } from '../presenters/migration-jobs.ts';
import type { Hub } from '../services/hub.ts';
import { createJob, deleteJob, updateJob } from '../services/job-records.ts';
import { transitionJob, type JobRequest } from '../services/job-transitions.ts';
import type {
  CreateJobInput,
  ListJobsInput,
  UpdateJobInput,
} from '../validators/migration-jobs.ts';
import { pageOf, type IdInput } from '../validators/page.ts';
import { readIfMatch, setETag } from './etag.ts';
import { answerPage } from './page-answer.ts';

export function migrationJobsController(hub: Hub) {
  return {
    list: async (request: Request, response: Response, input: ListJobsInput) => {
      const where = input.status === undefined ? {} : { status: input.status };
      answerPage(
        request,
        response,
        await findPage(MigrationJob, { where, order: NEWEST_FIRST, ...pageOf(input) }),
        presentJob,
      );
    },

    create: async (
      request: Request,
      response: Response,
      { options = {}, ...input }: CreateJobInput,
    ) => {
      const job = await createJob({ ...input, options }, request.auditContext);
      setETag(response, job);
      response.status(201).location(`/api/v1/migration-jobs/${job.id}`).json(presentJob(job));
    },

    show: async (_request: Request, response: Response, { id }: IdInput) => {
      const job = await getJob(id);
      setETag(response, job);
      response.json(presentJob(job));
    },

    update: async (request: Request, response: Response, { id, ...change }: UpdateJobInput) => {
      const job = await updateJob(id, {
        version: readIfMatch(request),
        change,
        context: request.auditContext,
      });
      setETag(response, job);
      response.json(presentJob(job));
    },

    remove: async (request: Request, response: Response, { id }: IdInput) => {
      await deleteJob(id, request.auditContext);
      response.status(204).end();
    },

    /** Answers before the work is done: follow the job, or its events. */
    transition:
      (jobRequest: JobRequest) =>
      async (request: Request, response: Response, { id }: IdInput) => {
        const { auditContext: context } = request;
        const job = await transitionJob({
          jobId: id,
          request: jobRequest,
          context,
          queue: hub.queue,
        });
        setETag(response, job);
        response.status(202).json(presentJob(job));
      },
  };
}

/** @throws AppError NOT_FOUND */
async function getJob(id: string): Promise<MigrationJob> {
  const job = await MigrationJob.findByPk(id);
  if (job === null) throw new AppError('NOT_FOUND', { entity: 'Job' });
  return job;
}
