import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

import { createTestDatabase } from '../../../helpers/test-database.ts';

/** A session in a database of its own, with the engine's settings as far as they bear on printed values. */
export interface CopySession {
  readonly client: pg.Client;
  end(): Promise<void>;
}

export async function openCopySession(): Promise<CopySession> {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(
    `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; SET extra_float_digits = 1`,
  );
  return {
    client,
    end: async () => {
      await client.end();
      await database.drop();
    },
  };
}

/** Sends lines into a fresh table of the given columns and gives what PostgreSQL prints for `select`. */
export async function copyThrough(
  { client }: CopySession,
  request: { readonly columns: string; readonly lines: Uint8Array; readonly select?: string },
): Promise<Buffer> {
  await client.query(`DROP TABLE IF EXISTS pg_temp.t; CREATE TEMP TABLE t (${request.columns})`);
  await pipeline(
    Readable.from([Buffer.from(request.lines)]),
    client.query(copyFrom('COPY pg_temp.t FROM STDIN')),
  );
  return await buffer(
    client.query(copyTo(`COPY (SELECT ${request.select ?? '*'} FROM pg_temp.t) TO STDOUT`)),
  );
}
