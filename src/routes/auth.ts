import { authController } from '../controllers/auth.ts';
import type { Hub } from '../services/hub.ts';
import { loginInput, refreshInput } from '../validators/auth.ts';
import { noInput } from '../validators/page.ts';
import { defineRoute, type Route } from './define-route.ts';

export function authRoutes(hub: Hub): Route[] {
  const auth = authController(hub);
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/auth/login',
      scope: 'public',
      input: loginInput,
      handler: auth.login,
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/auth/refresh',
      scope: 'public',
      input: refreshInput,
      handler: auth.refresh,
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/auth/logout',
      scope: 'signed-in',
      input: noInput,
      handler: auth.logout,
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/auth/session',
      scope: 'signed-in',
      input: noInput,
      handler: auth.showSession,
    }),
  ];
}
