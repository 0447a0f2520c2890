import type { ChunkKey, KeyTuple, RowKey, Table, TableScan } from '../../contract.ts';
import { rowKeyValue } from '../../types/sqlite-cells.ts';
import { chooseChunkKey, walkBounds } from './chunk-key.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import { locatorReader } from './locator.ts';
import type { OpenDatabase } from './open.ts';
import { findOrphans } from './orphans.ts';
import { allRows, firstRow, type Row } from './query.ts';
import { rangeSql, type KeyRange } from './ranges.ts';
import { ColumnTally, MAX_SAMPLES, USUAL_WIDTH } from './column-tally.ts';
import { columnQueries } from './scan-facts.ts';
import { registerScanFunctions } from './scan-functions.ts';
import { accessTable, type TableAccess } from './table-access.ts';

/** Rows that one statement looks at: a statement cannot be interrupted, and samples are looked for in few rows. */
const RANGE_ROWS = 50_000;
/** SQLite gives at most 2000 columns in a result. */
const COLUMNS_A_PASS = 60;

const ROW_NUMBER: ChunkKey = { columns: [], kinds: ['integer'] };

/** One pass over the data of a table, range by range: what its columns really hold, how it can be cut, what points nowhere. */
export function scanTable(
  database: OpenDatabase,
  { table, chunkRows }: { readonly table: Table; readonly chunkRows: number },
): TableScan {
  const { db, encoding } = database;
  registerScanFunctions(db, encoding);
  const access = accessTable(db, table.name);
  const scanKey = access.rowid === null ? null : ROW_NUMBER;
  const columns = table.columns.map(
    (column) => new ColumnTally(column.name, columnQueries(column)),
  );
  let rows = 0;
  const ranges = rangesOf(
    scanKey === null ? [] : walkBounds(db, { access, key: scanKey, rows: RANGE_ROWS }),
  );
  for (const range of ranges)
    rows += tallyRange(database, { access, key: scanKey, range, columns });

  const scans = Object.fromEntries(columns.map((column) => [column.name, column.scan()]));
  const chunkKey = chooseChunkKey({ access, table, scans, encoding });
  return {
    table: table.name,
    rows,
    columns: scans,
    chunkKey,
    chunkBounds:
      chunkKey === null ? [] : walkBounds(db, { access, key: chunkKey, rows: chunkRows }),
    orphans: findOrphans(database, {
      access,
      table,
      ranges,
      readKeys: (where) => readKeys(database, { access, where }),
    }),
  };
}

interface RangeRequest {
  readonly access: TableAccess;
  readonly key: ChunkKey | null;
  readonly range: KeyRange;
  readonly columns: readonly ColumnTally[];
}

/** Counts the rows of one range, and adds what its columns hold. */
function tallyRange(database: OpenDatabase, { access, key, range, columns }: RangeRequest): number {
  // The order is of no use to an aggregate.
  const { from, condition, parameters } = rangeSql(access, key, range);
  const aggregate = (select: readonly string[]): Row =>
    firstRow(database.db, `SELECT ${select.join(', ')} ${from} WHERE ${condition}`, parameters);

  let rows = 0;
  const unusual: ColumnTally[] = [];
  for (const group of inGroups(columns)) {
    const row = aggregate(['count(*)', ...group.flatMap((column) => column.selectUsual())]);
    rows = Number(row[0]);
    const isUsual = (column: ColumnTally, position: number): boolean => {
      return column.addUsual(
        rows,
        row.slice(1 + position * USUAL_WIDTH, 1 + (position + 1) * USUAL_WIDTH),
      );
    };
    unusual.push(...group.filter((column, position) => !isUsual(column, position)));
  }

  for (const group of inGroups(unusual)) {
    const row = aggregate(group.flatMap((column) => column.select()));
    let position = 0;
    for (const column of group) {
      const seen = column.add(row.slice(position, position + column.width));
      position += column.width;
      for (const query of seen) {
        const where = `${condition} AND (${query.condition})`;
        const limit = column.samplesMissing(query.fact);
        column.addSamples(query.fact, readKeys(database, { access, where, parameters, limit }));
      }
    }
  }
  return rows;
}

function inGroups(columns: readonly ColumnTally[]): ColumnTally[][] {
  return Array.from({ length: Math.ceil(columns.length / COLUMNS_A_PASS) }, (_, group) =>
    columns.slice(group * COLUMNS_A_PASS, (group + 1) * COLUMNS_A_PASS),
  );
}

interface KeysRequest {
  readonly access: TableAccess;
  readonly where: string;
  readonly parameters?: Parameters<typeof allRows>[2];
  readonly limit?: number;
}

/** Keys of a few rows, for a person: the primary key, or the row number. */
function readKeys(
  { db, encoding }: OpenDatabase,
  { access, where, parameters = [], limit = MAX_SAMPLES }: KeysRequest,
): RowKey[] {
  const locator = locatorReader(access);
  const source = `FROM ${access.from} WHERE ${where} LIMIT ${String(limit)}`;
  if (access.primaryKey.length === 0) {
    const rows = allRows(db, `SELECT ${locator.select.join(', ') || 'NULL'} ${source}`, parameters);
    return rows.map(([rowid]) => ({ rowid: rowid === null ? null : String(rowid) }));
  }
  const select = exactSelect(access.primaryKey.map((name) => ({ name, realsAsText: false }))).join(
    ', ',
  );
  return allRows(db, `SELECT ${select} ${source}`, parameters).map((row) => {
    const cells = exactCells(row, 0, encoding);
    return Object.fromEntries(
      access.primaryKey.map((name, position) => [
        name,
        rowKeyValue(cells[position] ?? { type: 'null' }),
      ]),
    );
  });
}

function rangesOf(bounds: readonly KeyTuple[]): KeyRange[] {
  return [...bounds, null].map((upper, position) => ({
    lower: bounds[position - 1] ?? null,
    upper,
  }));
}
