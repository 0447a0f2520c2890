import { createHash } from 'node:crypto';

import { Op, type Transaction } from 'sequelize';

import type { NamedSecret } from '../config/env-values.ts';
import type { Plan } from '../engine/contract.ts';
import { addMultisets } from '../engine/digest.ts';
import { Adjustment } from '../models/adjustment.ts';
import { Certificate } from '../models/certificate.ts';
import { Connection } from '../models/connection.ts';
import { MigrationChunk } from '../models/migration-chunk.ts';
import type { MigrationJob } from '../models/migration-job.ts';
import { MigrationTable } from '../models/migration-table.ts';
import { RejectedRow } from '../models/rejected-row.ts';
import { recordAudit } from './audit.ts';
import { HUB_CONTEXT } from './audit-context.ts';
import { fingerprintOf, hashCertificate, signCertificate } from './certificate-signature.ts';
import type { JobResult } from './job-result.ts';

export interface IssueRequest {
  readonly job: MigrationJob;
  readonly plan: Plan;
  readonly result: JobResult;
  readonly keys: readonly NamedSecret[];
}

/**
 * Writes down, signed, what the job has come to, and its hash into the audit trail: in the transaction that ends the job, so
 * that there is no finished job without one, and no certificate that the trail does not know.
 */
export async function issueCertificate(
  { job, plan, result, keys }: IssueRequest,
  transaction: Transaction,
): Promise<void> {
  const [key] = keys;
  if (!key) throw new Error('There is no key to sign certificates with');

  const certificate = await describeJob({ job, plan, result }, transaction);
  const hash = hashCertificate(certificate);
  const signed = signCertificate(certificate, key);
  const document = `${JSON.stringify(signed, null, 2)}\n`;
  await Certificate.destroy({ where: { jobId: job.id }, transaction });
  await Certificate.create({ jobId: job.id, hash, document }, { transaction });
  await recordAudit(transaction, {
    context: HUB_CONTEXT,
    action: 'job.certificate',
    entity: { type: 'migration_job', id: job.id },
    detail: {
      certificateSha256: hash,
      planHash: plan.hash,
      verification: result.verification?.status ?? null,
      keyFingerprint: fingerprintOf(signed.signature.publicKey),
    },
  });
}

/** What was certified does not hold any more: rows were added, or everything was dropped. */
export async function withdrawCertificate(jobId: string, transaction: Transaction): Promise<void> {
  await Certificate.destroy({ where: { jobId }, transaction });
}

async function describeJob(
  { job, plan, result }: Omit<IssueRequest, 'keys'>,
  transaction: Transaction,
): Promise<object> {
  const { id: jobId, name, startedAt } = job;
  const [source, target] = await Promise.all(
    [job.sourceId, job.targetId].map((id) =>
      Connection.findByPk(id, { transaction, rejectOnEmpty: true }),
    ),
  );
  return {
    formatVersion: 1,
    kind: 'legacy-migration-hub/certificate',
    issuedAt: new Date().toISOString(),
    job: { id: jobId, name, startedAt: startedAt?.toISOString() ?? null },
    source: {
      connection: source?.name,
      kind: plan.source.kind,
      version: plan.source.version,
      fingerprint: plan.source.fingerprint,
    },
    target: { connection: target?.name, schema: plan.options.targetSchema },
    planHash: plan.hash,
    consistency: result.consistency,
    verification: result.verification,
    tables: await describeTables(jobId, plan, transaction),
    rejects: await RejectedRow.countByReason(jobId, transaction),
    adjustments: (await Adjustment.summarize(jobId, transaction)).map(
      ({ table, column, rule, count }) => ({ table, column, rule, count }),
    ),
    notes: result.notes,
    notMoved: plan.unmoved.map(({ kind, name: object }) => ({ kind, name: object })),
  };
}

async function describeTables(
  jobId: string,
  plan: Plan,
  transaction: Transaction,
): Promise<object[]> {
  const tables = await MigrationTable.findAll({
    where: { jobId },
    order: ['position'],
    transaction,
  });
  const described: object[] = [];
  for (const table of tables) {
    const rowsReplayed = await RejectedRow.count({
      where: { tableId: table.id, replayedAt: { [Op.not]: null } },
      transaction,
    });
    const kind = plan.tables.find(({ source }) => source === table.sourceTable)?.digest;
    described.push({
      source: table.sourceTable,
      target: `${table.targetSchema}.${table.targetTable}`,
      rowsRead: table.rowsRead,
      rowsCopied: table.rowsCopied,
      rowsRejected: table.rowsRejected,
      rowsReplayed,
      valuesAdjusted: table.rowsAdjusted,
      rowsVerified: table.rowsVerified,
      bytes: table.bytes,
      verdict: table.verdict,
      digest: await digestTable(table.id, kind ?? 'multiset', transaction),
    });
  }
  return described;
}

/**
 * One digest for a table. `multiset`: the sum of its chunks' digests, which is that of all rows in any order. `ordered`:
 * SHA-256 of its chunks' digests (64 hex digits each) in the order of the chunks.
 */
async function digestTable(
  tableId: string,
  kind: 'ordered' | 'multiset',
  transaction: Transaction,
): Promise<object> {
  const chunks = await MigrationChunk.findAll({
    attributes: ['digest'],
    where: { tableId },
    order: ['number'],
    transaction,
  });
  const digests = chunks.flatMap(({ digest }) => digest ?? []);
  const value =
    kind === 'multiset'
      ? addMultisets(digests)
      : createHash('sha256').update(digests.join('')).digest('hex');
  return { kind, chunks: digests.length, value };
}
