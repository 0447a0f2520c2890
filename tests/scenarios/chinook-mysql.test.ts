import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { startTestHub, type TestHub } from '../helpers/hub.ts';
import { createTestMariaDb, describeWithMariaDb, type TestMariaDb } from '../helpers/mariadb.ts';

/** A real database that nobody here made. It is not part of the project: where it is missing there is nothing to compare. */
const CHINOOK = path.resolve('../shared/data/chinook.mysql.sql');
const MISSING_PROGRAM = 2;

describeWithMariaDb('Chinook in MariaDB', () => {
  let hub: TestHub;
  let source: TestMariaDb;

  beforeAll(async () => {
    [hub, source] = await Promise.all([startTestHub(), createTestMariaDb()]);
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await source.close();
  }, 30_000);

  const itWithChinook = existsSync(CHINOOK) ? it : it.skip;

  itWithChinook(
    'arrives with every row, key and index, as mysql and psql say',
    async () => {
      const { host, port, database, user, password } = source;
      const script = await readFile(CHINOOK, 'utf8');
      await source.sql(script.replaceAll('`Chinook`', `\`${database}\``));
      const sourceId = await hub.addConnection('mysql', { host, port, database, user, password });
      const options = { targetSchema: 'chinook', verify: 'full' };
      const job = await hub.createJob(sourceId, options);
      await hub.call('post', `/migration-jobs/${job.id}/start`).expect(202);
      const ended = await hub.waitFor(job.id, 'succeeded', 'failed');

      const compare = [
        ...['tests/scenarios/compare-mysql.sh', database, hub.target.url, 'chinook'],
        ...['--host', host, '--port', String(port), '--user', user],
      ];
      const env = { ...process.env, MYSQL_PWD: password };
      const child = spawn('bash', compare, { env });
      let output = '';
      child.stdout.on('data', (text: Buffer) => (output += text.toString()));
      child.stderr.on('data', (text: Buffer) => (output += text.toString()));
      const [code] = (await once(child, 'close')) as [number | null];

      expect(ended).toMatchObject({
        status: 'succeeded',
        error: null,
        verification: { status: 'passed', tablesPassed: 11, tablesFailed: 0 },
        progress: { rowsTotal: 15_607, rowsCopied: 15_607 },
      });
      // Without mysql and psql the hub's own verification is all there is.
      if (code !== MISSING_PROGRAM) expect({ code, output }).toMatchObject({ code: 0 });
    },
    120_000,
  );
});
