import type { Request, Response } from 'express';
import { Op } from 'sequelize';
import type { Assessment, Plan } from '../engine/contract.ts';
import { AppError } from '../errors/app-error.ts';
import { Adjustment } from '../models/adjustment.ts';
import { Certificate } from '../models/certificate.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { MigrationLog } from '../models/migration-log.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { BY_POSITION, BY_SEQ, findPage } from '../models/pagination.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { presentAdjustment, presentLog, presentTable } from '../presenters/job-details.ts';
import { presentAssessment, presentPlan } from '../presenters/job-plan.ts';
import { presentReport } from '../presenters/job-report.ts';
import type { JobResult } from '../services/job-result.ts';
import type { JobPageInput, ListLogsInput } from '../validators/migration-jobs.ts';
import { pageOf, type IdInput } from '../validators/page.ts';
import { answerPage } from './page-answer.ts';

/** What there is to read of a job beside the job itself. */
export function jobDetailsController() {
  return {
    assessment: async (_request: Request, response: Response, { id }: IdInput) => {
      const job = await getJob(id, 'withAssessment');
      if (job.assessment === null) throw new AppError('JOB_NOT_ASSESSED');
      response.json(presentAssessment(job.assessment as Assessment));
    },

    plan: async (_request: Request, response: Response, { id }: IdInput) => {
      const job = await getJob(id, 'withPlan');
      if (job.plan === null) throw new AppError('JOB_NOT_PLANNED');
      response.json(presentPlan(job.plan as Plan));
    },

    tables: async (request: Request, response: Response, input: JobPageInput) => {
      await getJob(input.id);
      const page = await findPage(MigrationTable, {
        where: { jobId: input.id },
        order: BY_POSITION,
        ...pageOf(input),
      });
      answerPage(request, response, page, presentTable);
    },

    logs: async (request: Request, response: Response, input: ListLogsInput) => {
      await getJob(input.id);
      const where = {
        jobId: input.id,
        ...(input.level === undefined ? {} : { level: input.level }),
        ...(input.table === undefined ? {} : { tableName: input.table }),
      };
      answerPage(
        request,
        response,
        await findPage(MigrationLog, { where, order: BY_SEQ, ...pageOf(input) }),
        presentLog,
      );
    },

    /** One row for each table, column and rule: at most as many as there are columns, so all of them at once. */
    adjustments: async (_request: Request, response: Response, { id }: IdInput) => {
      await getJob(id);
      const adjustments = await Adjustment.summarize(id);
      response.json({ data: adjustments.map(presentAdjustment), nextCursor: null });
    },

    report: async (_request: Request, response: Response, { id }: IdInput) => {
      const job = await getJob(id, 'withPlan');
      const result = job.result as JobResult | null;
      if (!result?.verification) throw new AppError('JOB_NOT_FINISHED');
      const tables = await MigrationTable.findAll({ where: { jobId: id }, order: ['position'] });
      const rejects = await RejectedRow.countByReason(id);
      const rowsReplayed = await RejectedRow.count({
        where: { jobId: id, replayedAt: { [Op.not]: null } },
      });
      const adjustments = await Adjustment.summarize(id);
      response.json(presentReport({ job, tables, rejects, rowsReplayed, adjustments }));
    },

    /** The file that was signed, byte for byte. */
    certificate: async (_request: Request, response: Response, { id }: IdInput) => {
      await getJob(id);
      const certificate = await Certificate.findOne({
        where: { jobId: id },
        order: [['createdAt', 'DESC']],
      });
      if (certificate === null) throw new AppError('JOB_NOT_FINISHED');
      response.attachment(`certificate-${id}.json`).type('json').send(certificate.document);
    },
  };
}

/** @throws AppError NOT_FOUND */
async function getJob(id: string, scope?: 'withAssessment' | 'withPlan'): Promise<MigrationJob> {
  const model = scope === undefined ? MigrationJob : MigrationJob.scope(scope);
  const job = await model.findByPk(id);
  if (job === null) throw new AppError('NOT_FOUND', { entity: 'Job' });
  return job;
}
