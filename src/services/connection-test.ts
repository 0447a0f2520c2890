import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { Catalog } from '../engine/contract.ts';
import { APPLICATION_NAME, tlsOptions } from '../engine/postgres-session.ts';
import { openSource } from '../engine/sources/registry.ts';
import { mapTargetError } from '../engine/target/errors.ts';
import type { TargetLocation } from '../engine/target/target.ts';
import { AppError } from '../errors/app-error.ts';
import type { Connection } from '../models/connection.ts';
import { inTransaction } from '../models/transaction.ts';
import { recordAudit, type AuditContext } from './audit.ts';
import { getConnection, locateSource, locateTarget } from './connection-locations.ts';
import { typedConnection } from './connection-options.ts';
import type { Hub } from './hub.ts';

export interface ConnectionTest {
  /** Product and version, for a person. */
  readonly version: string;
  readonly latencyMs: number;
  /** PostgreSQL: it can be read but not written, which is enough for a source. */
  readonly isReadOnly?: boolean;
}

type Probe = Omit<ConnectionTest, 'latencyMs'>;

const TEST_TIMEOUT_MS = 10_000;
const CATALOG_TIMEOUT_MS = 60_000;

/**
 * Tries a connection and writes down that it was tried: a test can be used to look around in a network.
 * @throws AppError with the SOURCE_ or TARGET_ code that says why it does not work
 */
export async function testConnection(
  hub: Hub,
  id: string,
  context: AuditContext,
): Promise<ConnectionTest> {
  const connection = await getConnection(id);
  const start = performance.now();
  try {
    const found = await probe(hub, connection);
    await recordTest(hub, connection, { context, failure: null });
    return { ...found, latencyMs: Math.round(performance.now() - start) };
  } catch (error) {
    if (error instanceof AppError) {
      await recordTest(hub, connection, { context, failure: error.code });
    }
    throw error;
  }
}

/** What a source holds. @throws AppError CONNECTION_KIND_UNSUITABLE for a target, SOURCE_… */
export async function readCatalog(hub: Hub, id: string): Promise<Catalog> {
  const { kind, location } = await locateSource(hub, await getConnection(id));
  const source = openSource(kind, location);
  try {
    return await source.readCatalog(AbortSignal.timeout(CATALOG_TIMEOUT_MS));
  } finally {
    await source.close();
  }
}

async function probe(hub: Hub, connection: Connection): Promise<Probe> {
  if (typedConnection(connection).kind === 'postgres') {
    return probePostgres(await locateTarget(hub, connection));
  }
  const { kind, location } = await locateSource(hub, connection);
  const source = openSource(kind, location);
  try {
    return { version: await Promise.race([source.version(), rejectLate()]) };
  } finally {
    await source.close();
  }
}

async function rejectLate(): Promise<never> {
  await sleep(TEST_TIMEOUT_MS, undefined, { ref: false });
  throw new AppError('SOURCE_UNREACHABLE', { reason: 'no answer in time' });
}

async function probePostgres(location: TargetLocation): Promise<Probe> {
  const { host, port, database, user, password } = location;
  const socket = new Socket();
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl: tlsOptions(location),
    connectionTimeoutMillis: TEST_TIMEOUT_MS,
    query_timeout: TEST_TIMEOUT_MS,
    application_name: APPLICATION_NAME,
    stream: () => socket,
  });
  // Without a listener a connection that dies between two steps would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await readVersion(client);
  } catch (error) {
    throw mapTargetError(error, { what: 'the test of the connection', database });
  } finally {
    // A server that accepted and never answered would not answer a farewell either.
    socket.destroy();
  }
}

async function readVersion(client: pg.Client): Promise<Probe> {
  const { rows } = await client.query<{ version: string; isReadOnly: boolean }>(
    `SELECT current_setting('server_version') AS version,
            pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS "isReadOnly"`,
  );
  const [row] = rows;
  return { version: `PostgreSQL ${row?.version ?? ''}`, isReadOnly: row?.isReadOnly ?? true };
}

async function recordTest(
  hub: Hub,
  { id, name }: Connection,
  { context, failure }: { readonly context: AuditContext; readonly failure: string | null },
): Promise<void> {
  await inTransaction(hub.sequelize, (transaction) =>
    recordAudit(transaction, {
      context,
      action: 'connection.test',
      entity: { type: 'connection', id },
      outcome: failure === null ? 'success' : 'failure',
      detail: failure === null ? { name } : { name, failure },
    }),
  );
}
