import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { Connection } from '../../../src/models/connection.ts';
import { User } from '../../../src/models/user.ts';
import { locateTarget } from '../../../src/services/connection-locations.ts';
import { ensureEmbeddedConnection } from '../../../src/services/embedded-connection.ts';
import { ensureFirstAdmin } from '../../../src/services/first-admin.ts';
import { buildUser, startTestApi, type TestApi } from '../../helpers/api.ts';

const GIVEN = { adminEmail: 'Boss@Example.com', adminPassword: 'a password as given' };
const NOTHING = { adminEmail: undefined, adminPassword: undefined };

describe('at the start of a hub', () => {
  let api: TestApi;

  beforeEach(async () => {
    api = await startTestApi();
  });

  afterEach(async () => {
    await api.close();
  });

  describe('ensureFirstAdmin', () => {
    const inProduction = () => ({
      ...api.hub,
      settings: { ...api.hub.settings, nodeEnv: 'production' as const },
    });

    it('makes the admin that the environment names, and tells nobody the password', async () => {
      const admin = await ensureFirstAdmin(inProduction(), GIVEN);

      expect(admin).toEqual({ email: GIVEN.adminEmail, username: 'admin', madeUpPassword: null });
      const response = await api.client
        .post('/api/v1/auth/login')
        .send({ credential: 'boss@example.com', password: GIVEN.adminPassword });
      expect(response.body).toMatchObject({ user: { role: 'admin' } });
      expect(await AuditTrail.count({ where: { action: 'user.create' } })).toBe(1);
    });

    it('makes up what is missing in development, once', async () => {
      const first = await ensureFirstAdmin(api.hub, NOTHING);
      const second = await ensureFirstAdmin(api.hub, NOTHING);

      expect(first?.madeUpPassword).toHaveLength(20);
      expect(second).toBeNull();
      expect(api.logLines.join('')).not.toContain(first?.madeUpPassword);
    });

    it('makes nobody in production where something is missing, and says so', async () => {
      expect(
        await ensureFirstAdmin(inProduction(), { ...GIVEN, adminPassword: undefined }),
      ).toBeNull();
      expect(await User.count()).toBe(0);
      expect(api.logLines.join('')).toContain('set ADMIN_EMAIL and ADMIN_PASSWORD');
    });

    it('makes one admin when several processes start at once', async () => {
      const admins = await Promise.all(
        Array.from({ length: 6 }, () => ensureFirstAdmin(api.hub, GIVEN)),
      );

      expect(admins.filter((admin) => admin !== null)).toHaveLength(1);
      expect(await User.count()).toBe(1);
    });

    it('leaves a hub alone that has an admin under another name', async () => {
      await buildUser(api, 'admin');

      expect(await ensureFirstAdmin(api.hub, GIVEN)).toBeNull();
    });
  });

  describe('ensureEmbeddedConnection', () => {
    const server = (change: object = {}) => ({
      host: '127.0.0.1',
      port: 50_001,
      user: 'hub',
      password: 'made at the first start',
      targetDatabase: 'target',
      ...change,
    });
    const find = () => Connection.findOne({ where: { name: 'embedded' }, rejectOnEmpty: true });

    it('makes the connection, and moves it when the server has another port', async () => {
      await ensureEmbeddedConnection(api.hub, server());
      const { id } = await find();
      await ensureEmbeddedConnection(api.hub, server());
      expect((await find()).version).toBe(1);

      const moved = server({ port: 50_002 });
      await ensureEmbeddedConnection(api.hub, moved);

      const connection = await find();
      expect(connection).toMatchObject({ id, version: 2, options: { port: 50_002 } });
      const settings = { ...api.hub.settings, embeddedServer: moved };
      expect(await locateTarget({ settings }, connection)).toMatchObject({
        host: '127.0.0.1',
        port: 50_002,
        database: 'target',
        password: 'made at the first start',
      });
    });

    it.each([
      [{}],
      [{ host: 'LOCALHOST', password: 'x' }],
      [{ host: 'localhost.', password: 'x' }],
      [{ host: '[127.0.0.1]', password: 'x' }],
      [{ host: '::ffff:127.0.0.1', password: 'x' }],
    ])('does not lead to the hub’s own database beside the target, with %j', async (other) => {
      const embeddedServer = server();
      await ensureEmbeddedConnection(api.hub, embeddedServer);
      Object.assign(api.hub.settings, { embeddedServer });
      const operator = await buildUser(api, 'operator');
      const { id } = await find();

      const response = await api.client
        .patch(`/api/v1/connections/${id}`)
        .set(operator.headers)
        .set('If-Match', '*')
        .send({ options: { database: 'hub', ...other } });

      expect(response.status).toBe(400);
      expect(response.body).toEqual({ error: 'Host is not allowed', field: 'options.database' });
    });

    it('leaves a connection alone that a user has made under its name', async () => {
      const { user } = await buildUser(api, 'operator');
      const options = { path: 'a.db' };
      await Connection.create({ name: 'embedded', kind: 'sqlite', options, createdBy: user.id });

      await ensureEmbeddedConnection(api.hub, server());

      expect(await find()).toMatchObject({ kind: 'sqlite', version: 1 });
    });
  });
});
