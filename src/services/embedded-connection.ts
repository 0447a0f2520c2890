import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';

import { Connection } from '../models/connection.ts';
import { inTransaction } from '../models/transaction.ts';
import { recordAudit } from './audit.ts';
import { HUB_CONTEXT } from './audit-context.ts';
import type { ServerOptions } from './connection-options.ts';
import type { EmbeddedServer, Hub } from './hub.ts';
import { encryptSecret } from './secrets.ts';

export const EMBEDDED_CONNECTION = 'embedded';

/**
 * Keeps the connection to the embedded server's target database up to date: its port may be another one at each start. A connection
 * of that name that a user has made stays as it is.
 */
export async function ensureEmbeddedConnection(hub: Hub, server: EmbeddedServer): Promise<void> {
  const options = describe(server);
  const found = await Connection.findOne({ where: { name: EMBEDDED_CONNECTION } });
  const isCurrent = found && isDeepStrictEqual(found.options, options);
  if (isCurrent || (found && found.createdBy !== null)) return;

  const id = found?.id ?? uuidv7();
  const { ciphertext, keyId } = encryptSecret(server.password, id, hub.settings.connectionKeys);
  await inTransaction(hub.sequelize, async (transaction) => {
    await Connection.upsert(
      {
        id,
        name: EMBEDDED_CONNECTION,
        kind: 'postgres',
        options,
        secretCiphertext: ciphertext,
        secretKeyId: keyId,
        version: (found?.version ?? 0) + 1,
      },
      { transaction, conflictFields: ['id'] },
    );
    await recordAudit(transaction, {
      context: HUB_CONTEXT,
      action: found ? 'connection.update' : 'connection.create',
      entity: { type: 'connection', id },
      detail: { name: EMBEDDED_CONNECTION },
    });
  });
}

function describe({ host, port, targetDatabase, user }: EmbeddedServer): ServerOptions {
  return { host, port, database: targetDatabase, user, ssl: 'disable' };
}
