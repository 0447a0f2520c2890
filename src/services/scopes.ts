import type { UserRole } from '../models/vocabulary.ts';

/** Everything that a user may be allowed to do. Matched exactly: no prefixes, no wildcards. */
export const SCOPES = [
  'jobs:read',
  'jobs:write',
  'jobs:run',
  'connections:read',
  'connections:write',
  'audit:read',
  'users:write',
  'tokens:write',
] as const;
export type Scope = (typeof SCOPES)[number];

const SCOPES_OF_ROLE: Readonly<Record<UserRole, readonly Scope[]>> = {
  viewer: ['jobs:read'],
  operator: ['jobs:read', 'jobs:write', 'jobs:run', 'connections:read', 'connections:write'],
  admin: SCOPES,
};

export function scopesOfRole(role: UserRole): ReadonlySet<Scope> {
  return new Set(SCOPES_OF_ROLE[role]);
}
