import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { sealAudit } from '../../../src/services/audit-seal.ts';
import {
  describeSigningKey,
  type SignedCertificate,
} from '../../../src/services/certificate-signature.ts';
import { startTestHub, type TestHub } from '../../helpers/hub.ts';

const SCRIPT = path.join(import.meta.dirname, '../../../scripts/certificate-verify.ts');

interface Content {
  readonly verification: { readonly status: string };
  readonly tables: readonly { readonly source: string; readonly rowsCopied: number }[];
  readonly rejects: readonly object[];
}

describe('the certificate of a job', () => {
  let folder: string;
  let hub: TestHub;
  let jobId: string;
  let document: string;
  let audit: string;

  const read = async (id = jobId): Promise<string> =>
    (await hub.call('get', `/migration-jobs/${id}/certificate`).expect(200)).text;
  const contentOf = (text: string): Content =>
    (JSON.parse(text) as SignedCertificate).certificate as Content;

  /** Runs the script as an auditor would: with files only. */
  async function verify(text: string, ...options: readonly string[]) {
    const file = path.join(folder, 'certificate.json');
    await writeFile(file, text);
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, file, ...options], {
      encoding: 'utf8',
      env: {},
    });
    return { status, stdout };
  }

  async function exportAudit(): Promise<string> {
    await sealAudit(hub.api.hub);
    const file = path.join(folder, 'audit.ndjson');
    await writeFile(file, (await hub.call('get', '/audit-trail/export').expect(200)).text);
    return file;
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hub-certificate-'));
    const file = path.join(folder, 'source.sqlite');
    const database = new DatabaseSync(file);
    database.exec(`
      CREATE TABLE keyed (id INTEGER PRIMARY KEY, note TEXT);
      CREATE TABLE loose (day DATE);
      INSERT INTO keyed VALUES (1, 'one'), (2, CAST(x'610062' AS TEXT)), (3, 'three');
      INSERT INTO loose VALUES ('2024-01-01'), ('');`);
    database.close();
    hub = await startTestHub();
    const { id } = await hub.createJob(await hub.addSource(file), { targetSchema: 'certified' });
    jobId = id;
    await hub
      .call('get', `/migration-jobs/${jobId}/certificate`)
      .expect(404, { error: 'The job has not finished yet' });
    await hub.call('post', `/migration-jobs/${jobId}/start`).expect(202);
    await hub.waitFor(jobId, 'succeeded');
    document = await read();
    audit = await exportAudit();
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('accounts for every row, reject and adjustment', () => {
    expect(contentOf(document)).toMatchObject({
      formatVersion: 1,
      job: { id: jobId },
      source: { kind: 'sqlite' },
      target: { schema: 'certified' },
      consistency: { requested: 'snapshot', reached: 'snapshot', position: null },
      verification: { mode: 'checksum', status: 'passed' },
      rejects: [{ table: 'keyed', reasonCode: 'TEXT_NUL', rows: 1 }],
      adjustments: [{ table: 'loose', column: 'day', rule: 'EMPTY_DATE', count: 1 }],
    });
    const tables = [...contentOf(document).tables].sort((a, b) => (a.source < b.source ? -1 : 1));
    expect(tables).toMatchObject([
      {
        source: 'keyed',
        target: 'certified.keyed',
        rowsRead: 3,
        rowsCopied: 2,
        rowsRejected: 1,
        verdict: 'passed',
        digest: { kind: 'ordered', chunks: 1 },
      },
      {
        source: 'loose',
        rowsRead: 2,
        rowsCopied: 2,
        valuesAdjusted: 1,
        digest: { kind: 'multiset', chunks: 1 },
      },
    ]);
  });

  it('is verified offline, with the key of the hub and against the audit trail', async () => {
    const [secret] = hub.api.hub.settings.connectionKeys;
    if (secret === undefined) throw new Error('the test hub has no key');
    const { pem, fingerprint } = describeSigningKey(secret);
    const pemFile = path.join(folder, 'key.pem');
    await writeFile(pemFile, pem);

    for (const key of [pemFile, fingerprint]) {
      const { status, stdout } = await verify(document, '--key', key, '--audit', audit);

      expect(stdout).toMatch(/rows +5 read = 4 copied \+ 1 rejected/);
      expect(stdout).toMatch(/audit +ok, entry \d+ of \d+/);
      expect(stdout).toMatch(/GENUINE +the migration passed/);
      expect(status).toBe(0);
    }
  });

  it.each([
    ['a number', (text: string) => text.replace('"rowsCopied": 2', '"rowsCopied": 3')],
    ['a verdict', (text: string) => text.replace('"status": "passed"', '"status": "skipped"')],
    [
      'a member more',
      (text: string) => text.replace('"certificate": {', '"certificate": {"x": 1,'),
    ],
    [
      'a member that is there twice then',
      (text: string) => text.replace('"rowsCopied": 2', '"rowsCopied": 3, "rowsCopied": 2'),
    ],
    ['the signature', (text: string) => text.replace(/"value": "..../, '"value": "AAAA')],
    ['the key', (text: string) => text.replace(/"publicKey": "..../, '"publicKey": "AAAA')],
  ])('is not genuine any more when somebody changes %s', async (_, change) => {
    expect(change(document)).not.toBe(document);

    const { status, stdout } = await verify(change(document));

    expect(stdout).toContain('NOT GENUINE');
    expect(status).toBe(1);
  });

  it('may be written with other white space and order', async () => {
    const { certificate, signature } = JSON.parse(document) as SignedCertificate;
    const reordered = Object.fromEntries(Object.entries(certificate).reverse());

    const { status } = await verify(JSON.stringify({ signature, certificate: reordered }));

    expect(status).toBe(0);
  });

  it('is refused when another key signed it, or the audit trail does not know it', async () => {
    const other = describeSigningKey({ kid: 'other', secret: Buffer.alloc(32, 7) }).fingerprint;
    const cut = path.join(folder, 'cut.ndjson');
    await writeFile(cut, '');

    expect((await verify(document, '--key', other)).stdout).toContain('another key');
    expect((await verify(document, '--audit', cut)).stdout).toContain('does not know it');
  });

  it('is refused with an audit trail that somebody has changed', async () => {
    const changed = path.join(folder, 'changed.ndjson');
    const text = await readFile(audit, 'utf8');
    await writeFile(changed, text.replace('"action":"job.create"', '"action":"job.delete"'));

    const { status, stdout } = await verify(document, '--audit', changed);

    expect(stdout).toContain('the audit trail is broken');
    expect(status).toBe(1);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['other JSON', '{"certificate": {"tables": 1}}'],
    ['null', 'null'],
  ])('says that it could not check %s', async (_, text) => {
    expect((await verify(text)).status).toBe(2);
  });

  it('says so when the target was changed, and is genuine then too', async () => {
    await hub.targetClient.query("UPDATE certified.keyed SET note = 'changed' WHERE id = 1");
    await hub.call('post', `/migration-jobs/${jobId}/verify`).expect(202);
    await hub.waitFor(jobId, 'failed');

    const { status, stdout } = await verify(await read(), '--audit', await exportAudit());

    expect(stdout).toMatch(/GENUINE +verification: failed/);
    expect(status).toBe(3);
  });

  it('is gone when the job is rolled back', async () => {
    await hub.call('post', `/migration-jobs/${jobId}/rollback`).expect(202);
    await hub.waitFor(jobId, 'rolled_back');

    await hub.call('get', `/migration-jobs/${jobId}/certificate`).expect(404);
  });
});
