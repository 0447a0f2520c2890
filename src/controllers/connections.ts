import type { Request, Response } from 'express';

import { Connection } from '../models/connection.ts';
import { findPage, NEWEST_FIRST } from '../models/pagination.ts';
import { presentCatalog } from '../presenters/catalog.ts';
import { presentConnection, presentConnectionTest } from '../presenters/connections.ts';
import { getConnection } from '../services/connection-locations.ts';
import { typedConnection } from '../services/connection-options.ts';
import { readCatalog, testConnection } from '../services/connection-test.ts';
import { createConnection, deleteConnection, updateConnection } from '../services/connections.ts';
import type { Hub } from '../services/hub.ts';
import {
  readChangedOptions,
  type CreateConnectionInput,
  type UpdateConnectionInput,
} from '../validators/connections.ts';
import { pageOf, type IdInput, type PageInput } from '../validators/page.ts';
import { readIfMatch, setETag } from './etag.ts';
import { answerPage } from './page-answer.ts';

export function connectionsController(hub: Hub) {
  return {
    list: async (request: Request, response: Response, input: PageInput) => {
      const page = await findPage(Connection, { order: NEWEST_FIRST, ...pageOf(input) });
      answerPage(request, response, page, presentConnection);
    },

    show: async (_request: Request, response: Response, { id }: IdInput) => {
      answer(response, await getConnection(id));
    },

    create: async (request: Request, response: Response, input: CreateConnectionInput) => {
      const connection = await createConnection(hub, input, request.auditContext);
      response.status(201).location(`/api/v1/connections/${connection.id}`);
      answer(response, connection);
    },

    update: async (request: Request, response: Response, input: UpdateConnectionInput) => {
      const { id, name, options } = input;
      const target = { id, expectedVersion: readIfMatch(request) };
      const { kind } = typedConnection(await getConnection(id));
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(options === undefined ? {} : { options: await readChangedOptions(kind, options) }),
      };
      answer(response, await updateConnection(hub, target, change, request.auditContext));
    },

    remove: async (request: Request, response: Response, { id }: IdInput) => {
      await deleteConnection(hub, id, request.auditContext);
      response.status(204).end();
    },

    test: async (request: Request, response: Response, { id }: IdInput) => {
      const result = await testConnection(hub, id, request.auditContext);
      response.json(presentConnectionTest(result));
    },

    showCatalog: async (_request: Request, response: Response, { id }: IdInput) => {
      response.json(presentCatalog(await readCatalog(hub, id)));
    },
  };
}

function answer(response: Response, connection: Connection): void {
  setETag(response, connection);
  response.json(presentConnection(connection));
}
