import type { User } from '../models/user.ts';

/** Who is named in the audit trail. */
export interface Actor {
  readonly id: string;
  readonly username: string;
}

/** Who asks for something and from where: what the audit trail keeps of it. */
export interface AuditContext {
  /** null = nobody known yet, or the hub itself. */
  readonly actor: Actor | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** The hub itself, for what it does without being asked. */
export const HUB_CONTEXT: AuditContext = {
  actor: null,
  ip: null,
  userAgent: null,
  requestId: null,
};

export function actorOf(user: User): Actor {
  return { id: user.id, username: user.username };
}
