import { setTimeout as sleep } from 'node:timers/promises';

import { startEmbeddedPostgres } from '../../src/config/embedded-postgres.ts';

// A process of its own that uses the embedded PostgreSQL for a moment:
// node hold-embedded-postgres.ts <data folder> [signal to die of]
const [dataDir = '', signal] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir });
process.stdout.write(`${server.port}\n`);
if (signal) process.kill(process.pid, signal);
await sleep(300);
await server.stop();
