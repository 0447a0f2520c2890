import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import supertest from 'supertest';

import { createApp } from '../../../app.ts';
import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { SourceFile } from '../../../src/models/source-file.ts';
import { removeOrphanedFiles } from '../../../src/services/source-files.ts';
import { uploadsFolder } from '../../../src/services/source-folder.ts';
import { removeLeftParts } from '../../../src/services/stored-file.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/source-files';
const LIMIT = 100_000;
const CONTENT = Buffer.from('SQLite format 3\0 and more');

interface SourceFileBody {
  readonly id: string;
  readonly name: string;
}

describe('/api/v1/source-files', () => {
  let api: TestApi;
  let operator: TestUser;

  const post = () => api.client.post(PATH).set(operator.headers);
  const upload = async (name = 'shop.db') => {
    const response = await post().attach('file', CONTENT, name).expect(201);
    return response.body as SourceFileBody;
  };
  const stored = async () => (await readdir(uploadsFolder(api.dataDir)).catch(() => [])).sort();

  beforeAll(async () => {
    api = await startTestApi({ settings: { uploadMaxBytes: LIMIT } });
    operator = await buildUser(api, 'operator');
  });

  afterAll(async () => {
    await api.close();
  });

  it('keeps a file as it was sent, and its digest', async () => {
    const response = await post().attach('file', CONTENT, 'shop.db');

    expect(response.status).toBe(201);
    const { id } = response.body as SourceFileBody;
    expect(response.body).toEqual({
      id,
      name: 'shop.db',
      size: CONTENT.length,
      sha256: createHash('sha256').update(CONTENT).digest('hex'),
      createdBy: operator.user.id,
      createdAt: expect.any(String) as string,
    });
    const row = await SourceFile.findByPk(id, { rejectOnEmpty: true });
    expect(row.path).toMatch(/^uploads\/[0-9a-f-]{36}$/);
    expect(await readFile(path.join(api.dataDir, row.path))).toEqual(CONTENT);
    expect(await AuditTrail.count({ where: { action: 'source_file.create', entityId: id } })).toBe(
      1,
    );
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\data\\shop.db', 'shop.db'],
    ['Über größe.db', 'Über größe.db'],
    ['🚚'.repeat(300), '🚚'.repeat(255)],
    ['..', 'upload'],
    ['\u009b31mred.db', '31mred.db'],
  ])('keeps the name %s as the label %s only', async (name, label) => {
    const before = await stored();

    const { name: kept } = await upload(name);

    expect(kept).toBe(label);
    const added = (await stored()).filter((file) => !before.includes(file));
    expect(added).toHaveLength(1);
    expect(added[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  describe('leaves nothing behind', () => {
    let before: string[];

    beforeEach(async () => {
      before = await stored();
    });

    afterEach(async () => {
      expect(await stored()).toEqual(before);
    });

    it('when the file is empty', async () => {
      const response = await post().attach('file', Buffer.alloc(0), 'empty.db');

      expect(response.status).toBe(400);
      expect(response.body).toEqual({ error: 'The file is empty', field: 'file' });
    });

    it('when the file is too large', async () => {
      const response = await post().attach('file', Buffer.alloc(LIMIT + 1), 'large.db');

      expect(response.status).toBe(413);
      expect(response.body).toEqual({ error: 'Payload too large', field: 'file' });
    });

    it('when the file is far too large', async () => {
      const response = await post().attach('file', Buffer.alloc(20_000_000), 'large.db');

      expect(response.status).toBe(413);
    });

    it('when there are two files', async () => {
      const response = await post().attach('file', CONTENT, 'a.db').attach('file', CONTENT, 'b.db');

      expect(response.status).toBe(400);
      expect(response.headers['x-error-code']).toBe('UPLOAD_MISSING');
      expect(response.body).toMatchObject({ field: 'file' });
    });

    it.each(['before', 'after'])('when there is a text field %s the file', async (place) => {
      const request = post();
      if (place === 'before') void request.field('note', 'x');
      void request.attach('file', CONTENT, 'a.db');
      if (place === 'after') void request.field('note', 'x');

      const response = await request;

      expect(response.status).toBe(400);
      expect(response.headers['x-error-code']).toBe('UPLOAD_MISSING');
    });

    it('when the file comes in another field', async () => {
      const response = await post().attach('upload', CONTENT, 'a.db');

      expect(response.status).toBe(400);
      expect(response.body).toMatchObject({ field: 'file' });
    });

    it('when there is no file at all', async () => {
      const empty = await post()
        .set('Content-Type', 'multipart/form-data; boundary=x')
        .send('--x--\r\n');
      const unbounded = await post().set('Content-Type', 'multipart/form-data; a=b').send('x');
      const json = await post().send({ file: 'x' });
      const nothing = await post();

      expect([empty.status, unbounded.status, json.status, nothing.status]).toEqual([
        400, 400, 415, 400,
      ]);
    });

    it('when the body ends before the last boundary', async () => {
      const start =
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.db"\r\n\r\nabc';

      const response = await post()
        .set('Content-Type', 'multipart/form-data; boundary=x')
        .send(start);

      expect(response.status).toBe(400);
      expect(response.headers['x-error-code']).toBe('UPLOAD_INTERRUPTED');
      expect(response.headers['retry-after']).toBeDefined();
    });

    it('when the disk cannot be written', async () => {
      await writeFile(path.join(api.dataDir, 'not-a-folder'), '');
      const settings = { ...api.hub.settings, dataDir: path.join(api.dataDir, 'not-a-folder') };
      const broken = createApp({ hub: { ...api.hub, settings } });

      const response = await supertest(broken)
        .post(PATH)
        .set(operator.headers)
        .attach('file', CONTENT, 'a.db');

      expect(response.status).toBe(500);
      expect(response.body).toEqual({ error: 'Internal server error' });
    });
  });

  it('I16: removes the part of an upload that the client gave up', async () => {
    const server = http.createServer(api.app).listen(0);
    const { port } = server.address() as AddressInfo;
    const before = await stored();
    for (let round = 0; round < 20; round += 1) {
      const request = http.request({ port, method: 'POST', path: PATH });
      request.setHeader('Authorization', operator.headers.Authorization);
      request.setHeader('Content-Type', 'multipart/form-data; boundary=x');
      request.on('error', () => undefined);
      request.write(
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.db"\r\n\r\n' +
          'a'.repeat(5_000),
      );
      await sleep(20);
      request.destroy();
    }

    for (let wait = 0; wait < 50 && (await stored()).length > before.length; wait += 1) {
      await sleep(50);
    }
    server.close();

    expect(await stored()).toEqual(before);
  });

  it('clears at start what a killed process has left, and nothing that is being written', async () => {
    const folder = uploadsFolder(api.dataDir);
    const part = (host: string, processId: number) =>
      path.join(folder, `${randomUUID()}.${host}-${String(processId)}.part`);
    const dead = part(hostname(), 2 ** 22 + 1);
    const own = part(hostname(), process.pid);
    const alive = part(hostname(), process.ppid);
    const elsewhereOld = part('other-host', 1);
    const elsewhereNew = part('other-host', 2);
    for (const file of [dead, own, alive, elsewhereOld, elsewhereNew]) await writeFile(file, 'x');
    const longAgo = new Date(Date.now() - 600_000);
    await utimes(elsewhereOld, longAgo, longAgo);

    await removeLeftParts(folder);

    const left = (await stored()).filter((name) => name.endsWith('.part'));
    expect(left).toEqual([alive, elsewhereNew].map((file) => path.basename(file)).sort());
  });

  it('clears at start received files that have lost their row, and no others', async () => {
    const folder = uploadsFolder(api.dataDir);
    const { id } = await upload('old but known.db');
    const { path: relative } = await SourceFile.findByPk(id, { rejectOnEmpty: true });
    const [known, old, young] = [path.basename(relative), randomUUID(), randomUUID()];
    for (const name of [old, young, 'not-ours.db']) await writeFile(path.join(folder, name), 'x');
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [known, old, 'not-ours.db'])
      await utimes(path.join(folder, name), longAgo, longAgo);

    await removeOrphanedFiles(api.hub);

    const left = await stored();
    expect(left).toEqual(expect.arrayContaining([known, young, 'not-ours.db']));
    expect(left).not.toContain(old);
  });

  it('lists and deletes, the file as well as the row', async () => {
    const { id } = await upload('to-be-deleted.db');
    const { path: relative } = await SourceFile.findByPk(id, { rejectOnEmpty: true });

    const list = await api.client.get(`${PATH}?limit=1`).set(operator.headers);
    const first = await api.client.delete(`${PATH}/${id}`).set(operator.headers);
    const second = await api.client.delete(`${PATH}/${id}`).set(operator.headers);

    expect(list.body).toMatchObject({ data: [{ id, name: 'to-be-deleted.db' }] });
    expect([first.status, second.status]).toEqual([204, 404]);
    expect(await stored()).not.toContain(path.basename(relative));
  });

  it('answers 409 while a connection names the file', async () => {
    const { id } = await upload();
    await api.client
      .post('/api/v1/connections')
      .set(operator.headers)
      .send({ name: 'uploaded', kind: 'sqlite', options: { sourceFileId: id } })
      .expect(201);

    const response = await api.client.delete(`${PATH}/${id}`).set(operator.headers);

    expect(response.status).toBe(409);
    expect(response.body).toEqual({ error: 'Source file is still in use by a connection' });
  });
});
