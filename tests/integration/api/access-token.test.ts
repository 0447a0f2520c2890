import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';

import jwt from 'jsonwebtoken';

import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '../../../src/services/access-tokens.ts';
import { buildUser, logIn, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/auth/session';

describe('an access token', () => {
  let api: TestApi;
  let victim: TestUser;
  let secret: Buffer;

  const get = (authorization?: string) => {
    const request = api.client.get(PATH);
    return authorization === undefined ? request : request.set('Authorization', authorization);
  };
  const now = () => Math.floor(Date.now() / 1000);
  const claims = () => ({ ...(jwt.decode(victim.accessToken) as Record<string, unknown>) });
  const forge = (header: object, payload: unknown, key: Buffer | string = secret) => {
    const parts = [header, payload].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const signature = createHmac('sha256', key).update(parts.join('.')).digest('base64url');
    return `${parts.join('.')}.${signature}`;
  };
  const header = { alg: 'HS256', typ: 'at+jwt', kid: 'test' };
  const expectRefused = async (token: string) => {
    const response = await get(`Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: 'Invalid or expired token' });
    expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  };

  beforeAll(async () => {
    api = await startTestApi();
    victim = await buildUser(api, 'operator');
    secret = api.hub.settings.jwtSecrets[0]?.secret ?? Buffer.alloc(0);
  });

  afterAll(async () => {
    await api.close();
  });

  it('is accepted as it was given out, and so is one that is forged with the right key', async () => {
    const answers = [
      await get(`Bearer ${victim.accessToken}`),
      await get(`bearer ${victim.accessToken}`),
      await get(`Bearer ${forge(header, claims())}`),
    ];

    for (const response of answers) {
      expect(response.status).toBe(200);
      expect(response.headers['cache-control']).toBe('no-store');
      expect(response.body).toMatchObject({ user: { id: victim.user.id } });
    }
  });

  it('A1: is required', async () => {
    const response = await get();

    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: 'Authentication required' });
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  it.each(['none', 'None', 'NONE', 'nOnE', 'HS384', 'HS512', 'RS256', 'ES256', 7, null])(
    'A2, A3, A5: is refused with the algorithm %j',
    async (alg) => {
      const token = forge({ ...header, alg }, claims());

      await expectRefused(token);
      await expectRefused(token.replace(/[^.]*$/, ''));
    },
  );

  it('A4: is refused when it is signed with a public key, or by it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

    await expectRefused(
      jwt.sign(claims(), privateKey, {
        algorithm: 'RS256',
        header: { ...header, alg: 'RS256' },
      }),
    );
    await expectRefused(forge(header, claims(), pem));
  });

  it.each([
    '../../../../dev/null',
    "' OR 1=1--",
    'k'.repeat(2_000),
    {},
    [],
    '__proto__',
    'constructor',
    'toString',
    '',
    null,
    undefined,
  ])('A6, A7: is refused with the key id %j', async (kid) => {
    await expectRefused(forge({ ...header, kid }, claims()));
    await expectRefused(forge({ ...header, kid }, claims(), ''));
  });

  it.each([
    { crit: ['foo'], foo: 1 },
    { b64: false },
    { jku: 'http://127.0.0.1/keys' },
    { x5u: 'http://127.0.0.1/x' },
    { jwk: { kty: 'oct', k: 'AA' } },
    { cty: 'JWT' },
    { typ: 'JWT' },
    { typ: 'rt+jwt' },
    { typ: undefined },
  ])('A8, A9, A15: is refused with %j in its header', async (change) => {
    await expectRefused(forge({ ...header, ...change }, claims()));
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['A10: expired a second ago', () => ({ iat: now() - 100, exp: now() - 1 })],
    ['A10: expires now', () => ({ iat: now() - 100, exp: now() })],
    ['A11: never expires', () => ({ exp: undefined })],
    ['A11: expires at a text', () => ({ exp: '9999999999' })],
    ['A11: expires in the next universe', () => ({ exp: 1e20 })],
    ['A11: lives longer than 15 minutes', () => ({ iat: now(), exp: now() + 901 })],
    ['A12: is not valid yet', () => ({ nbf: now() + 60 })],
    ['A12: was issued in the future', () => ({ iat: now() + 3600, exp: now() + 3700 })],
    ['A12: has no time of issue', () => ({ iat: undefined })],
    ['A13: is for somebody else', () => ({ aud: 'other' })],
    ['A13: is for nobody', () => ({ aud: undefined })],
    ['A13: is for several', () => ({ aud: ['other', TOKEN_AUDIENCE] })],
    ['A13: is for a list of one', () => ({ aud: [TOKEN_AUDIENCE] })],
    ['A14: is from somebody else', () => ({ iss: `${TOKEN_ISSUER}2` })],
    ['has no subject', () => ({ sub: undefined })],
    ['has a list of subjects', () => ({ sub: [randomUUID()] })],
    ['has a session that is no id', () => ({ sid: "' OR 1=1--" })],
    ['has another session', () => ({ sid: randomUUID() })],
    ['has no number', () => ({ jti: undefined })],
  ])('is refused when it %s', async (_name, change) => {
    await expectRefused(forge(header, { ...claims(), ...change() }));
  });

  it('is refused when it names another user for the session', async () => {
    const other = await buildUser(api, 'admin');

    await expectRefused(forge(header, { ...claims(), sub: other.user.id }));
  });

  it.each(['str', [], null, 7, true])('A16: is refused with the payload %j', async (payload) => {
    await expectRefused(forge(header, payload));
  });

  it('A17: is refused in any other spelling', async () => {
    const [head = '', body = '', signature = ''] = victim.accessToken.split('.');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1) ?? '');
    // 32 bytes leave two bits of the last character unused.
    const sameBytes = signature.slice(0, -1) + (alphabet[last ^ 1] ?? '');

    for (const token of [
      `${head}.${body}`,
      `${head}.${body}.${signature}.x`,
      `${head}.${body}.`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.${sameBytes}`,
      `${head}..${signature}`,
      `.${body}.${signature}`,
      `${head}.${body}.${signature.replace('_', '/').replace('-', '+')}!`,
      '...',
      'x',
    ]) {
      await expectRefused(token);
    }
  });

  it('A22: is refused in any other header', async () => {
    const statuses = [
      await get('Basic dXNlcjpwYXNzd29yZA=='),
      await get('Bearer'),
      await get('Bearer '),
      await get(`Bearer ${victim.accessToken} x`),
      await get(`Bearer${victim.accessToken}`),
      await get(victim.accessToken),
      await get(`Token ${victim.accessToken}`),
      await api.client
        .get(PATH)
        .set('Authorization', [
          `Bearer ${victim.accessToken}`,
          `Bearer ${victim.accessToken}`,
        ] as unknown as string),
    ].map(({ status }) => status);

    expect(new Set(statuses)).toEqual(new Set([401]));
  });

  it('A23: does not count in the URL', async () => {
    const response = await api.client.get(`${PATH}?access_token=${victim.accessToken}`);

    expect(response.status).toBe(401);
  });

  it('A18: is refused at once when its user is disabled or deleted', async () => {
    const disabled = await buildUser(api, 'viewer');
    const deleted = await buildUser(api, 'viewer');
    await disabled.user.update({ disabledAt: new Date() });
    await deleted.user.destroy();

    await expectRefused(disabled.accessToken);
    await expectRefused(deleted.accessToken);
  });

  it('A19: is refused after logout, and its refresh token as well', async () => {
    const user = await buildUser(api, 'viewer');

    const first = await api.client.post('/api/v1/auth/logout').set(user.headers);
    const second = await api.client.post('/api/v1/auth/logout').set(user.headers);

    expect(first.status).toBe(204);
    expect(second.status).toBe(401);
    await expectRefused(user.accessToken);
    const refresh = await api.client
      .post('/api/v1/auth/refresh')
      .send({ refreshToken: user.refreshToken });
    expect(refresh.status).toBe(401);
  });

  it('B10: logout is for one session only, and wants a token', async () => {
    const user = await buildUser(api, 'viewer');
    const elsewhere = await logIn(api, user.user.username);

    await api.client.post('/api/v1/auth/logout').expect(401);
    await api.client.post('/api/v1/auth/logout').set(user.headers).expect(204);

    await api.client.get(PATH).set(elsewhere.headers).expect(200);
  });

  it('A21: gives only what the role allows now', async () => {
    const user = await buildUser(api, 'admin');
    await api.client.get('/api/v1/audit-trail').set(user.headers).expect(200);

    await user.user.update({ role: 'viewer' });

    await api.client.get('/api/v1/audit-trail').set(user.headers).expect(403);
  });

  it('K8: is good as long as its key is configured, first or not', async () => {
    const { settings } = api.hub;
    const newer = { kid: 'newer', secret: Buffer.from(randomUUID()) };
    const before = [...settings.jwtSecrets];
    const change = (secrets: typeof before) => Object.assign(settings, { jwtSecrets: secrets });

    change([newer, ...before]);
    const rotated = await get(`Bearer ${victim.accessToken}`);
    const fresh = await logIn(api, victim.user.username);
    change([newer]);
    const removed = await get(`Bearer ${victim.accessToken}`);
    const kept = await get(`Bearer ${fresh.accessToken}`);
    change(before);

    expect([rotated.status, removed.status, kept.status]).toEqual([200, 401, 200]);
  });
});
