import type { Request, Response } from 'express';

import { presentPrincipal, presentTokens } from '../presenters/auth.ts';
import type { Hub } from '../services/hub.ts';
import { login } from '../services/login.ts';
import { logout } from '../services/logout.ts';
import { refresh } from '../services/refresh.ts';
import type { LoginInput, RefreshInput } from '../validators/auth.ts';
import { getPrincipal } from './principal.ts';

export function authController(hub: Hub) {
  return {
    login: async (request: Request, response: Response, input: LoginInput) => {
      response.json(presentTokens(await login(hub, input, request.auditContext)));
    },

    refresh: async (request: Request, response: Response, { refreshToken }: RefreshInput) => {
      response.json(presentTokens(await refresh(hub, refreshToken, request.auditContext)));
    },

    logout: async (request: Request, response: Response) => {
      await logout(hub, getPrincipal(request).sessionId, request.auditContext);
      response.status(204).end();
    },

    showSession: (request: Request, response: Response) => {
      response.json(presentPrincipal(getPrincipal(request)));
    },
  };
}
