import { AuditTrail } from '../models/audit-trail.ts';
import { readCheckpoint, type CheckpointState } from './audit-checkpoint.ts';
import { CHAIN_START, hashAuditRow } from './audit-hash.ts';
import { readSealedRows } from './audit-reading.ts';
import type { Hub } from './hub.ts';

export type AuditProblem =
  /** A number is missing: a row was deleted. */
  | 'row missing'
  /** The row, or its place in the chain, is not the one that was sealed. */
  | 'row changed'
  /** The chain ends before the checkpoint: its end was cut off. */
  | 'end missing'
  /** The chain fits together, but is another one than the checkpoint has seen: it was written anew. */
  | 'chain replaced'
  /** The checkpoint itself was changed, or its key is no longer configured. */
  | 'checkpoint invalid';

export interface AuditVerification {
  readonly rows: number;
  /** Rows that are not in the chain yet: the sealer comes by within seconds. */
  readonly unsealedRows: number;
  /** null = nothing is wrong. */
  readonly problem: AuditProblem | null;
  /** Where the chain is first not what it was; null where nothing is wrong, or nobody can say. */
  readonly firstBadSeq: number | null;
  readonly checkpoint: { readonly seq: number; readonly at: string } | null;
}

interface ChainResult {
  readonly rows: number;
  readonly problem: AuditProblem | null;
  readonly firstBadSeq: number | null;
  /** The hash of the row that the checkpoint names. */
  readonly hashAtCheckpoint: string | null;
}

/** Follows the whole chain, in constant memory, and compares it with the checkpoint outside the database. */
export async function verifyAudit(hub: Pick<Hub, 'settings'>): Promise<AuditVerification> {
  const state = await readCheckpoint(hub);
  const checkpoint = state.state === 'valid' ? state.checkpoint : null;
  const chain = await followChain(checkpoint?.seq ?? null);
  return {
    rows: chain.rows,
    unsealedRows: await AuditTrail.count({ where: { seq: null } }),
    ...findProblem(chain, state),
    checkpoint: checkpoint && { seq: checkpoint.seq, at: checkpoint.at },
  };
}

async function followChain(checkpointSeq: number | null): Promise<ChainResult> {
  let seq = 0;
  let hash = CHAIN_START;
  let hashAtCheckpoint: string | null = null;
  for await (const row of readSealedRows()) {
    const problem = judge(row, seq + 1, hash);
    if (problem) return { rows: seq, problem, firstBadSeq: seq + 1, hashAtCheckpoint };
    seq += 1;
    hash = row.hash ?? '';
    if (seq === checkpointSeq) hashAtCheckpoint = hash;
  }
  return { rows: seq, problem: null, firstBadSeq: null, hashAtCheckpoint };
}

function judge(row: AuditTrail, seq: number, prevHash: string): AuditProblem | null {
  if (row.seq !== seq) return 'row missing';
  const isSealed = row.prevHash === prevHash && row.hash === hashAuditRow(row, seq, prevHash);
  return isSealed ? null : 'row changed';
}

function findProblem(
  chain: ChainResult,
  state: CheckpointState,
): Pick<AuditVerification, 'problem' | 'firstBadSeq'> {
  if (chain.problem) return { problem: chain.problem, firstBadSeq: chain.firstBadSeq };
  if (state.state === 'none') return { problem: null, firstBadSeq: null };
  if (state.state === 'invalid') return { problem: 'checkpoint invalid', firstBadSeq: null };
  if (chain.rows < state.checkpoint.seq) {
    return { problem: 'end missing', firstBadSeq: chain.rows + 1 };
  }
  const isSame = chain.hashAtCheckpoint === state.checkpoint.hash;
  return { problem: isSame ? null : 'chain replaced', firstBadSeq: null };
}
