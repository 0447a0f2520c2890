import type { ChunkKey, ColumnScan, KeyTuple } from '../../contract.ts';
import { charsetOf } from '../../types/mysql-declared.ts';
import { quoteMysqlText, selectList, type SqlColumn } from '../../types/mysql-sql.ts';
import type { MysqlConnection, RawRow } from './connection.ts';
import { keyPart, orderSql, rangeSql } from './ranges.ts';
import type { TableAccess } from './table-access.ts';

/** Text keys of more characters are no good bounds. */
const MAX_KEY_CHARACTERS = 1000;
const MAX_BIGINT = 2n ** 63n - 1n;

interface Candidate {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The key by which a table is cut: its primary key, else a unique one without NULLs; null = it has none that is whole. */
export async function chooseChunkKey(
  connection: MysqlConnection,
  request: {
    readonly access: TableAccess;
    readonly scans: Readonly<Record<string, ColumnScan>>;
    readonly signal: AbortSignal;
  },
): Promise<ChunkKey | null> {
  const { access, scans, signal } = request;
  for (const { columns } of await candidates(connection, access, signal)) {
    const kinds = columns.map((name) => {
      const column = access.columns.get(name);
      const scan = scans[name];
      return column === undefined || scan === undefined ? null : kindOf(column, scan);
    });
    const usable = kinds.filter((kind) => kind !== null);
    if (usable.length === kinds.length) return { columns, kinds: usable };
  }
  return null;
}

/** Unique keys of whole columns that are never NULL, the primary one first. */
async function candidates(
  connection: MysqlConnection,
  { name }: TableAccess,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const rows = await connection.rows(
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART IS NULL AND NULLABLE <> 'YES' AND INDEX_TYPE = 'BTREE' AND COLUMN_NAME IS NOT NULL
     FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteMysqlText(name)} AND NON_UNIQUE = 0
     ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
    signal,
  );
  const text = (row: RawRow, position: number): string => row[position]?.toString('utf8') ?? '';
  const byIndex = Map.groupBy(rows, (row) => text(row, 0));
  return [...byIndex].flatMap(([index, parts]) =>
    parts.every((part) => text(part, 2) === '1')
      ? [{ name: index, columns: parts.map((part) => text(part, 1)) }]
      : [],
  );
}

function kindOf(
  { family, collation }: SqlColumn,
  { facts, maxInteger, maxLength }: ColumnScan,
): ChunkKey['kinds'][number] | null {
  switch (family) {
    case 'integer':
      return BigInt(maxInteger ?? 0) > MAX_BIGINT ? 'native' : 'integer';
    case 'year':
      return 'integer';
    case 'decimal':
      return 'native';
    case 'date':
    case 'datetime':
    case 'timestamp':
      // What is on no calendar has no place in PostgreSQL's order.
      return facts.zeroDate || facts.partialDate || facts.invalidDate ? 'opaque' : 'native';
    case 'text': {
      // A collation that pads sorts 'a' behind 'a\t', and Windows-1252 sorts otherwise than UTF-8.
      const isByBytes =
        charsetOf(collation).startsWith('utf8') &&
        /(?:_nopad_bin|_0900_bin)$/.test(collation ?? '');
      const isShort = (maxLength ?? 0) <= MAX_KEY_CHARACTERS;
      return isByBytes && !facts.nul && isShort ? 'text' : 'opaque';
    }
    case 'json':
    case 'geometry':
    case 'unknown':
      return null;
    case 'binary':
    case 'bit':
    case 'double':
    case 'enum':
    case 'float':
    case 'inet':
    case 'set':
    case 'time':
    case 'uuid':
      return 'opaque';
  }
}

/** Upper bounds of all ranges of `rows` rows but the last, ascending, taken from the key's index. */
export async function walkBounds(
  connection: MysqlConnection,
  request: {
    readonly access: TableAccess;
    readonly key: ChunkKey;
    readonly rows: number;
    readonly signal: AbortSignal;
  },
): Promise<KeyTuple[]> {
  const { access, key, rows, signal } = request;
  const parts = key.columns.map((name, index) => {
    const column = access.columns.get(name);
    if (column === undefined) throw new Error(`no column ${name}`);
    return keyPart(column, key.kinds[index] ?? 'opaque');
  });
  const select = selectList(parts.map((part) => part.select));
  const bounds: KeyTuple[] = [];
  for (;;) {
    const rest = rangeSql(parts, { lower: bounds.at(-1) ?? null, upper: null });
    // The row behind the bound tells whether there is anything left.
    const found = await connection.rows(
      `SELECT ${select} FROM ${access.sql} WHERE ${rest}${orderSql(parts)} LIMIT 2 OFFSET ${String(rows - 1)}`,
      signal,
    );
    const [bound, next] = found;
    if (bound === undefined || next === undefined) return bounds;
    bounds.push(bound.map((value) => value?.toString('utf8') ?? ''));
  }
}
