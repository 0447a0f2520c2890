import { isUtf8 } from 'node:buffer';
import type { Column, ColumnScan, RowKey, Table, TableScan } from '../../contract.ts';
import { holdsText, parseTypeName } from '../../types/postgres-types.ts';
import { quotePostgresName } from '../../types/sql-text.ts';
import { findChunkBounds, findChunkKey } from './chunk-key.ts';
import { linesOf, splitFields, unescapeField } from './copy-fields.ts';
import { relationOf, type Relation } from './relation.ts';
import { rowKeyOf, keySelect } from './row-key.ts';
import * as queries from './catalog-queries.ts';
import type { ServerRow } from './catalog-queries.ts';
import type { PostgresSession } from './session.ts';

const MAX_SAMPLES = 5;

/**
 * One aggregate pass over a table. What a PostgreSQL promises of its data holds, so there is little to ask: NULLs, the greatest
 * whole numbers, dates without end, and in a database without an encoding the texts that are no UTF-8.
 */
export async function scanTable(
  session: PostgresSession,
  schema: string,
  { table, chunkRows }: { readonly table: Table; readonly chunkRows: number },
): Promise<TableScan> {
  const [server] = await session.query<{ [Key in keyof ServerRow]: ServerRow[Key] }>(
    queries.SERVER,
  );
  if (server === undefined) throw new Error('the server says nothing of its database');
  const relation = await relationOf(session, schema, table.name);
  const { rows, columns } = await aggregate(session, table, relation);
  const key = await findChunkKey(session, table, relation, {
    version: Number(server.version_number),
    collationIsBinary: server.collation_is_binary,
  });
  return {
    table: table.name,
    rows,
    columns:
      server.encoding === 'SQL_ASCII'
        ? await withInvalidText(session, table, relation, columns)
        : columns,
    chunkKey: key,
    chunkBounds:
      key === null ? [] : await findChunkBounds({ session, relation, key, rows, chunkRows }),
    orphans: await findOrphans(session, schema, table, relation),
  };
}

/** Fact of a column → its aggregate. */
function aggregatesOf(column: Column): readonly (readonly [string, string])[] {
  const name = quotePostgresName(column.name);
  const { base, isArray } = parseTypeName(column.declaredType);
  const isOwn = column.detail?.kind === undefined && !isArray;
  return [
    ...(column.nullable ? [['null', `count(*) FILTER (WHERE ${name} IS NULL)`] as const] : []),
    ...(isOwn && /^(?:smallint|integer|bigint)$/.test(base)
      ? [['min', `min(${name})`] as const, ['max', `max(${name})`] as const]
      : []),
    ...(isOwn && /^(?:date|timestamp with(?:out)? time zone)$/.test(base)
      ? [['infinite', `count(*) FILTER (WHERE NOT isfinite(${name}))`] as const]
      : []),
  ];
}

async function aggregate(
  session: PostgresSession,
  table: Table,
  relation: Relation,
): Promise<{ readonly rows: number; readonly columns: Record<string, ColumnScan> }> {
  const wanted = table.columns.flatMap((column) =>
    aggregatesOf(column).map(([fact, sql]) => ({ column: column.name, fact, sql })),
  );
  // As one array: a result has no more than 1664 columns.
  const list = ['count(*)', ...wanted.map(({ sql }) => sql)].map((sql) => `(${sql})::text`);
  const [row] = await session.query<{ found: (string | null)[] }>(
    `SELECT ARRAY[${list.join(', ')}] AS found FROM ${relation.from}`,
  );
  const found = row?.found ?? [];
  const valueOf = (column: string, fact: string): string | null => {
    const position = wanted.findIndex((entry) => entry.column === column && entry.fact === fact);
    return position < 0 ? null : (found[position + 1] ?? null);
  };
  const columns = table.columns.map(({ name }): [string, ColumnScan] => [
    name,
    {
      facts: Object.fromEntries(
        ['null', 'infinite']
          .map((fact) => [fact, Number(valueOf(name, fact) ?? 0)] as const)
          .filter(([, count]) => count > 0),
      ),
      minInteger: valueOf(name, 'min'),
      maxInteger: valueOf(name, 'max'),
      // Not asked for: an index of the source is the proof that the values fit in one.
      maxLength: null,
      samples: {},
    },
  ]);
  return { rows: Number(found[0] ?? 0), columns: Object.fromEntries(columns) };
}

