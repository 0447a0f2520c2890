import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { createApp } from './app.ts';
import { compose, runEntry, stopSignal } from './compose.ts';
import type { Env } from './src/config/env.ts';
import { loadEnv } from './src/config/load-env.ts';
import { createHttpServer, drain, listen } from './src/middlewares/http-server.ts';
import {
  EMBEDDED_CONNECTION,
  ensureEmbeddedConnection,
} from './src/services/embedded-connection.ts';
import { ensureFirstAdmin, type FirstAdmin } from './src/services/first-admin.ts';
import type { Hub } from './src/services/hub.ts';
import { removeOrphanedFiles } from './src/services/source-files.ts';
import { sourcesFolder, uploadsFolder } from './src/services/source-folder.ts';
import { removeLeftParts } from './src/services/stored-file.ts';

const DRAIN_SECONDS = 20;
/** Long enough for a load balancer to ask /readyz once more and to send nothing new from then on. */
const UNREADY_SECONDS = 5;

/** The API process: configuration, database, port; then serves until it is told to stop. */
async function main(): Promise<void> {
  const env = loadEnv();
  const stopping = stopSignal();
  const { hub, startWorker, failing, close } = await compose(env);
  try {
    await prepareFolders(hub);
    const admin = await ensureFirstAdmin(hub, env);
    const { embeddedServer } = hub.settings;
    if (embeddedServer) await ensureEmbeddedConnection(hub, embeddedServer);

    let isDraining = false;
    const app = createApp({ hub, isDraining: () => isDraining });
    const server = createHttpServer(app, { isDraining: () => isDraining });
    const port = await listen(server, env);
    const worker = env.worker === 'inline' ? await startWorker() : null;
    hub.log.info({ host: env.host, port }, 'the API is ready');
    announce({ env, port, admin, hub });

    const reason = await Promise.race([stopping, failing]);
    hub.log.info({ reason }, 'the API is stopping');
    isDraining = true;
    if (env.nodeEnv === 'production') await sleep(UNREADY_SECONDS * 1000);
    await Promise.all([drain(server, DRAIN_SECONDS), worker?.stop(DRAIN_SECONDS)]);
  } finally {
    await close();
  }
  hub.log.info('the API has stopped');
}

async function prepareFolders(hub: Hub): Promise<void> {
  const { dataDir } = hub.settings;
  await mkdir(sourcesFolder(dataDir), { recursive: true });
  await mkdir(uploadsFolder(dataDir), { recursive: true, mode: 0o700 });
  await removeLeftParts(uploadsFolder(dataDir));
  await removeOrphanedFiles(hub);
}

interface Announcement {
  readonly env: Env;
  readonly port: number;
  readonly admin: FirstAdmin | null;
  readonly hub: Hub;
}

/** For whoever has just started it on a terminal. In production the log says what there is to say, and never a password. */
function announce({ env, port, admin, hub }: Announcement): void {
  if (env.nodeEnv === 'production') return;
  const lines = [`Legacy Migration Hub: http://${env.host}:${String(port)}`];
  if (admin) {
    const password = admin.madeUpPassword ?? 'as given in ADMIN_PASSWORD';
    lines.push(`First admin: ${admin.username} (${admin.email}), password: ${password}`);
  }
  if (hub.settings.embeddedServer) {
    lines.push(`A target to try things with: the connection "${EMBEDDED_CONNECTION}"`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

runEntry(main);
