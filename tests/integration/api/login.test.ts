import jwt from 'jsonwebtoken';

import { Session } from '../../../src/models/session.ts';
import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { buildUser, startTestApi, TEST_PASSWORD, type TestApi } from '../../helpers/api.ts';

describe('POST /api/v1/auth/login', () => {
  let api: TestApi;
  const login = (body: object) => api.client.post('/api/v1/auth/login').send(body);

  beforeAll(async () => {
    api = await startTestApi();
  });

  afterAll(async () => {
    await api.close();
  });

  it('A25: gives a token for 15 minutes that says nothing but who it is for', async () => {
    const { user } = await buildUser(api, 'admin');

    const response = await login({ credential: user.email, password: TEST_PASSWORD });

    expect(response.status).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    const body = response.body as Record<string, string>;
    expect(response.body).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      user: { id: user.id },
    });
    const claims = jwt.decode(body.accessToken ?? '') as Record<string, number>;
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
    expect(Math.abs((claims.iat ?? 0) - Date.now() / 1000)).toBeLessThan(2);
  });

  it('takes the user name in any case as well as the email', async () => {
    const { user } = await buildUser(api, 'viewer');

    const response = await login({
      credential: user.username.toUpperCase(),
      password: TEST_PASSWORD,
    });

    expect(response.status).toBe(200);
  });

  it('C1: answers a wrong password, an unknown and a disabled user alike', async () => {
    const known = await buildUser(api, 'viewer');
    const disabled = await buildUser(api, 'viewer');
    await disabled.user.update({ disabledAt: new Date() });

    const answers = await Promise.all([
      login({ credential: known.user.email, password: 'wrong password' }),
      login({ credential: 'nobody@example.com', password: TEST_PASSWORD }),
      login({ credential: disabled.user.email, password: TEST_PASSWORD }),
    ]);

    for (const { status, body, headers } of answers) {
      expect(status).toBe(401);
      expect(body).toEqual({ error: 'Invalid email or password' });
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(headers['x-error-code']).toBe('INVALID_CREDENTIALS');
      expect(Object.keys(headers)).toEqual(Object.keys(answers[0].headers));
      expect(headers['content-length']).toBe(answers[0].headers['content-length']);
    }
  });

  it('C3: refuses a password of 73 bytes rather than cutting it', async () => {
    const { user } = await buildUser(api);

    const inCharacters = await login({ credential: user.email, password: 'a'.repeat(73) });
    const inBytes = await login({ credential: user.email, password: 'é'.repeat(37) });

    for (const { status, body } of [inCharacters, inBytes]) {
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: 'Password must be at most 72 bytes', field: 'password' });
    }
  });

  it('C5: refuses a password of a megabyte without hashing it', async () => {
    const start = performance.now();

    const response = await login({ credential: 'x', password: 'a'.repeat(1_000_000) });

    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ field: 'password' });
    expect(performance.now() - start).toBeLessThan(500);
  });

  it.each([[['a'.repeat(12)]], [{ a: 1 }], [12345678], [true], [null], [undefined], ['']])(
    'C7: refuses %j as a password',
    async (password) => {
      const response = await login({ credential: 'someone', password });

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'password' });
    },
  );

  it.each([[['a@x', 'b@x']], [{ $ne: null }], [{ toString: 1 }], [7]])(
    'C8: refuses %j as a credential',
    async (credential) => {
      const response = await login({ credential, password: TEST_PASSWORD });

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'credential' });
    },
  );

  it('C14: refuses fields that it does not know', async () => {
    const response = await login({
      credential: 'x',
      password: TEST_PASSWORD,
      role: 'admin',
    });

    expect(response.status).toBe(400);
    expect(response.body).toEqual({
      error: 'Unknown field(s)',
      field: 'role',
      errors: [{ error: 'Unknown field(s)', field: 'role' }],
    });
  });

  it('lists every failing field', async () => {
    const response = await login({ credential: 1, password: 2 });

    expect(response.body).toEqual({
      error: 'Must be text',
      field: 'credential',
      errors: [
        { error: 'Must be text', field: 'credential' },
        { error: 'Must be text', field: 'password' },
      ],
    });
  });

  it('L1: writes one audit row for each attempt, with where it came from', async () => {
    const { user } = await buildUser(api);
    const requestId = '6c9a1b5e-33c1-4a54-8c0e-2f2f1f7c9a01';

    await api.client
      .post('/api/v1/auth/login')
      .set('X-Request-Id', requestId)
      .set('User-Agent', 'test\tagent')
      .send({ credential: user.email, password: 'not the password' })
      .expect(401);

    const rows = await AuditTrail.findAll({ where: { requestId } });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      action: 'auth.login',
      outcome: 'failure',
      entityType: 'user',
      entityId: user.id,
      userAgent: 'test\tagent',
      detail: { reason: 'wrong password' },
    });
    expect(rows[0]?.ip).toMatch(/127\.0\.0\.1/);
  });

  it('L3: does not log anybody in when that cannot be written down', async () => {
    const { user } = await buildUser(api);
    await api.sequelize.query('ALTER TABLE hub.audit_trail RENAME TO hidden');

    const response = await login({ credential: user.email, password: TEST_PASSWORD });

    await api.sequelize.query('ALTER TABLE hub.hidden RENAME TO audit_trail');
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']).toBeDefined();
    expect(await Session.count({ where: { userId: user.id } })).toBe(1);
  });
});
