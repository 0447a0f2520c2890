import type { ChunkKey, ColumnScan, KeyTuple, RowKey, Table, TableScan } from '../../contract.ts';
import { rowKeyValue } from '../../types/sqlite-cells.ts';
import { chooseChunkKey, walkBounds } from './chunk-key.ts';
import { exactCells, exactSelect } from './exact-rows.ts';
import { locatorReader } from './locator.ts';
import type { OpenDatabase } from './open.ts';
import { findOrphans } from './orphans.ts';
import { allRows, columnOf, firstRow, type Row } from './query.ts';
import { rangeSql, type KeyRange } from './ranges.ts';
import { columnQueries, type ColumnQueries, type FactQuery } from './scan-facts.ts';
import { registerScanFunctions } from './scan-functions.ts';
import { accessTable, type TableAccess } from './table-access.ts';

/** Rows that one statement looks at: a statement cannot be interrupted, and samples are looked for in few rows. */
const RANGE_ROWS = 50_000;
/** SQLite gives at most 2000 columns in a result. */
const COLUMNS_A_PASS = 60;
const MAX_SAMPLES = 5;

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
  for (const range of rangesOf(
    scanKey === null ? [] : walkBounds(db, { access, key: scanKey, rows: RANGE_ROWS }),
  )) {
    rows += tallyRange(database, { access, key: scanKey, range, columns });
  }

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
  let rows = 0;
  for (let first = 0; first === 0 || first < columns.length; first += COLUMNS_A_PASS) {
    const group = columns.slice(first, first + COLUMNS_A_PASS);
    const select = ['count(*)', ...group.flatMap((column) => column.select())].join(', ');
    const row = firstRow(database.db, `SELECT ${select} ${from} WHERE ${condition}`, parameters);
    rows = Number(row[0]);
    let position = 1;
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

/** What has been counted of one column so far. */
class ColumnTally {
  readonly name: string;
  readonly #queries: ColumnQueries;
  readonly #facts = new Map<string, number>();
  readonly #samples = new Map<string, RowKey[]>();
  #minInteger: bigint | null = null;
  #maxInteger: bigint | null = null;
  #maxLength: number | null = null;

  constructor(name: string, queries: ColumnQueries) {
    this.name = name;
    this.#queries = queries;
  }

  get width(): number {
    return this.#queries.facts.length + 4;
  }

  select(): string[] {
    const c = columnOf(this.name);
    const integers = `CASE typeof(${c}) WHEN 'integer' THEN ${c} END`;
    return [
      ...this.#queries.facts.map(({ condition }) => `coalesce(sum(${condition}), 0)`),
      `CAST(min(${integers}) AS TEXT)`,
      `CAST(max(${integers}) AS TEXT)`,
      `max(CASE typeof(${c}) WHEN 'text' THEN length(${c}) END)`,
      this.#queries.formCounts ?? 'NULL',
    ];
  }

  /** Adds one range's counts. Answers with the facts seen in it of which samples are still missing. */
  add(values: Row): FactQuery[] {
    const { facts, forms } = this.#queries;
    const seen = facts.filter(({ fact }, position) => this.#count(fact, Number(values[position])));
    const [min, max, length, formCounts] = values.slice(facts.length);
    if (typeof min === 'string') this.#minInteger = smaller(this.#minInteger, BigInt(min));
    if (typeof max === 'string') this.#maxInteger = greater(this.#maxInteger, BigInt(max));
    if (typeof length === 'number') this.#maxLength = Math.max(this.#maxLength ?? 0, length);
    const counts =
      typeof formCounts === 'string' ? (JSON.parse(formCounts) as Record<string, number>) : {};
    const seenForms = forms.filter(({ fact }) => this.#count(fact, counts[fact] ?? 0));
    return [...seen, ...seenForms].filter(
      ({ fact, sampled }) => sampled && this.samplesMissing(fact) > 0,
    );
  }

  samplesMissing(fact: string): number {
    return MAX_SAMPLES - (this.#samples.get(fact)?.length ?? 0);
  }

  addSamples(fact: string, keys: readonly RowKey[]): void {
    this.#samples.set(fact, [...(this.#samples.get(fact) ?? []), ...keys]);
  }

  scan(): ColumnScan {
    return {
      facts: Object.fromEntries([...this.#facts].sort(([a], [b]) => (a < b ? -1 : 1))),
      minInteger: this.#minInteger === null ? null : String(this.#minInteger),
      maxInteger: this.#maxInteger === null ? null : String(this.#maxInteger),
      maxLength: this.#maxLength,
      samples: Object.fromEntries([...this.#samples].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #count(fact: string, count: number): boolean {
    if (count > 0) this.#facts.set(fact, (this.#facts.get(fact) ?? 0) + count);
    return count > 0;
  }
}

function rangesOf(bounds: readonly KeyTuple[]): KeyRange[] {
  return [...bounds, null].map((upper, position) => ({
    lower: bounds[position - 1] ?? null,
    upper,
  }));
}

function smaller(a: bigint | null, b: bigint): bigint {
  return a === null || b < a ? b : a;
}

function greater(a: bigint | null, b: bigint): bigint {
  return a === null || b > a ? b : a;
}
