import { UniqueConstraintError } from 'sequelize';

import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { MigrationJob } from '../../../src/models/migration-job.ts';
import { MigrationTable } from '../../../src/models/migration-table.ts';
import { RefreshToken } from '../../../src/models/refresh-token.ts';
import { Session } from '../../../src/models/session.ts';
import { User } from '../../../src/models/user.ts';
import { buildJob, openHubDatabase, type HubDatabase } from './hub-database.ts';

let database: HubDatabase;
let built = 0;

beforeAll(async () => {
  database = await openHubDatabase();
});

afterAll(async () => {
  await database.close();
});

async function buildUser(values: Partial<User> = {}): Promise<User> {
  built += 1;
  return User.create({
    email: `User${String(built)}@Example.org`,
    username: `User${String(built)}`,
    passwordHash: 'the hash',
    role: 'viewer',
    ...values,
  });
}

describe('User', () => {
  it('has no password hash in the default scope and as current user', async () => {
    const { id } = await buildUser();

    const byDefault = await User.findByPk(id, { rejectOnEmpty: true });
    const [listed] = await User.findAll({ where: { id } });
    const current = await User.scope('currentUser').findByPk(id, { rejectOnEmpty: true });

    for (const user of [byDefault, listed, current]) {
      expect(user?.passwordHash).toBeUndefined();
      expect(Object.keys(user?.get() ?? {})).not.toContain('passwordHash');
    }
  });

  it('has no password hash where it comes with a session', async () => {
    const user = await buildUser();
    const later = new Date(Date.now() + 60_000);
    const session = await Session.create({
      userId: user.id,
      kind: 'bearer',
      expiresAt: later,
      absoluteExpiresAt: later,
    });

    const found = await Session.findByPk(session.id, { include: 'user', rejectOnEmpty: true });

    expect(found.user?.email).toBe(user.email);
    expect(found.user?.passwordHash).toBeUndefined();
  });

  it('never shows the hash in JSON, not even just created or at login', async () => {
    const created = await buildUser();
    const atLogin = await User.findForLogin(created.email);

    expect(JSON.stringify([created, atLogin])).not.toContain('the hash');
    expect(atLogin?.passwordHash).toBe('the hash');
  });

  it('is found for login by email or user name in any case, also when disabled', async () => {
    const { id, email, username } = await buildUser({ disabledAt: new Date() });

    expect((await User.findForLogin(email.toUpperCase()))?.id).toBe(id);
    expect((await User.findForLogin(username.toUpperCase()))?.id).toBe(id);
    expect(await User.scope('currentUser').findByPk(id)).toBeNull();
  });

  it('is one for all spellings of an email', async () => {
    const { email } = await buildUser();

    const again = buildUser({ email: email.toUpperCase() });

    await expect(again).rejects.toBeInstanceOf(UniqueConstraintError);
    await expect(again).rejects.toMatchObject({ original: { constraint: 'users_email_key' } });
  });

  it('cannot be called like an email', async () => {
    await expect(buildUser({ username: 'someone@example.org' })).rejects.toMatchObject({
      original: { constraint: 'users_username_check' },
    });
  });
});

describe('RefreshToken', () => {
  it('is found by the bytes of its hash and goes with its user', async () => {
    const user = await buildUser();
    const later = new Date(Date.now() + 60_000);
    const session = await Session.create({
      userId: user.id,
      kind: 'cookie',
      expiresAt: later,
      absoluteExpiresAt: later,
    });
    const tokenHash = Buffer.from('00ff5c8a', 'hex');
    const parent = await RefreshToken.create({
      sessionId: session.id,
      tokenHash,
      expiresAt: later,
    });
    await RefreshToken.create({
      sessionId: session.id,
      tokenHash: Buffer.from('01', 'hex'),
      parentId: parent.id,
      expiresAt: later,
    });

    const found = await RefreshToken.findOne({ where: { tokenHash }, rejectOnEmpty: true });
    await user.destroy();

    expect(found.tokenHash).toEqual(tokenHash);
    expect(session.isUsable(new Date())).toBe(true);
    expect(session.isUsable(later)).toBe(false);
    expect(await RefreshToken.count({ where: { sessionId: session.id } })).toBe(0);
  });
});

describe('MigrationJob', () => {
  it('leaves assessment and plan in the database unless it is asked for them', async () => {
    const job = await buildJob();
    await job.update({ assessment: { a: 1 }, plan: { p: 1 } });

    const byDefault = await MigrationJob.findByPk(job.id, { rejectOnEmpty: true });
    const assessed = await MigrationJob.scope('withAssessment').findByPk(job.id);
    const planned = await MigrationJob.scope('withPlan').findByPk(job.id);
    const whole = await MigrationJob.unscoped().findByPk(job.id);

    expect([byDefault.assessment, byDefault.plan]).toEqual([undefined, undefined]);
    expect([assessed?.assessment, assessed?.plan]).toEqual([{ a: 1 }, undefined]);
    expect([planned?.assessment, planned?.plan]).toEqual([undefined, { p: 1 }]);
    expect([whole?.assessment, whole?.plan]).toEqual([{ a: 1 }, { p: 1 }]);
  });

  it('keeps the connections that it uses', async () => {
    const job = await buildJob();
    const found = await MigrationJob.findByPk(job.id, { include: ['source', 'target'] });

    await expect(found?.source?.destroy()).rejects.toMatchObject({
      original: { constraint: 'migration_jobs_source_id_fkey' },
    });
  });

  it('refuses a status that is none', async () => {
    const job = await buildJob();

    await expect(job.update({ status: 'done' as never })).rejects.toMatchObject({
      original: { constraint: 'migration_jobs_status_check' },
    });
  });
});

describe('counters', () => {
  it('are numbers, also beyond 2^31 and fresh from the database', async () => {
    const job = await buildJob();
    const table = await MigrationTable.create({
      jobId: job.id,
      position: 1,
      sourceTable: 't',
      targetSchema: 'public',
      targetTable: 't',
      bytes: 9_007_199_254_740_991,
    });
    await table.increment({ rowsCopied: 3_000_000_000 });

    const found = await MigrationTable.findByPk(table.id, { rejectOnEmpty: true });

    expect(table.rowsRead).toBe(0);
    expect(found.bytes).toBe(9_007_199_254_740_991);
    expect(found.rowsCopied).toBe(3_000_000_000);
    expect(found.rowsVerified).toBe(0);
  });

  it('are null where they are not known yet', async () => {
    const row = await AuditTrail.create({ action: 'job.start', outcome: 'success' });

    const found = await AuditTrail.findByPk(row.id, { rejectOnEmpty: true });

    expect(found.seq).toBeNull();
    expect(found.isSealed()).toBe(false);
  });
});
