import { connectionsController } from '../controllers/connections.ts';
import type { Hub } from '../services/hub.ts';
import { createConnectionInput, updateConnectionInput } from '../validators/connections.ts';
import { idInput, pageInput } from '../validators/page.ts';
import { defineRoute, type Route } from './define-route.ts';

const LIST = '/api/v1/connections';
const ONE = '/api/v1/connections/:id';

export function connectionRoutes(hub: Hub): Route[] {
  const connections = connectionsController(hub);
  return [
    defineRoute({
      method: 'get',
      path: LIST,
      scope: 'connections:read',
      input: pageInput,
      handler: connections.list,
    }),
    defineRoute({
      method: 'post',
      path: LIST,
      scope: 'connections:write',
      input: createConnectionInput,
      handler: connections.create,
    }),
    defineRoute({
      method: 'get',
      path: ONE,
      scope: 'connections:read',
      input: idInput,
      handler: connections.show,
    }),
    defineRoute({
      method: 'patch',
      path: ONE,
      scope: 'connections:write',
      input: updateConnectionInput,
      handler: connections.update,
    }),
    defineRoute({
      method: 'delete',
      path: ONE,
      scope: 'connections:write',
      input: idInput,
      handler: connections.remove,
    }),
    defineRoute({
      method: 'post',
      path: `${ONE}/test`,
      scope: 'connections:write',
      input: idInput,
      handler: connections.test,
    }),
    defineRoute({
      method: 'get',
      path: `${ONE}/catalog`,
      scope: 'connections:read',
      input: idInput,
      handler: connections.showCatalog,
    }),
  ];
}