/** Reads all texts of the table: no SQL can tell valid UTF-8 there. */
async function withInvalidText(
  session: PostgresSession,
  table: Table,
  relation: Relation,
  scans: Readonly<Record<string, ColumnScan>>,
): Promise<Record<string, ColumnScan>> {
  const texts = table.columns.filter(
    ({ declaredType, generated }) => generated === null && holdsText(parseTypeName(declaredType)),
  );
  if (texts.length === 0) return scans;
  const keyColumns = table.primaryKey ?? [];
  const key = keySelect(keyColumns);
  const counts = new Map<string, { count: number; samples: RowKey[] }>();
  const select = [...key, ...texts.map(({ name }) => `${quotePostgresName(name)}::text`)];
  const lines = linesOf(session.copyOut(`SELECT ${select.join(', ')} FROM ${relation.from}`));
  for await (const batch of lines) {
    if (isUtf8(batch)) continue;
    for (const fields of splitFields(batch)) {
      for (const [position, { name }] of texts.entries()) {
        const value = unescapeField(fields[key.length + position]);
        if (value === null || isUtf8(value)) continue;
        const entry = counts.get(name) ?? { count: 0, samples: [] };
        entry.count += 1;
        if (entry.samples.length < MAX_SAMPLES) entry.samples.push(rowKeyOf(keyColumns, fields));
        counts.set(name, entry);
      }
    }
  }
  return Object.fromEntries(
    Object.entries(scans).map(([name, scan]) => {
      const entry = counts.get(name);
      if (entry === undefined) return [name, scan];
      return [
        name,
        {
          ...scan,
          facts: { ...scan.facts, invalidUtf8: entry.count },
          samples: { ...scan.samples, invalidUtf8: entry.samples },
        },
      ];
    }),
  );
}

/** Only a foreign key that was never validated can have rows that point nowhere. */
async function findOrphans(
  session: PostgresSession,
  schema: string,
  table: Table,
  relation: Relation,
): Promise<TableScan['orphans']> {
  const open = await session.query<{ name: string }>(
    `SELECT conname AS name FROM pg_constraint WHERE conrelid = $1 AND contype = 'f' AND NOT convalidated`,
    [relation.oid],
  );
  const names = new Set(open.map(({ name }) => name));
  const orphans: TableScan['orphans'][number][] = [];
  for (const [foreignKey, key] of table.foreignKeys.entries()) {
    if (!names.has(key.name ?? '')) continue;
    const parent = await relationOf(session, schema, key.references.table);
    const pairs = key.columns.map((column, position) => {
      const referenced = quotePostgresName(key.references.columns[position] ?? '');
      return `p.${referenced} = c.${quotePostgresName(column)}`;
    });
    const given = key.columns.map((column) => `c.${quotePostgresName(column)} IS NOT NULL`);
    const where = `FROM ${relation.from} AS c WHERE ${given.join(' AND ')}
      AND NOT EXISTS (SELECT FROM ${parent.from} AS p WHERE ${pairs.join(' AND ')})`;
    const [count] = await session.query<{ rows: string }>(`SELECT count(*) AS rows ${where}`);
    const rows = Number(count?.rows ?? 0);
    if (rows === 0) continue;
    const columns = table.primaryKey ?? [];
    const keys = columns.length === 0 ? key.columns : columns;
    const samples = await session.query<{ key: (string | null)[] }>(
      `SELECT ARRAY[${keys.map((name) => `c.${quotePostgresName(name)}::text`).join(', ')}] AS key ${where}
        ORDER BY 1 LIMIT ${String(MAX_SAMPLES)}`,
    );
    orphans.push({
      foreignKey,
      rows,
      samples: samples.map((row) =>
        Object.fromEntries(keys.map((name, position) => [name, row.key[position] ?? null])),
      ),
    });
  }
  return orphans;
}
