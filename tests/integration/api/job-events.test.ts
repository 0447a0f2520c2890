import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import express, { type Request, type Response } from 'express';
import jwt from 'jsonwebtoken';
import { v7 as uuidv7 } from 'uuid';

import { EventStream } from '../../../src/controllers/event-stream.ts';
import { jobEventsController } from '../../../src/controllers/job-events.ts';
import { authenticate } from '../../../src/middlewares/authenticate.ts';
import { requestContext } from '../../../src/middlewares/request-context.ts';
import { Connection } from '../../../src/models/connection.ts';
import { MigrationJob } from '../../../src/models/migration-job.ts';
import { buildUser, startTestApi, type TestApi } from '../../helpers/api.ts';

describe('GET /migration-jobs/:id/events', () => {
  let api: TestApi;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    api = await startTestApi();
    const app = express().use(requestContext).use(authenticate(api.hub));
    const events = jobEventsController(() => false, { recheckMs: 100 });
    app.get('/:id', (request: Request<{ id: string }>, response: Response) =>
      events.stream(request as unknown as Request, response, { id: request.params.id }),
    );
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });

  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await api.close();
  });

  const createJob = async () => {
    const [source, target] = await Promise.all([
      Connection.create({ name: uuidv7(), kind: 'sqlite', options: { path: 'a.db' } }),
      Connection.create({ name: uuidv7(), kind: 'postgres', options: {} }),
    ]);
    return MigrationJob.create({ name: 'job', sourceId: source.id, targetId: target.id });
  };
  /** Reads until the hub ends the stream. */
  const follow = async (jobId: string, accessToken: string) => {
    const response = await fetch(`${url}/${jobId}`, {
      headers: { Authorization: `Bearer ${accessToken}` },
      signal: AbortSignal.timeout(10_000),
    });
    return response.text();
  };
  /** The same token with less time to live. */
  const shorten = (accessToken: string, seconds: number) => {
    const [key] = api.hub.settings.jwtSecrets;
    const payload = jwt.decode(accessToken, { json: true });
    const exp = Math.floor(Date.now() / 1000) + seconds;
    return jwt.sign({ ...payload, exp }, key?.secret ?? '', {
      header: { alg: 'HS256', typ: 'at+jwt', kid: key?.kid ?? '' },
    });
  };

  it('ends with `unauthorized` when the token expires', async () => {
    const [job, { accessToken }] = [await createJob(), await buildUser(api, 'viewer')];

    const text = await follow(job.id, shorten(accessToken, 2));

    expect(text).toContain('event: job\n');
    expect(text.trimEnd()).toMatch(/event: unauthorized\ndata: \{\}$/);
  });

  it('ends with `unauthorized` when the user is disabled', async () => {
    const [job, { user, accessToken }] = [await createJob(), await buildUser(api, 'viewer')];

    const following = follow(job.id, accessToken);
    await sleep(300);
    await user.update({ disabledAt: new Date() });

    expect((await following).trimEnd()).toMatch(/event: unauthorized\ndata: \{\}$/);
  });

  it('ends with `unauthorized` when the session is logged out', async () => {
    const [job, { headers, accessToken }] = [await createJob(), await buildUser(api, 'viewer')];

    const following = follow(job.id, accessToken);
    await sleep(300);
    await api.client.post('/api/v1/auth/logout').set(headers).send({}).expect(204);

    expect((await following).trimEnd()).toMatch(/event: unauthorized\ndata: \{\}$/);
  });

  it('keeps no stream for a client that had gone before it was made', async () => {
    const gone = createServer();
    const closed = new Promise<boolean>((resolve) => {
      gone.on('request', (request, response) => {
        request.socket.destroy();
        response.once('close', () => {
          resolve(new EventStream(response as unknown as Response).closed.aborted);
        });
      });
    });
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');

    await fetch(`http://127.0.0.1:${String((gone.address() as AddressInfo).port)}`).catch(() => 0);

    expect(await closed).toBe(true);
    gone.close();
  });
});
