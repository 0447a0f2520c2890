import type { Express, Request, RequestHandler, Response } from 'express';

import { AppError } from '../errors/app-error.ts';
import { authenticate } from '../middlewares/authenticate.ts';
import { authorize } from '../middlewares/authorize.ts';
import { inputGuard } from '../middlewares/input-guard.ts';
import { requestBody } from '../middlewares/request-body.ts';
import type { Hub } from '../services/hub.ts';
import type { Route, RouteScope } from './define-route.ts';

/** Puts the route table into the app. What a path allows, OPTIONS and 405 answer from the same table. */
export function mountRoutes(app: Express, routes: readonly Route[], hub: Hub): void {
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    const mounted = app.route(path);
    for (const route of group) mounted[route.method](...chainOf(route, hub));
    const allow = allowedMethods(group);
    mounted.options(answerOptions(allow));
    mounted.all(refuseMethod(allow));
  }
}

/** The value of `Allow` for one path. */
export function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.map(({ method }) => method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ');
}

/** The order in which every request is dealt with: who asks, may they, what do they send, is it what the route takes. */
function chainOf(route: Route, hub: Hub): RequestHandler[] {
  return [
    ...guardsOf(route.scope, hub),
    ...route.middlewares,
    ...requestBody(route.body),
    inputGuard,
    route.handler,
  ];
}

function guardsOf(scope: RouteScope, hub: Hub): RequestHandler[] {
  if (scope === 'public') return [];
  if (scope === 'signed-in') return [authenticate(hub)];
  return [authenticate(hub), authorize(hub, scope)];
}

function answerOptions(allow: string): RequestHandler {
  return (_request: Request, response: Response) => {
    response.set('Allow', allow).status(204).end();
  };
}

function refuseMethod(allow: string): RequestHandler {
  return (_request: Request, response: Response) => {
    response.set('Allow', allow);
    throw new AppError('METHOD_NOT_ALLOWED');
  };
}
