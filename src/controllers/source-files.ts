import { rm } from 'node:fs/promises';

import type { Request, Response } from 'express';

import { findPage, NEWEST_FIRST } from '../models/pagination.ts';
import { SourceFile } from '../models/source-file.ts';
import { presentSourceFile } from '../presenters/source-files.ts';
import type { Hub } from '../services/hub.ts';
import { uploadsFolder } from '../services/source-folder.ts';
import { createSourceFile, deleteSourceFile } from '../services/source-files.ts';
import { storeFile } from '../services/stored-file.ts';
import { pageOf, type IdInput, type PageInput } from '../validators/page.ts';
import { readSingleFile } from './multipart.ts';
import { answerPage } from './page-answer.ts';

export function sourceFilesController(hub: Hub) {
  const { dataDir, uploadMaxBytes } = hub.settings;
  const options = { folder: uploadsFolder(dataDir), maxBytes: uploadMaxBytes };
  return {
    list: async (request: Request, response: Response, input: PageInput) => {
      const page = await findPage(SourceFile, { order: NEWEST_FIRST, ...pageOf(input) });
      answerPage(request, response, page, presentSourceFile);
    },

    create: async (request: Request, response: Response) => {
      const received = await readSingleFile(request, {
        store: (content) => storeFile(content, options),
        discard: ({ path }) => rm(path, { force: true }),
      });
      const file = await createSourceFile(hub, received, request.auditContext);
      response.status(201).json(presentSourceFile(file));
    },

    remove: async (request: Request, response: Response, { id }: IdInput) => {
      await deleteSourceFile(hub, id, request.auditContext);
      response.status(204).end();
    },
  };
}
