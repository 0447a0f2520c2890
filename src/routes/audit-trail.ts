import { auditTrailController } from '../controllers/audit-trail.ts';
import type { Hub } from '../services/hub.ts';
import { listAuditInput } from '../validators/audit-trail.ts';
import { noInput } from '../validators/page.ts';
import { defineRoute, type Route } from './define-route.ts';

export function auditTrailRoutes(hub: Hub): Route[] {
  const trail = auditTrailController(hub);
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/audit-trail',
      scope: 'audit:read',
      input: listAuditInput,
      handler: trail.list,
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/audit-trail/verify',
      scope: 'audit:read',
      input: noInput,
      handler: trail.verify,
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/audit-trail/export',
      scope: 'audit:read',
      input: noInput,
      handler: trail.export,
    }),
  ];
}
