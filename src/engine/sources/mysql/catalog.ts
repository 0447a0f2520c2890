import type { Catalog, Table } from '../../contract.ts';
import { COLUMNS_SQL, isAutoIncrement, readColumn, withExactDefaults } from './catalog-columns.ts';
import {
  checksSql,
  FOREIGN_KEY_ACTIONS_SQL,
  FOREIGN_KEY_COLUMNS_SQL,
  indexesSql,
  jsonColumns,
  readChecks,
  readForeignKeys,
  readIndexes,
  readPrimaryKey,
} from './catalog-keys.ts';
import { withExactLabels } from './catalog-labels.ts';
import { readProduct, type Product } from './catalog-product.ts';
import {
  compareText,
  groupByTable,
  presentText,
  textRows,
  type CatalogQuery,
  type TextRow,
} from './catalog-query.ts';
import { readUnmoved } from './catalog-unmoved.ts';

const TABLES_SQL = `
  SELECT TABLE_NAME AS table_name, TABLE_TYPE AS type, CAST(AUTO_INCREMENT AS CHAR) AS counter, TABLE_COMMENT AS comment
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?`;

/** A system-versioned table of MariaDB is read as it is now: its history is no part of what SELECT shows. */
const TABLE_TYPES: readonly unknown[] = ['BASE TABLE', 'SYSTEM VERSIONED'];

/**
 * The tables of one database and what belongs to them, of MariaDB and of MySQL from 5.7 on, as far as the account may see
 * them. Some statements are run one after the other on one session; nothing is changed but settings of that session.
 */
export async function readCatalog(query: CatalogQuery, database: string): Promise<Catalog> {
  const product = await readProduct(query);
  // MySQL 8 answers counters from a cache that is up to a day old.
  if (product.name === 'MySQL' && product.isAtLeast(8))
    await query('SET SESSION information_schema_stats_expiry = 0', []);

  const all = await textRows(query, TABLES_SQL, [database]);
  const facts = await readFacts(query, database, product);
  const tables: Table[] = [];
  for (const row of all.filter(({ type }) => TABLE_TYPES.includes(type))) {
    const table = describeTable(row, facts, { database, product });
    tables.push(product.name === 'MariaDB' ? await withExactTexts(query, database, table) : table);
  }
  const sequences = all
    .filter(({ type }) => type === 'SEQUENCE')
    .map((row) => row.table_name ?? '');
  return {
    kind: 'mysql',
    version: `${product.name} ${product.version}`,
    tables: tables.sort((a, b) => compareText(a.name, b.name)),
    unmoved: await readUnmoved(query, database, sequences),
  };
}

/** What MariaDB's information_schema prints with `?` for characters that it cannot print, read in another way. */
async function withExactTexts(query: CatalogQuery, database: string, table: Table): Promise<Table> {
  const place = { database, table: table.name };
  const columns = await withExactDefaults(query, place, table.columns);
  return { ...table, columns: await withExactLabels(query, place, columns) };
}

type Grouped = ReadonlyMap<string, TextRow[]>;

interface Facts {
  readonly columns: Grouped;
  readonly indexes: Grouped;
  readonly foreignKeys: Grouped;
  readonly actions: Grouped;
  readonly checks: Grouped;
}

async function readFacts(query: CatalogQuery, database: string, product: Product): Promise<Facts> {
  const read = async (sql: string | null): Promise<Grouped> =>
    sql === null ? new Map() : groupByTable(await textRows(query, sql, [database]));
  return {
    columns: await read(COLUMNS_SQL),
    indexes: await read(indexesSql(product)),
    foreignKeys: await read(FOREIGN_KEY_COLUMNS_SQL),
    actions: await read(FOREIGN_KEY_ACTIONS_SQL),
    checks: await read(checksSql(product)),
  };
}

function describeTable(
  row: TextRow,
  facts: Facts,
  { database, product }: { readonly database: string; readonly product: Product },
): Table {
  const name = row.table_name ?? '';
  const of = (grouped: Grouped): readonly TextRow[] => grouped.get(name) ?? [];
  const columns = of(facts.columns);
  const json = jsonColumns(of(facts.checks), columns);
  const counted = columns.find(isAutoIncrement);
  return {
    name,
    columns: columns.map((column) => readColumn(column, product, json.has(column.name ?? ''))),
    primaryKey: readPrimaryKey(of(facts.indexes)),
    indexes: readIndexes(of(facts.indexes)),
    foreignKeys: readForeignKeys(database, of(facts.foreignKeys), of(facts.actions)),
    checks: readChecks(of(facts.checks), json),
    identity:
      counted === undefined
        ? null
        : { column: counted.name ?? '', lastValue: lastValueOf(row.counter) },
    comment: presentText(row.comment),
  };
}

/** AUTO_INCREMENT is the number that comes next. */
function lastValueOf(counter: string | null | undefined): string | null {
  return counter ? String(BigInt(counter) - 1n) : null;
}
