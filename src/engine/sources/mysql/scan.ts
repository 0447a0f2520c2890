import type { ColumnScan, RowKey, Table, TableScan } from '../../contract.ts';
import { selectList } from '../../types/mysql-sql.ts';
import { chooseChunkKey, walkBounds } from './chunk-key.ts';
import type { MysqlConnection, RawRow } from './connection.ts';
import { findOrphans } from './orphans.ts';
import { readRowKeys, type KeyReader } from './row-keys.ts';
import { extremes, factQueries, type ScannedColumn } from './scan-facts.ts';
import { scanJson } from './scan-json.ts';
import { accessTable, plannedColumn } from './table-access.ts';

/** The server takes 4096 expressions in a SELECT. */
const COLUMNS_A_PASS = 60;

/** One pass over the data of a table: what its columns really hold, how it can be cut, what points nowhere. */
export async function scanTable(
  connection: MysqlConnection,
  request: { readonly table: Table; readonly chunkRows: number; readonly signal: AbortSignal },
): Promise<TableScan> {
  // All statements see one moment, so that the counts agree.
  await connection.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  try {
    return await scanOneMoment(connection, request);
  } finally {
    if (!connection.isLost) await connection.run('ROLLBACK');
  }
}

async function scanOneMoment(
  connection: MysqlConnection,
  {
    table,
    chunkRows,
    signal,
  }: { readonly table: Table; readonly chunkRows: number; readonly signal: AbortSignal },
): Promise<TableScan> {
  const access = await accessTable(connection, table.name, signal);
  const columns = table.columns.map((column): ScannedColumn => {
    const source = plannedColumn(access, {
      source: column.name,
      declaredType: column.declaredType,
    });
    return { name: column.name, source, queries: factQueries(source) };
  });
  const readKeys: KeyReader = (where) => readRowKeys(connection, { access, ...where, signal });

  let rows = 0;
  const scans: Record<string, ColumnScan> = {};
  for (let from = 0; from === 0 || from < columns.length; from += COLUMNS_A_PASS) {
    const group = columns.slice(from, from + COLUMNS_A_PASS);
    const select = selectList(['COUNT(*)', ...group.flatMap(selectOf)]);
    const [row = []] = await connection.rows(`SELECT ${select} FROM ${access.sql}`, signal);
    rows = Number(textAt(row, 0));
    let position = 1;
    for (const column of group) {
      const width = selectOf(column).length;
      const values = row.slice(position, position + width);
      position += width;
      defineOwn(scans, column.name, await columnScan(column, values, readKeys));
    }
  }
  await scanJson(connection, { access, columns, scans, signal });
  const chunkKey = await chooseChunkKey(connection, { access, scans, signal });
  return {
    table: table.name,
    rows,
    columns: scans,
    chunkKey,
    chunkBounds:
      chunkKey === null
        ? []
        : await walkBounds(connection, { access, key: chunkKey, rows: chunkRows, signal }),
    orphans: await findOrphans(connection, { access, table, readKeys, signal }),
  };
}

function selectOf({ source, queries }: ScannedColumn): string[] {
  return [...extremes(source), ...queries.map(({ condition }) => `COALESCE(SUM(${condition}), 0)`)];
}

async function columnScan(
  { queries }: ScannedColumn,
  values: RawRow,
  readKeys: KeyReader,
): Promise<ColumnScan> {
  const [min, max, longest] = [textAt(values, 0), textAt(values, 1), textAt(values, 2)];
  const facts: Record<string, number> = {};
  const samples: Record<string, readonly RowKey[]> = {};
  for (const [index, { fact, condition }] of queries.entries()) {
    const count = Number(textAt(values, 3 + index));
    if (count === 0) continue;
    facts[fact] = count;
    if (fact !== 'null') samples[fact] = await readKeys({ condition });
  }
  return {
    facts,
    minInteger: min,
    maxInteger: max,
    maxLength: longest === null ? null : Number(longest),
    samples,
  };
}

/** Also right for a column that is called `__proto__`. */
function defineOwn<Value>(object: Record<string, Value>, name: string, value: Value): void {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function textAt(row: RawRow, position: number): string | null {
  return row[position]?.toString('latin1') ?? null;
}
