import { sourceFilesController } from '../controllers/source-files.ts';
import type { Hub } from '../services/hub.ts';
import { idInput, noInput, pageInput } from '../validators/page.ts';
import { defineRoute, type Route } from './define-route.ts';

export function sourceFileRoutes(hub: Hub): Route[] {
  const files = sourceFilesController(hub);
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/source-files',
      scope: 'connections:read',
      input: pageInput,
      handler: files.list,
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/source-files',
      scope: 'connections:write',
      body: 'multipart',
      input: noInput,
      handler: files.create,
    }),
    defineRoute({
      method: 'delete',
      path: '/api/v1/source-files/:id',
      scope: 'connections:write',
      input: idInput,
      handler: files.remove,
    }),
  ];
}
