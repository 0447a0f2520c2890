import { jobDetailsController } from '../controllers/job-details.ts';
import { jobEventsController } from '../controllers/job-events.ts';
import { migrationJobsController } from '../controllers/migration-jobs.ts';
import { rejectsController } from '../controllers/rejects.ts';
import type { Hub } from '../services/hub.ts';
import { JOB_REQUESTS } from '../services/job-transitions.ts';
import {
  createJobInput,
  jobPageInput,
  listJobsInput,
  listLogsInput,
  updateJobInput,
} from '../validators/migration-jobs.ts';
import { idInput } from '../validators/page.ts';
import { exportRejectsInput, listRejectsInput, replayRejectsInput } from '../validators/rejects.ts';
import { defineRoute, type Route } from './define-route.ts';

const BASE = '/api/v1/migration-jobs';

export function migrationJobRoutes(hub: Hub, isDraining: () => boolean): Route[] {
  const jobs = migrationJobsController(hub);
  const details = jobDetailsController();
  const rejects = rejectsController(hub);
  const events = jobEventsController(isDraining);
  return [
    defineRoute({
      method: 'get',
      path: BASE,
      scope: 'jobs:read',
      input: listJobsInput,
      handler: jobs.list,
    }),
    defineRoute({
      method: 'post',
      path: BASE,
      scope: 'jobs:write',
      input: createJobInput,
      handler: jobs.create,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id`,
      scope: 'jobs:read',
      input: idInput,
      handler: jobs.show,
    }),
    defineRoute({
      method: 'patch',
      path: `${BASE}/:id`,
      scope: 'jobs:write',
      input: updateJobInput,
      handler: jobs.update,
    }),
    defineRoute({
      method: 'delete',
      path: `${BASE}/:id`,
      scope: 'jobs:write',
      input: idInput,
      handler: jobs.remove,
    }),

    ...JOB_REQUESTS.map((request) =>
      defineRoute({
        method: 'post',
        path: `${BASE}/:id/${request}`,
        scope: 'jobs:run',
        input: idInput,
        handler: jobs.transition(request),
      }),
    ),

    defineRoute({
      method: 'get',
      path: `${BASE}/:id/assessment`,
      scope: 'jobs:read',
      input: idInput,
      handler: details.assessment,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/plan`,
      scope: 'jobs:read',
      input: idInput,
      handler: details.plan,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/tables`,
      scope: 'jobs:read',
      input: jobPageInput,
      handler: details.tables,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/logs`,
      scope: 'jobs:read',
      input: listLogsInput,
      handler: details.logs,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/rejects`,
      scope: 'jobs:read',
      input: listRejectsInput,
      handler: rejects.list,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/rejects/export`,
      scope: 'jobs:read',
      input: exportRejectsInput,
      handler: rejects.export,
    }),
    defineRoute({
      method: 'post',
      path: `${BASE}/:id/rejects/replay`,
      scope: 'jobs:run',
      input: replayRejectsInput,
      handler: rejects.replay,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/adjustments`,
      scope: 'jobs:read',
      input: idInput,
      handler: details.adjustments,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/report`,
      scope: 'jobs:read',
      input: idInput,
      handler: details.report,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/certificate`,
      scope: 'jobs:read',
      input: idInput,
      handler: details.certificate,
    }),
    defineRoute({
      method: 'get',
      path: `${BASE}/:id/events`,
      scope: 'jobs:read',
      input: idInput,
      handler: events.stream,
    }),
  ];
}
