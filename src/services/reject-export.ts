import { Op, type WhereOptions } from 'sequelize';
import { sequelizeOf } from '../models/hub-schema.ts';
import { MigrationJob } from '../models/migration-job.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { inTransaction } from '../models/transaction.ts';
import { recordAudit, type AuditContext } from './audit.ts';

export interface ExportRequest {
  readonly jobId: string;
  readonly where: WhereOptions<RejectedRow>;
  /** Source table; undefined = all. */
  readonly table: string | undefined;
  readonly filters: object;
}

const BATCH_ROWS = 100;

/** Rejects of a job with their tables, in the order of their ids. That they were taken out is written down first. */
export async function exportRejects(
  request: ExportRequest,
  context: AuditContext,
): Promise<AsyncGenerator<RejectedRow>> {
  await inTransaction(sequelizeOf(MigrationJob), (transaction) =>
    recordAudit(transaction, {
      context,
      action: 'job.rejects.export',
      entity: { type: 'migration_job', id: request.jobId },
      detail: request.filters,
    }),
  );
  return readRejects(request);
}

/** Never holds more than one batch, and no connection between two. */
async function* readRejects({ where, table }: ExportRequest): AsyncGenerator<RejectedRow> {
  let last: string | null = null;
  for (;;) {
    const rows: RejectedRow[] = await RejectedRow.findAll({
      where: last === null ? where : { [Op.and]: [where, { id: { [Op.gt]: last } }] },
      include: [rejectsTable(table)],
      order: ['id'],
      limit: BATCH_ROWS,
    });
    yield* rows;
    if (rows.length < BATCH_ROWS) return;
    last = rows.at(-1)?.id ?? null;
  }
}

/** The table of a reject, for `include`: only rows of `sourceTable`, where one is given. */
export function rejectsTable(sourceTable: string | undefined) {
  const where = sourceTable === undefined ? {} : { where: { sourceTable } };
  return { association: 'table', attributes: ['sourceTable'], required: true, ...where };
}
