import { quoteMysqlName } from '../../types/mysql-sql.ts';
import type { MysqlConnection } from './connection.ts';

/** Engines whose tables show one moment in a transaction with a consistent snapshot. */
const SNAPSHOT_ENGINES = "('InnoDB', 'ROCKSDB', 'TokuDB')";
/** Tables that are moved: MariaDB calls those with a history otherwise. */
const IS_TABLE = "TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')";
/** While a lock is waited for, the server's writers wait too. */
const LOCK_WAIT_SECONDS = 3;

/**
 * Keeps everybody else from writing: the whole server, where the account has RELOAD, else the tables of the database, where
 * it has LOCK TABLES. Null where it may do neither, or where a long transaction holds what would have to be locked.
 */
export async function holdWrites(connection: MysqlConnection): Promise<'server' | 'tables' | null> {
  await connection.run(`SET SESSION lock_wait_timeout = ${String(LOCK_WAIT_SECONDS)}`);
  if (await succeeds(connection, 'FLUSH TABLES WITH READ LOCK')) return 'server';
  const names = await tableNames(connection, IS_TABLE);
  if (names.length === 0) return null;
  const locks = names.map((name) => `${quoteMysqlName(name)} READ`).join(', ');
  return (await succeeds(connection, `LOCK TABLES ${locks}`)) ? 'tables' : null;
}

export async function releaseWrites(connection: MysqlConnection): Promise<null> {
  await connection.run('UNLOCK TABLES');
  return null;
}

export async function beginSnapshot(
  connection: MysqlConnection,
): Promise<{ readonly binlogSnapshot: string | null }> {
  await connection.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  // MariaDB tells where in the binary log the snapshot stands, whatever has been written since.
  const rows = await connection.rows("SHOW STATUS LIKE 'binlog_snapshot_%'");
  const status = new Map(
    rows.map(([name, value]) => [String(name).toLowerCase(), value?.toString('utf8') ?? '']),
  );
  const file = status.get('binlog_snapshot_file') ?? '';
  if (file === '') return { binlogSnapshot: null };
  return { binlogSnapshot: `${file}:${status.get('binlog_snapshot_position') ?? ''}` };
}

export async function endSnapshot(connection: MysqlConnection): Promise<null> {
  await connection.run('ROLLBACK');
  return null;
}

/** The statement's name has changed in MySQL 8.4. */
const POSITION_STATEMENTS = ['SHOW MASTER STATUS', 'SHOW BINARY LOG STATUS'];

export async function binlogPosition(connection: MysqlConnection): Promise<string | null> {
  for (const statement of POSITION_STATEMENTS) {
    try {
      const [file, position] = await connection.firstTexts(statement);
      if (file && position) return `${file}:${position}`;
    } catch {
      // Not known to this server, or not for this account.
    }
  }
  return null;
}

export async function tablesWithoutSnapshot(connection: MysqlConnection): Promise<string[]> {
  return await tableNames(connection, `${IS_TABLE} AND ENGINE NOT IN ${SNAPSHOT_ENGINES}`);
}

async function tableNames(connection: MysqlConnection, condition: string): Promise<string[]> {
  const rows = await connection.rows(
    `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND ${condition} ORDER BY TABLE_NAME`,
  );
  return rows.map(([name]) => name?.toString('utf8') ?? '');
}

/** False where the server refuses; a lost session is no refusal. */
async function succeeds(connection: MysqlConnection, sql: string): Promise<boolean> {
  try {
    await connection.run(sql);
    return true;
  } catch (error) {
    if ((error as { sqlState?: string }).sqlState === undefined || connection.isLost) throw error;
    return false;
  }
}
