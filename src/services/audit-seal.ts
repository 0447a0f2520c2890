import { randomUUID } from 'node:crypto';
import { Op, QueryTypes, type Transaction } from 'sequelize';

import { AppError } from '../errors/app-error.ts';
import { AuditTrail } from '../models/audit-trail.ts';
import { quotedTable, sequelizeOf } from '../models/hub-schema.ts';
import { Lease, type HeldLease } from '../models/lease.ts';
import { inTransaction } from '../models/transaction.ts';
import { readCheckpoint, writeCheckpoint } from './audit-checkpoint.ts';
import { CHAIN_START, hashAuditRow } from './audit-hash.ts';
import type { Hub } from './hub.ts';

interface Link {
  readonly seq: number;
  readonly hash: string;
}

const LEASE_NAME = 'seal-audit';
const LEASE_SECONDS = 30;
const BATCH_ROWS = 2_000;

/**
 * Adds all rows that are not yet in the chain, and gives their number. One sealer works at a time, on whichever machine (this
 * one does nothing then: what the other misses is sealed the next time); one that lost its lease cannot write any more, since
 * each batch renews the lease in its own transaction. Cheap when there is nothing to do.
 */
export async function sealAudit(hub: Pick<Hub, 'sequelize' | 'settings' | 'log'>): Promise<number> {
  if ((await AuditTrail.findOne({ attributes: ['id'], where: { seq: null } })) === null) return 0;
  const held = await Lease.acquire({
    name: LEASE_NAME,
    owner: randomUUID(),
    seconds: LEASE_SECONDS,
  });
  if (held === null) return 0;
  try {
    let sealed = 0;
    for (let batch = await sealBatch(hub, held); batch > 0; batch = await sealBatch(hub, held)) {
      sealed += batch;
    }
    if (sealed > 0) await moveCheckpoint(hub);
    return sealed;
  } finally {
    await Lease.release(held);
  }
}

async function sealBatch({ sequelize }: Pick<Hub, 'sequelize'>, held: HeldLease): Promise<number> {
  return inTransaction(sequelize, async (transaction) => {
    if (!(await Lease.renew(held, LEASE_SECONDS, transaction))) {
      throw new AppError('SERVICE_UNAVAILABLE');
    }
    const rows = await AuditTrail.findAll({
      where: { seq: null },
      order: [
        ['at', 'ASC'],
        ['id', 'ASC'],
      ],
      limit: BATCH_ROWS,
      transaction,
    });
    if (rows.length > 0) await store(rows, await findHead(transaction), transaction);
    return rows.length;
  });
}

async function findHead(transaction?: Transaction): Promise<Link> {
  const last = await AuditTrail.findOne({
    where: { seq: { [Op.ne]: null } },
    order: [['seq', 'DESC']],
    transaction: transaction ?? null,
  });
  return { seq: last?.seq ?? 0, hash: last?.hash ?? CHAIN_START };
}

async function store(
  rows: readonly AuditTrail[],
  head: Link,
  transaction: Transaction,
): Promise<void> {
  const links = rows.reduce<(Link & { readonly prevHash: string })[]>((chain, row) => {
    const { seq, hash: prevHash } = chain.at(-1) ?? head;
    chain.push({ seq: seq + 1, prevHash, hash: hashAuditRow(row, seq + 1, prevHash) });
    return chain;
  }, []);
  await sequelizeOf(AuditTrail).query(
    `UPDATE ${quotedTable(AuditTrail)} AS entry
        SET seq = link.seq, prev_hash = link.prev_hash, hash = link.hash
       FROM unnest($ids::uuid[], $seqs::int8[], $prevHashes::text[], $hashes::text[])
              AS link (id, seq, prev_hash, hash)
      WHERE entry.id = link.id AND entry.seq IS NULL`,
    {
      bind: {
        ids: rows.map(({ id }) => id),
        seqs: links.map(({ seq }) => seq),
        prevHashes: links.map(({ prevHash }) => prevHash),
        hashes: links.map(({ hash }) => hash),
      },
      type: QueryTypes.UPDATE,
      transaction,
    },
  );
}

/** Never past a chain that does not hold what the last checkpoint saw: the loss would be covered up for good. */
async function moveCheckpoint(hub: Pick<Hub, 'settings' | 'log'>): Promise<void> {
  const before = await readCheckpoint(hub);
  if (before.state === 'invalid' || (before.state === 'valid' && !(await isInChain(before)))) {
    hub.log.error(
      'the audit trail does not agree with its checkpoint: see GET /audit-trail/verify',
    );
    return;
  }
  await writeCheckpoint(hub, { ...(await findHead()), at: new Date().toISOString() });
}

async function isInChain({
  checkpoint: { seq, hash },
}: {
  readonly checkpoint: Link;
}): Promise<boolean> {
  return (await AuditTrail.count({ where: { seq, hash } })) === 1;
}
