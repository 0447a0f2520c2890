import type { AuditTrail } from '../models/audit-trail.ts';
import { inTransaction } from '../models/transaction.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import { readSealedRows, readUnsealedRows } from './audit-reading.ts';
import type { Hub } from './hub.ts';

/** The whole trail, first the chain and then what is not sealed yet. That it was taken out is written down first. */
export async function exportAudit(
  hub: Pick<Hub, 'sequelize'>,
  context: AuditContext,
): Promise<AsyncGenerator<AuditTrail>> {
  await inTransaction(hub.sequelize, (transaction) =>
    recordAudit(transaction, { context, action: 'audit.export' }),
  );
  return readAll();
}

async function* readAll(): AsyncGenerator<AuditTrail> {
  yield* readSealedRows();
  yield* readUnsealedRows();
}
