import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { QueryTypes } from 'sequelize';

import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { inTransaction } from '../../../src/models/transaction.ts';
import { recordAudit } from '../../../src/services/audit.ts';
import { HUB_CONTEXT } from '../../../src/services/audit-context.ts';
import { sealAudit } from '../../../src/services/audit-seal.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/audit-trail';

describe('/api/v1/audit-trail', () => {
  let api: TestApi;
  let admin: TestUser;

  const sql = (text: string) => api.sequelize.query(text);
  const get = (suffix = '') => api.client.get(PATH + suffix).set(admin.headers);
  const verify = async () => (await get('/verify').expect(200)).body as Record<string, unknown>;
  const checkpointFile = () => path.join(api.dataDir, 'audit-checkpoint.json');
  const write = (rows: number) =>
    inTransaction(api.sequelize, async (transaction) => {
      for (let row = 0; row < rows; row += 1) {
        await recordAudit(transaction, {
          context: HUB_CONTEXT,
          action: 'job.create',
          entity: { type: 'migration_job', id: String(row) },
          detail: { nested: { b: 1, a: [1.5, null, 'ü'] } },
        });
      }
    });

  beforeAll(async () => {
    api = await startTestApi();
  });

  beforeEach(async () => {
    await sql('TRUNCATE hub.audit_trail');
    await rm(checkpointFile(), { force: true });
    api.logLines.length = 0;
    admin = await buildUser(api, 'admin');
  });

  afterAll(async () => {
    await api.close();
  });

  it('L6: seals rows of many writers into one chain without a gap', async () => {
    await Promise.all(Array.from({ length: 8 }, () => write(25)));
    await Promise.all([sealAudit(api.hub), sealAudit(api.hub), write(10)]);
    await sealAudit(api.hub);

    const rows = await AuditTrail.findAll({ order: [['seq', 'ASC']] });
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, index) => index + 1));
    expect(await verify()).toEqual({
      ok: true,
      rows: rows.length,
      unsealedRows: 0,
      problem: null,
      firstBadSeq: null,
      checkpoint: { seq: rows.length, at: expect.any(String) as string },
    });
  });

  it('counts what is not sealed yet as no problem', async () => {
    await write(3);
    await sealAudit(api.hub);
    await write(2);

    expect(await verify()).toMatchObject({ ok: true, unsealedRows: 2 });
  });

  it('L2: keeps no row of a transaction that was rolled back', async () => {
    const before = await AuditTrail.count();
    const failure = inTransaction(api.sequelize, async (transaction) => {
      await recordAudit(transaction, { context: HUB_CONTEXT, action: 'job.delete' });
      throw new Error('rolled back');
    });

    await expect(failure).rejects.toThrow('rolled back');
    expect(await AuditTrail.count()).toBe(before);
  });

  describe('L5: verify', () => {
    beforeEach(async () => {
      await write(20);
      await sealAudit(api.hub);
    });

    it.each([
      ['an edited detail', `UPDATE hub.audit_trail SET detail = '{}' WHERE seq = 7`],
      ['an edited time', `UPDATE hub.audit_trail SET at = at - interval '1 ms' WHERE seq = 7`],
      ['an edited outcome', `UPDATE hub.audit_trail SET outcome = 'denied' WHERE seq = 7`],
      ['an edited hash', `UPDATE hub.audit_trail SET hash = repeat('a', 64) WHERE seq = 7`],
      ['an unsealed row', 'UPDATE hub.audit_trail SET seq = NULL, hash = NULL WHERE seq = 7'],
      ['a deleted row', 'DELETE FROM hub.audit_trail WHERE seq = 7'],
      [
        'two swapped rows',
        `UPDATE hub.audit_trail SET seq = -7 WHERE seq = 7;
         UPDATE hub.audit_trail SET seq = 7 WHERE seq = 9;
         UPDATE hub.audit_trail SET seq = 9 WHERE seq = -7`,
      ],
      [
        'a row put in between',
        `UPDATE hub.audit_trail SET seq = -seq - 1 WHERE seq >= 7;
         UPDATE hub.audit_trail SET seq = -seq WHERE seq < 0;
         INSERT INTO hub.audit_trail (id, action, outcome, seq, prev_hash, hash)
           SELECT gen_random_uuid(), 'job.create', 'success', 7, prev_hash, hash
             FROM hub.audit_trail WHERE seq = 8`,
      ],
    ])('finds %s at its number', async (_name, change) => {
      await sql(change);

      expect(await verify()).toMatchObject({ ok: false, firstBadSeq: 7 });
    });

    it('finds an end that was cut off, also when more was written and sealed after it', async () => {
      const { rows } = (await verify()) as { rows: number };
      await sql(`DELETE FROM hub.audit_trail WHERE seq > ${String(rows - 3)}`);

      const cut = await verify();
      await write(10);
      await sealAudit(api.hub);
      const grown = await verify();

      expect(cut).toMatchObject({ ok: false, problem: 'end missing', firstBadSeq: rows - 2 });
      expect(grown).toMatchObject({ ok: false, problem: 'chain replaced' });
      expect(api.logLines.join('')).toContain('does not agree with its checkpoint');
    });

    it('finds a chain that was written anew as a whole', async () => {
      await sql(`UPDATE hub.audit_trail SET outcome = 'denied' WHERE seq = 7`);
      await sql('UPDATE hub.audit_trail SET seq = NULL, prev_hash = NULL, hash = NULL');
      const checkpoint = await readFile(checkpointFile());
      await rm(checkpointFile());
      await sealAudit(api.hub);
      await writeFile(checkpointFile(), checkpoint);

      expect(await verify()).toMatchObject({ ok: false, problem: 'chain replaced' });
    });

    it.each([
      ['edited', (text: string) => text.replace(/"seq": \d+/, '"seq": 1')],
      ['of another key', (text: string) => text.replace('"keyId": "test"', '"keyId": "mine"')],
      ['damaged', (text: string) => text.slice(0, 20)],
      ['cut to nothing', () => ''],
    ])('finds a checkpoint that is %s', async (_name, change) => {
      await writeFile(checkpointFile(), change(await readFile(checkpointFile(), 'utf8')));

      expect(await verify()).toMatchObject({ ok: false, problem: 'checkpoint invalid' });
    });
  });

  it('lists the latest first, page by page, by action, actor and entity', async () => {
    await write(5);

    const byAction = await get('?action=job.create&limit=2').expect(200);
    const byActor = await get(`?actor=${admin.user.username}`).expect(200);
    const byEntity = await get('?entityType=migration_job&entityId=3').expect(200);

    const page = byAction.body as { data: { entityId: string }[]; nextCursor: string };
    expect(page.data.map(({ entityId }) => entityId)).toEqual(['4', '3']);
    expect(byAction.headers.link).toBe(
      `<${PATH}?action=job.create&limit=2&cursor=${page.nextCursor}>; rel="next"`,
    );
    const next = await get(`?action=job.create&limit=2&cursor=${page.nextCursor}`).expect(200);
    expect(next.body).toMatchObject({ data: [{ entityId: '2' }, { entityId: '1' }] });
    expect(byActor.body).toMatchObject({ data: [{ action: 'auth.login' }], nextCursor: null });
    expect(byEntity.body).toMatchObject({ data: [{ entityId: '3' }] });
    await get('?action=no.such').expect(400);
  });

  it('exports every row as a line that can be checked alone, and writes that down', async () => {
    await write(2_500);
    await sealAudit(api.hub);
    await write(3);

    const response = await get('/export').buffer(true).parse(asText);

    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toContain('application/x-ndjson');
    const lines = (response.body as string).trimEnd().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { seq: number | null; action: string });
    expect(rows).toHaveLength(await AuditTrail.count());
    expect(rows.slice(0, 2_501).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 2_501 }, (_value, index) => index + 1),
    );
    expect(rows.at(-1)).toMatchObject({ seq: null, action: 'audit.export' });
  });

  const busyConnections = async () => {
    const [found] = await api.sequelize.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND state <> 'idle' AND pid <> pg_backend_pid()`,
      { type: QueryTypes.SELECT },
    );
    return found?.count ?? 0;
  };

  it('L7: goes on serving when a client leaves in the middle of an export', async () => {
    await sql(`INSERT INTO hub.audit_trail (id, action, outcome, user_agent)
      SELECT gen_random_uuid(), 'job.create', 'success', repeat('x', 500) FROM generate_series(1, 20000)`);

    const leave = (response: unknown, done: (error: Error | null, body: null) => void) => {
      const stream = response as Readable;
      stream.once('data', () => {
        stream.destroy();
        done(null, null);
      });
    };
    await Promise.allSettled([get('/export').buffer(true).parse(leave)]);

    await get('?limit=1').expect(200);
    let busy = await busyConnections();
    for (let wait = 0; wait < 50 && busy > 0; wait += 1) {
      await sleep(100);
      busy = await busyConnections();
    }
    expect(busy).toBe(0);
    expect(api.logLines.join('')).not.toContain('"level":"error"');
  });

  it('F5: is for admins only', async () => {
    const operator = await buildUser(api, 'operator');

    for (const suffix of ['', '/verify', '/export']) {
      await api.client
        .get(PATH + suffix)
        .set(operator.headers)
        .expect(403);
    }
  });
});

/** Supertest's own reader would keep what is no text as bytes. */
function asText(response: unknown, done: (error: Error | null, body: string) => void): void {
  const stream = response as NodeJS.ReadableStream;
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => (text += chunk));
  stream.on('end', () => done(null, text));
}
