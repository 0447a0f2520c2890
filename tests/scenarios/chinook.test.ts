import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { startTestHub, type TestHub } from '../helpers/hub.ts';

/** A real database that nobody here made. It is not part of the project: where it is missing there is nothing to compare. */
const CHINOOK = path.resolve('../shared/data/chinook.sqlite');
const MISSING_PROGRAM = 2;

describe('Chinook', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startTestHub();
  }, 60_000);

  afterAll(async () => {
    await hub.close();
  }, 30_000);

  const itWithChinook = existsSync(CHINOOK) ? it : it.skip;

  itWithChinook(
    'arrives with every row, key and index, as sqlite3 and psql say',
    async () => {
      const sourceId = await hub.addSource(CHINOOK);
      const job = await hub.createJob(sourceId, { targetSchema: 'chinook', verify: 'full' });
      await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
      const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

      const script = 'tests/scenarios/compare-chinook.sh';
      const child = spawn('bash', [script, CHINOOK, hub.target.url, 'chinook']);
      let output = '';
      child.stdout.on('data', (text: Buffer) => (output += text.toString()));
      child.stderr.on('data', (text: Buffer) => (output += text.toString()));
      const [code] = (await once(child, 'close')) as [number | null];

      expect(ended).toMatchObject({
        status: 'succeeded',
        verification: { status: 'passed', tablesPassed: 11, tablesFailed: 0 },
        progress: { rowsTotal: 15_607, rowsCopied: 15_607 },
      });
      // Without sqlite3 and psql the hub's own verification is all there is.
      if (code !== MISSING_PROGRAM) expect({ code, output }).toMatchObject({ code: 0 });
    },
    120_000,
  );
});
