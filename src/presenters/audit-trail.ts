import type { AuditTrail } from '../models/audit-trail.ts';
import type { AuditVerification } from '../services/audit-verify.ts';

/** Everything that goes into the hash of a row, and the hash: whoever has an export can follow the chain alone. */
export function presentAuditEntry(row: AuditTrail) {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actorId: row.actorId,
    actor: row.actor,
    action: row.action,
    entityType: row.entityType,
    entityId: row.entityId,
    outcome: row.outcome,
    ip: row.ip,
    userAgent: row.userAgent,
    requestId: row.requestId,
    detail: row.detail,
    seq: row.seq,
    prevHash: row.prevHash,
    hash: row.hash,
  };
}

export function presentVerification(verification: AuditVerification) {
  return {
    ok: verification.problem === null,
    rows: verification.rows,
    unsealedRows: verification.unsealedRows,
    problem: verification.problem,
    firstBadSeq: verification.firstBadSeq,
    checkpoint: verification.checkpoint && {
      seq: verification.checkpoint.seq,
      at: verification.checkpoint.at,
    },
  };
}
