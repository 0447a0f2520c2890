import { randomBytes } from 'node:crypto';

import bcrypt from 'bcryptjs';
import { QueryTypes, type QueryInterface } from 'sequelize';
import { v7 as uuidv7 } from 'uuid';

import { quotedSchemaOf } from '../models/hub-schema.ts';
import { USER_ROLES, type UserRole } from '../models/vocabulary.ts';

const BCRYPT_COST = 12;
const MIN_PASSWORD_LENGTH = 12;
/** bcrypt ignores what comes after. */
const MAX_PASSWORD_BYTES = 72;

/**
 * Makes the users viewer, operator and admin where they are missing; a user who is there keeps the password.
 * The password is `DEMO_PASSWORD`, or a random one each that is printed now and never again.
 * @throws Error in production, where known names would invite guessing.
 */
export async function up({ sequelize }: QueryInterface): Promise<void> {
  refuseInProduction();
  const given = demoPassword();
  for (const role of USER_ROLES) {
    const password = given ?? randomBytes(15).toString('base64url');
    const passwordHash = await bcrypt.hash(password, BCRYPT_COST);
    const created = await sequelize.query(
      `INSERT INTO ${quotedSchemaOf(sequelize)}.users (id, email, username, password_hash, role)
       VALUES ($id, $email, $username, $passwordHash, $role)
       ON CONFLICT DO NOTHING
       RETURNING id`,
      {
        bind: { id: uuidv7(), email: emailOf(role), username: role, passwordHash, role },
        type: QueryTypes.SELECT,
        logging: false,
      },
    );
    process.stdout.write(
      describe(role, created.length > 0, given ? 'as given in DEMO_PASSWORD' : password),
    );
  }
}

export async function down({ sequelize }: QueryInterface): Promise<void> {
  refuseInProduction();
  await sequelize.query(`DELETE FROM ${quotedSchemaOf(sequelize)}.users WHERE email IN (:emails)`, {
    replacements: { emails: USER_ROLES.map(emailOf) },
  });
}

function refuseInProduction(): void {
  if (process.env.NODE_ENV === 'production') throw new Error('Demo users are not for production');
}

function demoPassword(): string | undefined {
  const password = process.env.DEMO_PASSWORD;
  if (!password) return undefined;
  if (password.length < MIN_PASSWORD_LENGTH || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new Error(
      `DEMO_PASSWORD must have at least ${String(MIN_PASSWORD_LENGTH)} characters and at most ${String(MAX_PASSWORD_BYTES)} bytes`,
    );
  }
  return password;
}

function emailOf(role: UserRole): string {
  return `${role}@demo.example`;
}

function describe(role: UserRole, created: boolean, password: string): string {
  return created
    ? `demo user ${role}: password ${password}\n`
    : `demo user ${role} exists already\n`;
}
