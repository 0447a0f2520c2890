import type { ChunkKey, Column, KeyTuple, Table } from '../../contract.ts';
import { parseTypeName } from '../../types/postgres-types.ts';
import { quotePostgresName, quotePostgresText } from '../../types/sql-text.ts';
import type { Relation } from './relation.ts';
import type { PostgresSession } from './session.ts';

/** Types that every PostgreSQL orders alike, whatever its locale. */
const NATIVE = new Set([
  'boolean',
  'bytea',
  'date',
  'double precision',
  'numeric',
  'oid',
  'real',
  'time without time zone',
  'timestamp with time zone',
  'timestamp without time zone',
  'uuid',
]);

interface KeyIndexRow {
  readonly columns: readonly string[];
  readonly collations: readonly (string | null)[];
}

/** The first unique index over columns that are never NULL, the primary key before all others. */
const KEY_INDEX = `
  SELECT ARRAY(SELECT a.attname::text FROM generate_series(1, i.indnkeyatts) AS k
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] ORDER BY k) AS columns,
         ARRAY(SELECT o.collname::text FROM generate_series(1, i.indnkeyatts) AS k
            LEFT JOIN pg_collation o ON o.oid = i.indcollation[k - 1] ORDER BY k) AS collations
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
   WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
     AND NOT EXISTS (SELECT FROM generate_series(1, i.indnkeyatts) AS k
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1]
          WHERE a.attnotnull IS NOT TRUE)
   ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname COLLATE "C" LIMIT 1`;

/**
 * How the rows of a table are cut: by a key, else by their place in the table's file, else not at all. Places need an old
 * enough PostgreSQL to be found without reading the whole table for each chunk: 14.
 */
export async function findChunkKey(
  session: PostgresSession,
  table: Table,
  relation: Relation,
  server: { readonly version: number; readonly collationIsBinary: boolean },
): Promise<ChunkKey | null> {
  const [index] = await session.query<{ [Key in keyof KeyIndexRow]: KeyIndexRow[Key] }>(KEY_INDEX, [
    relation.oid,
  ]);
  const columns = index?.columns.flatMap(
    (name) => table.columns.find((entry) => entry.name === name) ?? [],
  );
  if (index !== undefined && columns?.length === index.columns.length) {
    return {
      columns: index.columns,
      kinds: columns.map((column, position) =>
        kindOf(column, index.collations[position] ?? null, server.collationIsBinary),
      ),
    };
  }
  return relation.isPartitioned || server.version < 140_000
    ? null
    : { columns: [], kinds: ['opaque'] };
}

function kindOf(
  { declaredType, detail }: Column,
  collation: string | null,
  databaseIsBinary: boolean,
): ChunkKey['kinds'][number] {
  const { base, isArray } = parseTypeName(declaredType);
  if (isArray || detail?.kind !== undefined) return 'opaque';
  if (/^(?:smallint|integer|bigint)$/.test(base)) return 'integer';
  if (base === 'text' || base === 'character varying') {
    if (detail?.encoding !== undefined) return 'opaque';
    const isBinary =
      collation === 'default' ? databaseIsBinary : /^(?:C|POSIX)$/.test(collation ?? '');
    return isBinary ? 'text' : 'opaque';
  }
  return NATIVE.has(base) ? 'native' : 'opaque';
}

/** Upper bounds of all chunks but the last. A key's are taken from its index, in one pass over it. */
export async function findChunkBounds(request: {
  readonly session: PostgresSession;
  readonly relation: Relation;
  readonly key: ChunkKey;
  readonly rows: number;
  readonly chunkRows: number;
}): Promise<KeyTuple[]> {
  const { session, relation, key, rows, chunkRows } = request;
  if (rows <= chunkRows) return [];
  if (key.columns.length === 0) return pageBounds(relation.pages, Math.ceil(rows / chunkRows));
  const columns = key.columns.map(quotePostgresName);
  const found = await session.query<{ position: string; key: string[] }>(
    `SELECT position::text AS position, ARRAY[${columns.map((column) => `${column}::text`).join(', ')}] AS key
       FROM (SELECT ${columns.join(', ')}, row_number() OVER (ORDER BY ${columns.join(', ')}) AS position
               FROM ${relation.from}) AS numbered
      WHERE position % ${String(chunkRows)} = 0 ORDER BY numbered.position`,
  );
  return found.filter(({ position }) => Number(position) < rows).map((row) => row.key);
}

function pageBounds(pages: number, chunks: number): KeyTuple[] {
  const step = Math.max(1, Math.ceil(pages / chunks));
  const bounds: KeyTuple[] = [];
  for (let page = step; page < pages; page += step) bounds.push([`(${String(page)},0)`]);
  return bounds;
}

/** Rows of a chunk: what follows FROM and WHERE, in key order. */
export function chunkSql(
  relation: Relation,
  key: ChunkKey | null,
  columns: readonly { readonly source: string; readonly declaredType: string }[],
  range: { readonly lower: KeyTuple | null; readonly upper: KeyTuple | null },
): string {
  if (key === null) return relation.from;
  // Qualified: ORDER BY takes a plain name for that of a selected value, whose order may be another one.
  const isPlace = key.columns.length === 0;
  const names = isPlace ? ['r.ctid'] : key.columns.map((name) => `r.${quotePostgresName(name)}`);
  const typeOf = (position: number): string => {
    if (isPlace) return 'tid';
    const name = key.columns[position];
    return columns.find(({ source }) => source === name)?.declaredType ?? 'text';
  };
  const literal = (tuple: KeyTuple): string =>
    rowOf(tuple.map((value, position) => `${quotePostgresText(value)}::${typeOf(position)}`));
  const conditions = [
    ...(range.lower === null ? [] : [`${rowOf(names)} > ${literal(range.lower)}`]),
    ...(range.upper === null ? [] : [`${rowOf(names)} <= ${literal(range.upper)}`]),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `${relation.from} AS r${where}${isPlace ? '' : ` ORDER BY ${names.join(', ')}`}`;
}

function rowOf(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;
}
