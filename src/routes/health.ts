import { healthController, type Readiness } from '../controllers/health.ts';
import type { Hub } from '../services/hub.ts';
import { noInput } from '../validators/page.ts';
import { defineRoute, type Route } from './define-route.ts';

export function healthRoutes(hub: Hub, readiness: Readiness): Route[] {
  const health = healthController(hub, readiness);
  return [
    defineRoute({
      method: 'get',
      path: '/livez',
      scope: 'public',
      input: noInput,
      handler: health.live,
    }),
    defineRoute({
      method: 'get',
      path: '/readyz',
      scope: 'public',
      input: noInput,
      handler: health.ready,
    }),
  ];
}
