import type { Connection } from '../models/connection.ts';
import { typedConnection } from '../services/connection-options.ts';
import { formatOf } from '../services/csv-options.ts';
import type { ConnectionTest } from '../services/connection-test.ts';

/** A connection as clients see it. The password never leaves the service again, not even encrypted. */
export function presentConnection(connection: Connection) {
  return {
    id: connection.id,
    name: connection.name,
    kind: connection.kind,
    options: presentOptions(connection),
    createdBy: connection.createdBy,
    createdAt: connection.createdAt.toISOString(),
    updatedAt: connection.updatedAt.toISOString(),
    version: connection.version,
  };
}

export function presentConnectionTest({ version, latencyMs, isReadOnly }: ConnectionTest) {
  const result = { ok: true, version, latencyMs };
  return isReadOnly === true ? { ...result, readOnly: true } : result;
}

function presentOptions(connection: Connection): object {
  const typed = typedConnection(connection);
  if (typed.form === 'file') {
    const { sourceFileId, path } = typed.options;
    return sourceFileId === undefined ? { path } : { sourceFileId };
  }
  if (typed.form === 'files') {
    const { sourceFileIds, paths } = typed.options;
    const files = sourceFileIds === undefined ? { paths } : { sourceFileIds };
    return { ...files, ...formatOf(typed.options) };
  }
  const { host, port, database, user, ssl, schema } = typed.options;
  const server = { host, port, database, user, ssl };
  return schema === undefined ? server : { ...server, schema };
}
