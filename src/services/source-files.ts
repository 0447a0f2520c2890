import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Op } from 'sequelize';
import { v7 as uuidv7, validate as isUuid } from 'uuid';

import { AppError } from '../errors/app-error.ts';
import { Connection } from '../models/connection.ts';
import { SourceFile } from '../models/source-file.ts';
import { inTransaction } from '../models/transaction.ts';
import { MAX_LENGTHS } from '../models/vocabulary.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import type { Hub } from './hub.ts';
import { uploadsFolder } from './source-folder.ts';
import type { StoredFile } from './stored-file.ts';

/** A file gets its row within seconds of its name, so one without a row that is older has lost it to a crash. */
const ORPHANED_MS = 3_600_000;

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
    const named = { [Op.contains]: { sourceFileIds: [id] } };
    const where = { [Op.or]: [{ options: { sourceFileId: id } }, { options: named }] };
    const users = await Connection.count({ where, transaction });
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

/**
 * Clears received files that no row names: the process died between the two. Touches nothing where there is no row at all, as
 * then this may be another database than the one that the files belong to.
 */
export async function removeOrphanedFiles({ settings: { dataDir } }: Hub): Promise<void> {
  const folder = uploadsFolder(dataDir);
  // The folder before the rows: a file that gets its row in between is not taken for an orphan.
  const names = (await readdir(folder).catch(() => [])).filter((name) => isUuid(name));
  const files = await SourceFile.findAll({ attributes: ['path'] });
  if (files.length === 0) return;

  const known = new Set(files.map((file) => path.join(dataDir, file.path)));
  for (const file of names.map((name) => path.join(folder, name))) {
    if (!known.has(file) && (await isOld(file))) await rm(file, { force: true });
  }
}

async function isOld(file: string): Promise<boolean> {
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > ORPHANED_MS;
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
