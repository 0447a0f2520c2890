import { createHash } from 'node:crypto';

import { canonicalJson } from '../engine/canonical-json.ts';
import type { AuditTrail } from '../models/audit-trail.ts';

/** What comes before the first row. */
export const CHAIN_START = '0'.repeat(64);

/** `SHA-256(prevHash ‖ canonical JSON of the row with its seq)`, 64 hex digits. Every column but the hashes themselves goes in. */
export function hashAuditRow(row: AuditTrail, seq: number, prevHash: string): string {
  const content = canonicalJson({
    seq,
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
  });
  return createHash('sha256').update(prevHash).update(content).digest('hex');
}
