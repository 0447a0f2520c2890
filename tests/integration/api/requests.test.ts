import { gzipSync } from 'node:zlib';

import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { Connection } from '../../../src/models/connection.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const CONNECTIONS = '/api/v1/connections';
const LOGIN = '/api/v1/auth/login';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a request', () => {
  let api: TestApi;
  let operator: TestUser;

  const get = (path: string) => api.client.get(path).set(operator.headers);
  const post = (body: unknown) =>
    api.client
      .post(CONNECTIONS)
      .set(operator.headers)
      .send(body as object);
  const postText = (text: string | Buffer, type = 'application/json') =>
    api.client
      .post(CONNECTIONS)
      .set(operator.headers)
      .set('Content-Type', type)
      .serialize((body: unknown) => body as string)
      .send(text as unknown as string);
  const body = (change: object = {}) => ({
    name: 'a source',
    kind: 'sqlite',
    options: { path: 'a.db' },
    ...change,
  });

  beforeAll(async () => {
    api = await startTestApi();
    operator = await buildUser(api, 'operator');
  });

  afterEach(async () => {
    // Whatever was sent: nothing was written, and the hub still answers.
    expect(await Connection.count()).toBe(0);
    expect((await api.client.get('/readyz')).status).toBe(200);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  afterAll(async () => {
    await api.close();
  });

  describe('with a body', () => {
    it('G1: is refused when it is no JSON, and not echoed', async () => {
      const response = await postText('{"name": "canary');

      expect(response.status).toBe(400);
      expect(response.body).toEqual({ error: 'Malformed JSON' });
      expect(response.text).not.toContain('canary');
    });

    it.each([
      ['name', body({ name: 'a\0b' })],
      ['options.path', body({ options: { path: 'a\0b' } })],
      ['name', body({ name: 'a\ud800b' })],
      ['options.path', body({ options: { path: '\udfff' } })],
      ['tags[1]', body({ tags: ['ok', 'a\0b'] })],
    ])(
      'G2, G3: is refused with the field %s when it holds what no column can',
      async (field, sent) => {
        const response = await postText(JSON.stringify(sent));

        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ field });
      },
    );

    it('G2: is refused when a name in it holds a NUL', async () => {
      const response = await postText('{"a\\u0000b": 1}');

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'ab' });
    });

    it.each([
      [Buffer.from([0x22, 0xc3, 0x28, 0x22])],
      [Buffer.from([0x22, 0xc0, 0x80, 0x22])],
      [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ])('G3: is refused when it is no UTF-8 (%#)', async (text) => {
      const sent = Buffer.concat([Buffer.from('{"name": '), text, Buffer.from('}')]);

      expect((await postText(sent)).status).toBe(400);
    });

    it.each([
      '{"__proto__": {"polluted": true}}',
      '{"constructor": {"prototype": {"polluted": true}}}',
      '{"name": "x", "options": {"a": {"__proto__": {"polluted": true}}}}',
      '{"options": [{"a": {"constructor": {"prototype": {"polluted": true}}}}]}',
    ])('G4: is refused when it reaches for a prototype: %s', async (text) => {
      expect((await postText(text)).status).toBe(400);
    });

    it.each([
      ['5,000 lists deep', '['.repeat(5_000) + ']'.repeat(5_000)],
      ['50,000 lists deep', `{"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
      ['50,000 objects deep', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
      [
        'of 100,000 names',
        JSON.stringify(
          Object.fromEntries(Array.from({ length: 1e5 }, (_v, i) => [`k${String(i)}`, 1])),
        ),
      ],
    ])('G5: is refused fast when it is %s', async (_name, text) => {
      const start = performance.now();

      const response = await postText(text);

      expect([400, 413]).toContain(response.status);
      expect(performance.now() - start).toBeLessThan(1_000);
    });

    it('G6: is refused when it is too large, however it comes', async () => {
      const large = JSON.stringify({ name: 'a'.repeat(10_000_000) });

      const plain = await postText(large);
      const zipped = await postText(gzipSync(Buffer.alloc(50_000_000, ' '))).set(
        'Content-Encoding',
        'gzip',
      );

      for (const response of [plain, zipped]) {
        expect(response.status).toBe(413);
        expect(response.body).toEqual({ error: 'Payload too large' });
      }
    });

    it.each([
      'text/plain',
      'application/xml',
      'application/json; charset=utf-16',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/problem+json',
      'application/jsonx',
      'application/json; charset=utf-8; charset=utf-16',
    ])('G7, D9: is refused as %s', async (type) => {
      const response = await postText(JSON.stringify(body()), type);

      expect(response.status).toBe(415);
      expect(response.body).toEqual({ error: 'Unsupported media type' });
    });

    it('G7: is refused without a type, and in an unknown encoding', async () => {
      const untyped = await postText('{}', '');
      const encoded = await postText('{}').set('Content-Encoding', 'zip');

      expect([untyped.status, encoded.status]).toEqual([415, 415]);
    });

    it.each([
      'application/json;charset=UTF-8',
      'Application/JSON',
      'application/json; charset="utf-8"',
    ])('G8: is read as %s', async (type) => {
      const response = await postText('{}', type);

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'kind' });
    });

    it('G9: is answered in JSON whatever the client would like', async () => {
      const response = await post({}).set('Accept', 'application/xml');

      expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it.each([
      '1e400',
      '-0.5',
      '1.5',
      '9007199254740993',
      '2147483648',
      '"010"',
      '"5e0"',
      'true',
      '0',
      '-1',
    ])('G10: is refused with %s as a port', async (port) => {
      const response = await postText(
        `{"name":"x","kind":"postgres","options":{"host":"h","port":${port},"database":"d","user":"u","password":"p"}}`,
      );

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'options.port' });
    });

    it.each(['[]', '[{}]', '"text"', '7', 'null', 'true', ''])(
      'G13: is refused as %s',
      async (text) => {
        const response = await postText(text);

        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ error: expect.any(String) as string });
      },
    );

    it('G14: is refused when a name has a dot where the client could mean a path', async () => {
      const response = await post({ ...body(), 'options.path': 'b.db' });

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'options.path' });
    });
  });

  describe('with a query', () => {
    it.each([
      '0',
      '-1',
      '101',
      '1e9',
      'abc',
      '1;select',
      'NaN',
      '',
      '010',
      '1.0',
      ' 1',
      '+1',
      '0x10',
    ])('H1: is refused with the limit %j', async (limit) => {
      const response = await get(`${CONNECTIONS}?limit=${encodeURIComponent(limit)}`);

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'limit' });
    });

    it.each(['limit=1&limit=2', 'limit[]=1', 'limit[x]=1', 'limit=1&limit[]=2'])(
      'G15: is refused with %s',
      async (query) => {
        const response = await get(`${CONNECTIONS}?${query}`);

        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ field: 'limit' });
      },
    );

    it.each([
      'sort=password',
      'offset=1',
      'userId=1',
      '__proto__=1',
      'constructor=1',
      'access_token=x',
    ])('F2, H3: is refused with %s, which no list knows', async (query) => {
      const response = await get(`${CONNECTIONS}?${query}`);

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: query.split('=')[0] });
    });

    it('G2: is refused with a NUL', async () => {
      const response = await get(`${CONNECTIONS}?cursor=a%00b`);

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'cursor' });
    });

    it.each(['%%%', 'bm90IGpzb24', '', 'W10', 'WzEsIngiXQ', 'a'.repeat(600)])(
      'H4: is refused with the forged cursor %j',
      async (cursor) => {
        const response = await get(`${CONNECTIONS}?cursor=${encodeURIComponent(cursor)}`);

        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ field: 'cursor' });
      },
    );

    it('G16: is judged fast however long it is', async () => {
      const start = performance.now();

      await get(`${CONNECTIONS}?limit=${'1'.repeat(7_000)}!`).expect(400);
      await post(body({ name: `${' '.repeat(50_000)}!` })).expect(400);
      await post({
        name: 'x',
        kind: 'postgres',
        options: {
          host: 'a'.repeat(50_000) + '!',
          port: 1,
          database: 'd',
          user: 'u',
          password: 'p',
        },
      }).expect(400);

      expect(performance.now() - start).toBeLessThan(500);
    });
  });

  describe('to a path', () => {
    it.each([
      [400, 'abc'],
      [400, '%00'],
      [400, '..%2f..%2fetc%2fpasswd'],
      [400, '%E0%A4%A'],
      [400, 'x'.repeat(10_000)],
      [400, '%0d%0aSet-Cookie:%20a=b'],
      [400, '0191A5B4-0000-7000-8000-000000000000'],
      [400, '0191a5b4-0000-7000-8000-000000000000%20'],
    ])('G17: is answered with %i for the id %s', async (status, id) => {
      const response = await get(`${CONNECTIONS}/${id}`);

      expect(response.status).toBe(status);
      expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it('I1: that is unknown is answered with 404 and not echoed', async () => {
      const response = await api.client.get('/api/v1/canary');

      expect(response.status).toBe(404);
      expect(response.body).toEqual({ error: 'Not found' });
      expect(response.headers['x-error-code']).toBe('UNKNOWN_ROUTE');
      expect(response.text).not.toContain('canary');
    });

    it.each([
      '/config',
      '/.env',
      '/.git/HEAD',
      '/debug',
      '/app.ts',
      '/api/v1/',
      '//api/v1/connections',
    ])('K9: %s is answered with 404', async (path) => {
      expect((await get(path)).status).toBe(404);
    });

    it('I2: says which methods it has', async () => {
      const login = await api.client.delete(LOGIN);
      const list = await api.client.put(CONNECTIONS);
      const one = await api.client.put(`${CONNECTIONS}/x`);
      const trace = await api.client.trace('/');

      for (const { status, body: error } of [login, list, one, trace]) {
        expect(status).toBe(405);
        expect(error).toEqual({ error: 'Method not allowed' });
      }
      expect(login.headers.allow).toBe('OPTIONS, POST');
      expect(list.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
      expect(one.headers.allow).toBe('DELETE, GET, HEAD, OPTIONS, PATCH');
    });

    it('D10: cannot change its method by a header', async () => {
      const { status } = await get(CONNECTIONS).set('X-HTTP-Method-Override', 'DELETE');

      expect(status).toBe(200);
    });

    it('I3: is answered to HEAD as to GET, without a body', async () => {
      const head = await api.client.head(CONNECTIONS).set(operator.headers);

      expect(head.status).toBe(200);
      expect(head.text).toBeUndefined();
      expect((await api.client.head(CONNECTIONS)).status).toBe(401);
    });

    it.each([
      '/API/V1/CONNECTIONS',
      '/api/v1/connections/',
      '/api/v1/./connections',
      '/api/v1/%63onnections',
    ])('F8: spelt %s is as protected, or not there', async (path) => {
      expect([401, 404]).toContain((await api.client.get(path)).status);
    });
  });

  describe('from another origin', () => {
    const preflight = (origin: string, path = LOGIN) =>
      api.client
        .options(path)
        .set('Origin', origin)
        .set('Access-Control-Request-Method', 'POST')
        .set('Access-Control-Request-Headers', 'authorization');

    it('I4: is allowed where the origin is listed', async () => {
      const response = await preflight('https://app.example');

      expect(response.status).toBe(204);
      expect(response.headers['access-control-allow-origin']).toBe('https://app.example');
      expect(response.headers['access-control-allow-headers']).toContain('Authorization');
      expect(response.headers['access-control-max-age']).toBe('600');
      expect(response.headers.vary).toContain('Origin');
      expect(response.headers.allow).toBe('OPTIONS, POST');
    });

    it.each([
      'https://evil.example',
      'null',
      'https://app.example.evil.com',
      'https://evil-app.example',
      'http://app.example',
      'HTTPS://APP.EXAMPLE',
      'https://app.example:8443',
    ])('I5: gets no permission as %s', async (origin) => {
      const before = await preflight(origin);
      const actual = await api.client.get('/livez').set('Origin', origin);

      for (const response of [before, actual]) {
        expect(response.headers['access-control-allow-origin']).toBeUndefined();
        expect(response.headers['access-control-allow-credentials']).toBeUndefined();
      }
    });

    it('I6: may read the headers that a client needs', async () => {
      const response = await api.client.get('/livez').set('Origin', 'https://app.example');

      const exposed = String(response.headers['access-control-expose-headers']).split(',');
      expect(exposed).toEqual(
        expect.arrayContaining([
          'ETag',
          'Link',
          'Location',
          'Retry-After',
          'RateLimit',
          'RateLimit-Policy',
          'X-Request-Id',
        ]),
      );
    });
  });

  describe('is answered', () => {
    it.each([
      ['GET', '/livez'],
      ['GET', '/nothing'],
      ['DELETE', '/livez'],
      ['GET', CONNECTIONS],
      ['OPTIONS', LOGIN],
    ])('I12: with the security headers (%s %s)', async (method, path) => {
      const response = await (method === 'GET'
        ? api.client.get(path)
        : method === 'DELETE'
          ? api.client.delete(path)
          : api.client.options(path));

      expect(response.headers['x-content-type-options']).toBe('nosniff');
      expect(response.headers['content-security-policy']).toBe(
        "default-src 'none';frame-ancestors 'none'",
      );
      expect(response.headers['strict-transport-security']).toMatch(/max-age=31536000; includeSub/);
      expect(response.headers['x-powered-by']).toBeUndefined();
      expect(response.headers.server).toBeUndefined();
    });

    it('I18: with its own id where that is a UUID, and a new one else', async () => {
      const good = '6c9a1b5e-33c1-4a54-8c0e-2f2f1f7c9a01';

      const kept = await api.client.get('/livez').set('X-Request-Id', good);
      const replaced = await Promise.all(
        ['x'.repeat(5_000), '"><script>', '', '1'].map((id) =>
          api.client.get('/livez').set('X-Request-Id', id),
        ),
      );

      expect(kept.headers['x-request-id']).toBe(good);
      for (const { headers } of replaced) expect(headers['x-request-id']).toMatch(UUID);
    });

    it('I10: without anything that the Host header says', async () => {
      const response = await get(`${CONNECTIONS}?limit=1`).set('Host', 'evil.example');

      expect(JSON.stringify([response.headers, response.body])).not.toContain('evil.example');
    });
  });

  it('K4, K5: is logged in one line, without its query string', async () => {
    await api.client
      .get('/livez?token=canary-in-a-url')
      .set('User-Agent', 'a"b{"level":"fatal"}')
      .expect(400);

    const lines = api.logLines.filter((line) => line.includes('/livez'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of api.logLines) {
      expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(line).not.toContain('canary-in-a-url');
    }
  });

  it('K6: that fails unexpectedly is answered without a word of why, and logged with it', async () => {
    await api.sequelize.query('ALTER TABLE hub.connections RENAME COLUMN name TO renamed');

    const response = await get(CONNECTIONS);

    await api.sequelize.query('ALTER TABLE hub.connections RENAME COLUMN renamed TO name');
    expect(response.status).toBe(500);
    expect(response.body).toEqual({ error: 'Internal server error' });
    expect(response.headers['x-error-code']).toBe('INTERNAL');
    const id = String(response.headers['x-request-id']);
    const line = api.logLines.find((text) => text.includes(id) && text.includes('stack'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 'error', requestId: id });
    expect(line).not.toContain('SELECT');
  });

  it('L1: that is refused for its scope is written down once', async () => {
    const viewer = await buildUser(api, 'viewer');

    const response = await api.client.get(CONNECTIONS).set(viewer.headers).expect(403);

    const requestId = String(response.headers['x-request-id']);
    const rows = await AuditTrail.findAll({ where: { requestId } });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      action: 'authorization.denied',
      outcome: 'denied',
      actorId: viewer.user.id,
      detail: { scope: 'connections:read' },
    });
  });
});
