import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { sourcesFolder } from '../../../src/services/source-folder.ts';
import { startTestHub, type JobBody, type TestHub } from '../../helpers/hub.ts';

describe('a migration job of CSV files', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startTestHub();
    const folder = sourcesFolder(hub.api.dataDir);
    await mkdir(folder, { recursive: true });
    await writeFile(
      path.join(folder, 'orders.csv'),
      'id;day;total\n1;31.12.2024;1.234,50\n2;1.2.2024\n',
    );
  }, 60_000);
  afterAll(() => hub.close(), 30_000);

  it('goes from a connection to rows, rejects and a verdict', async () => {
    const source = await hub.addConnection('csv', { path: 'orders.csv' });
    const job = await hub.createJob(source, { targetSchema: 'from_csv', verify: 'full' });
    await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);

    const done: JobBody = await hub.waitFor(job.id, 'succeeded', 'failed');

    expect(done.status).toBe('succeeded');
    const { rows } = await hub.targetClient.query(
      'SELECT id::int, day::text, total::text FROM from_csv.orders',
    );
    expect(rows).toEqual([{ id: 1, day: '2024-12-31', total: '1234.50' }]);
    const rejects = await hub.call('get', `/migration-jobs/${job.id}/rejects`).expect(200);
    expect(rejects.body).toMatchObject({
      data: [{ reasonCode: 'RAGGED_ROW', key: { record: '2' } }],
    });
  }, 60_000);
});
