import { rm } from 'node:fs/promises';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';

import { AppError } from '../errors/app-error.ts';
import { Connection } from '../models/connection.ts';
import { SourceFile } from '../models/source-file.ts';
import { inTransaction } from '../models/transaction.ts';
import { MAX_LENGTHS } from '../models/vocabulary.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import type { Hub } from './hub.ts';
import type { StoredFile } from './stored-file.ts';

export interface ReceivedFile {
  /** As the client called it. */
  readonly name: string;
  readonly stored: StoredFile;
}

/** Takes a received file into the hub, or removes it again. */
export async function createSourceFile(
  hub: Hub,
  { name, stored }: ReceivedFile,
  context: AuditContext,
): Promise<SourceFile> {
  try {
    return await inTransaction(hub.sequelize, async (transaction) => {
      const file = await SourceFile.create(
        {
          id: uuidv7(),
          name: toLabel(name),
          size: stored.size,
          sha256: stored.sha256,
          path: path.relative(hub.settings.dataDir, stored.path),
          createdBy: context.actor?.id ?? null,
        },
        { transaction },
      );
      await recordAudit(transaction, {
        context,
        action: 'source_file.create',
        entity: { type: 'source_file', id: file.id },
        detail: { name: file.name, size: file.size, sha256: file.sha256 },
      });
      return file;
    });
  } catch (error) {
    await rm(stored.path, { force: true });
    throw error;
  }
}

/** @throws AppError NOT_FOUND, IN_USE while a connection names it */
export async function deleteSourceFile(hub: Hub, id: string, context: AuditContext): Promise<void> {
  const relative = await inTransaction(hub.sequelize, async (transaction) => {
    // Connections hold this row while they are made: none that names it can appear from here on.
    const file = await SourceFile.findByPk(id, { lock: true, transaction });
    if (!file) throw new AppError('NOT_FOUND', { entity: 'Source file' });
    const users = await Connection.count({ where: { options: { sourceFileId: id } }, transaction });
    if (users > 0) throw new AppError('IN_USE', { entity: 'Source file', user: 'a connection' });

    await file.destroy({ transaction });
    await recordAudit(transaction, {
      context,
      action: 'source_file.delete',
      entity: { type: 'source_file', id },
      detail: { name: file.name, sha256: file.sha256 },
    });
    return file.path;
  });
  // After the commit: a row without its file would be worse than a file without its row.
  await rm(path.join(hub.settings.dataDir, relative), { force: true });
}

/** What a client calls a file is for people only: no folders, no control characters, no end. */
function toLabel(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? '';
  const clean = base
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim();
  return Array.from(clean).slice(0, MAX_LENGTHS.fileName).join('') || 'upload';
}
