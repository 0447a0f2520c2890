import { randomBytes } from 'node:crypto';
import { UniqueConstraintError } from 'sequelize';

import type { Env } from '../config/env.ts';
import { inTransaction } from '../models/transaction.ts';
import { User } from '../models/user.ts';
import { recordAudit } from './audit.ts';
import { HUB_CONTEXT } from './audit-context.ts';
import type { Hub } from './hub.ts';

export interface FirstAdmin {
  readonly email: string;
  readonly username: string;
  /** Only where it was made up: the one moment to tell somebody. */
  readonly madeUpPassword: string | null;
}

const USERNAME = 'admin';
const DEVELOPMENT_EMAIL = 'admin@localhost';

/**
 * Makes an admin where there is none, from ADMIN_EMAIL and ADMIN_PASSWORD; outside production what is missing is made up.
 * Answers null when there was nothing to do, or nothing that may be done.
 */
export async function ensureFirstAdmin(
  hub: Hub,
  { adminEmail, adminPassword }: Pick<Env, 'adminEmail' | 'adminPassword'>,
): Promise<FirstAdmin | null> {
  if ((await User.count({ where: { role: 'admin' } })) > 0) return null;
  const isComplete = adminEmail !== undefined && adminPassword !== undefined;
  if (!isComplete && hub.settings.nodeEnv === 'production') {
    hub.log.warn('there is no admin: set ADMIN_EMAIL and ADMIN_PASSWORD, and start again');
    return null;
  }

  const email = adminEmail ?? DEVELOPMENT_EMAIL;
  const password = adminPassword ?? randomBytes(15).toString('base64url');
  const isCreated = await createAdmin(hub, email, password);
  if (!isCreated) return null;
  const madeUpPassword = adminPassword === undefined ? password : null;
  return { email, username: USERNAME, madeUpPassword };
}

/** False when another process that starts at the same moment was faster. */
async function createAdmin(hub: Hub, email: string, password: string): Promise<boolean> {
  const passwordHash = await hub.passwords.hash(password);
  try {
    await inTransaction(hub.sequelize, async (transaction) => {
      const user = await User.create(
        { email, username: USERNAME, passwordHash, role: 'admin' },
        { transaction },
      );
      await recordAudit(transaction, {
        context: HUB_CONTEXT,
        action: 'user.create',
        entity: { type: 'user', id: user.id },
        detail: { username: USERNAME, role: 'admin' },
      });
    });
    return true;
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
}
