import type { Readiness } from '../controllers/health.ts';
import type { Hub } from '../services/hub.ts';
import { auditTrailRoutes } from './audit-trail.ts';
import { authRoutes } from './auth.ts';
import { connectionRoutes } from './connections.ts';
import type { Route } from './define-route.ts';
import { healthRoutes } from './health.ts';
import { migrationJobRoutes } from './migration-jobs.ts';
import { sourceFileRoutes } from './source-files.ts';

/** The table of contents of the API: one line for each resource. */
export function allRoutes(hub: Hub, readiness: Readiness): Route[] {
  return [
    ...healthRoutes(hub, readiness),
    ...authRoutes(hub),
    ...connectionRoutes(hub),
    ...sourceFileRoutes(hub),
    ...migrationJobRoutes(hub, readiness.isDraining),
    ...auditTrailRoutes(hub),
  ];
}
