import type { User } from '../models/user.ts';

/** A user as others see them. */
export function presentUser(user: User) {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    role: user.role,
    disabledAt: user.disabledAt?.toISOString() ?? null,
    createdAt: user.createdAt.toISOString(),
  };
}
