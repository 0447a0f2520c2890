import net from 'node:net';

import supertest from 'supertest';

import { createApp } from '../../../app.ts';
import { createSequelize } from '../../../src/config/database.ts';
import { initModels } from '../../../src/models/models.ts';
import { buildUser, startTestApi, TEST_PASSWORD, type TestApi } from '../../helpers/api.ts';

/** Stands between the hub and its database, and can be cut. */
class Wire {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #isCut = false;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Wire> {
    const server = net.createServer();
    const wire = new Wire(server);
    server.on('connection', (socket) => wire.#connect(socket, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #connect(socket: net.Socket, port: number): void {
    if (this.#isCut) {
      socket.destroy();
      return;
    }
    const upstream = net.connect(port, '127.0.0.1');
    for (const end of [socket, upstream]) {
      this.#sockets.add(end);
      end.on('error', () => undefined).on('close', () => this.#sockets.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
  }
}

describe('without its database', () => {
  let api: TestApi;
  let wire: Wire;
  let client: ReturnType<typeof supertest>;
  let close: () => Promise<void>;

  beforeAll(async () => {
    api = await startTestApi();
    const url = new URL(api.database.url);
    wire = await Wire.to(Number(url.port));
    url.port = String(wire.port);
    const sequelize = createSequelize({ url: url.href, schema: 'hub' });
    initModels(sequelize);
    client = supertest(createApp({ hub: { ...api.hub, sequelize } }));
    close = () => sequelize.close();
  });

  afterEach(() => {
    wire.mend();
  });

  afterAll(async () => {
    wire.close();
    await close();
    await api.close();
  });

  it('M1, C17: is alive and not ready, answers 503, and recovers by itself', async () => {
    const user = await buildUser({ ...api, client });
    const credentials = { credential: user.user.email, password: TEST_PASSWORD };
    const ask = async () => [
      (await client.get('/livez')).status,
      (await client.get('/readyz')).status,
      (await client.get('/api/v1/connections').set(user.headers)).status,
      (await client.post('/api/v1/auth/login').send(credentials)).status,
    ];
    expect(await ask()).toEqual([200, 200, 200, 200]);

    wire.cut();
    expect(await ask()).toEqual([200, 503, 503, 503]);
    const response = await client.get('/api/v1/connections').set(user.headers);
    wire.mend();

    expect(response.body).toEqual({ error: 'Service unavailable' });
    expect(response.headers['x-error-code']).toBe('SERVICE_UNAVAILABLE');
    expect(response.headers['retry-after']).toBeDefined();
    expect(await ask()).toEqual([200, 200, 200, 200]);
  });

  it('M2: answers 503 when it is lost in the middle of a query', async () => {
    const user = await buildUser({ ...api, client });
    const blocker = await api.sequelize.transaction();
    await api.sequelize.query('LOCK TABLE hub.connections IN ACCESS EXCLUSIVE MODE', {
      transaction: blocker,
    });

    const pending = client
      .get('/api/v1/connections')
      .set(user.headers)
      .then(({ status, headers }) => ({ status, retryAfter: headers['retry-after'] }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    wire.cut();
    const { status, retryAfter } = await pending;
    wire.mend();
    await blocker.rollback();

    expect(status).toBe(503);
    expect(retryAfter).toBeDefined();
    await client.get('/api/v1/connections').set(user.headers).expect(200);
  });

  it('K3: logs no password of the database', () => {
    const password = new URL(api.database.url).password;

    expect(password.length).toBeGreaterThan(8);
    expect(api.logLines.join('')).not.toContain(password);
  });
});
