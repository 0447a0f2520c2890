import http, { type RequestListener, type Server } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { createHttpServer, drain, listen } from '../../../src/middlewares/http-server.ts';

interface Started {
  readonly server: Server;
  readonly port: number;
}

describe('the HTTP server', () => {
  const running: Server[] = [];
  let isDraining = false;

  const start = async (app: RequestListener): Promise<Started> => {
    const server = createHttpServer(app, { isDraining: () => isDraining, bodyTimeoutMs: 300 });
    running.push(server);
    return { server, port: await listen(server, { host: '127.0.0.1', port: 0 }) };
  };
  const ok: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('ok'));
  };
  /** Sends this text and gives everything that comes back until the connection ends. */
  const send = async (port: number, text: string) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(text);
    await new Promise((resolve) => socket.once('close', resolve));
    return answer;
  };

  afterEach(() => {
    isDraining = false;
    for (const server of running.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['GET / HTTP/1.1\r\nHost: x\r\nA: a\0b\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ])('I13, I14: answers what is no HTTP in JSON, and hangs up (%#)', async (text, status) => {
    const { port } = await start(ok);

    const answer = await send(port, text);

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    if (text.startsWith('GET / HTTP/1.1\r\n\r\n')) return;
    expect(answer).toContain('Content-Type: application/json; charset=utf-8');
    expect(answer).toContain('X-Request-Id: ');
    const [, body = ''] = answer.split('\r\n\r\n');
    expect(Object.keys(JSON.parse(body) as object)).toEqual(['error']);
  });

  it.each(['Content-Type: application/json', 'Content-Type: multipart/form-data; boundary=x'])(
    'I15: cuts off a body that comes byte by byte (%s)',
    async (type) => {
      const { port } = await start(ok);
      const socket = net.connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write('a'), 20);

      await closed;
      clearInterval(drip);

      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(answer).toContain('{"error":"Request timeout"}');
    },
  );

  it('lets an upload take its time as long as it makes progress', async () => {
    const { port } = await start(ok);
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    const total = 30 * 500;
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${String(total)}\r\n\r\n`,
    );

    for (let chunk = 0; chunk < 30; chunk += 1) {
      socket.write('a'.repeat(500));
      await sleep(30);
    }
    await sleep(100);
    socket.destroy();

    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it('M6: finishes what is running, refuses what is new, and ends', async () => {
    const { server, port } = await start((_request, response) => {
      setTimeout(() => response.end('slow'), 400);
    });
    const agent = new http.Agent({ keepAlive: true });
    const slow = new Promise<string>((resolve, reject) => {
      http
        .get({ port, agent }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text));
        })
        .on('error', reject);
    });
    await sleep(100);

    isDraining = true;
    const start_ = performance.now();
    const draining = drain(server, 10);
    await expect(fetch(`http://127.0.0.1:${String(port)}/`)).rejects.toThrow();

    expect(await slow).toBe('slow');
    await draining;
    expect(performance.now() - start_).toBeLessThan(2_000);
    agent.destroy();
  });

  it('M6: cuts off what does not end in time', async () => {
    const { server, port } = await start((_request, response) => {
      response.write('never ends');
    });
    const answer = fetch(`http://127.0.0.1:${String(port)}/`).then((response) => response.text());
    answer.catch(() => undefined);
    await sleep(100);

    await drain(server, 0.3);

    await expect(answer).rejects.toThrow();
  });
});
