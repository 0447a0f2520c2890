import bcrypt from 'bcryptjs';

export type PasswordTask =
  | { readonly kind: 'hash'; readonly password: string; readonly cost: number }
  | { readonly kind: 'verify'; readonly password: string; readonly hash: string };

/** Runs in a thread of the pool that `Passwords` keeps. */
export function runPasswordTask(task: PasswordTask): Promise<string | boolean> {
  if (task.kind === 'hash') return bcrypt.hash(task.password, task.cost);
  return bcrypt.compare(task.password, task.hash);
}
