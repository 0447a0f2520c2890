import { Op } from 'sequelize';

import { AuditTrail } from '../models/audit-trail.ts';

const BATCH_ROWS = 1_000;

/** All sealed rows in the order of the chain. Never holds more than one batch, and no connection between two. */
export async function* readSealedRows(): AsyncGenerator<AuditTrail> {
  let last = 0;
  for (;;) {
    const rows = await AuditTrail.findAll({
      where: { seq: { [Op.gt]: last } },
      order: [['seq', 'ASC']],
      limit: BATCH_ROWS,
    });
    yield* rows;
    if (rows.length < BATCH_ROWS) return;
    last = rows.at(-1)?.seq ?? last;
  }
}

/** All rows that no sealer has seen yet, about in the order in which they were written. */
export async function* readUnsealedRows(): AsyncGenerator<AuditTrail> {
  let last: string | null = null;
  for (;;) {
    const rows: AuditTrail[] = await AuditTrail.findAll({
      where: { seq: null, ...(last === null ? {} : { id: { [Op.gt]: last } }) },
      order: [['id', 'ASC']],
      limit: BATCH_ROWS,
    });
    yield* rows;
    if (rows.length < BATCH_ROWS) return;
    last = rows.at(-1)?.id ?? null;
  }
}
