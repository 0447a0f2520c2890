import type { Request, RequestHandler, Response } from 'express';

import type { BodyKind } from '../middlewares/request-body.ts';
import type { Scope } from '../services/scopes.ts';
import type { Input } from '../validators/schema.ts';

export const METHODS = ['get', 'post', 'patch', 'delete'] as const;
export type Method = (typeof METHODS)[number];

/** `public`: for everybody; `signed-in`: for whoever has proved who they are. */
export type RouteScope = Scope | 'public' | 'signed-in';

export interface RouteDefinition<Value> {
  readonly method: Method;
  readonly path: `/${string}`;
  readonly scope: RouteScope;
  /** Everything that the route takes. Whatever else a client sends is refused. */
  readonly input: Input<Value>;
  /** Default: json. */
  readonly body?: BodyKind;
  /** Run in this order, after authentication and before the body is read. */
  readonly middlewares?: readonly RequestHandler[];
  readonly handler: (request: Request, response: Response, input: Value) => void | Promise<void>;
}

export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly scope: RouteScope;
  readonly body: BodyKind;
  readonly middlewares: readonly RequestHandler[];
  /** Checks the input and calls the handler with it. */
  readonly handler: RequestHandler;
}

/** One entry of the route table. The scope has no default: whoever adds a route says who may call it. */
export function defineRoute<Value>(definition: RouteDefinition<Value>): Route {
  const { method, path, scope, input, body = 'json', middlewares = [], handler } = definition;
  return {
    method,
    path,
    scope,
    body,
    middlewares,
    handler: async (request: Request, response: Response) => {
      const raw = { params: request.params, query: request.query, body: request.body as unknown };
      await handler(request, response, await input.read(raw));
    },
  };
}
