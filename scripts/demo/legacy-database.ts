import { DatabaseSync } from 'node:sqlite';
import { createRandom, type Random } from './random.ts';

const CUSTOMERS = 15_000;
const PRODUCTS = 1_200;
const ORDERS = 45_000;
const PAYMENTS = 30_000;
const EVENTS = 12_000;

/** What makes the file legacy: each of these has a table of its own in the report. */
const SCHEMA = `
  CREATE TABLE Categories (
    CategoryID INTEGER PRIMARY KEY AUTOINCREMENT,
    Name       VARCHAR(20) NOT NULL,
    ParentID   INTEGER REFERENCES Categories (CategoryID));
  CREATE TABLE Products (
    sku        TEXT PRIMARY KEY,
    CategoryID INTEGER REFERENCES Categories (CategoryID),
    title      VARCHAR(40) NOT NULL,
    price      DECIMAL(10,2) NOT NULL DEFAULT '0',
    weight     REAL,
    photo      BLOB) WITHOUT ROWID;
  CREATE TABLE Customers (
    CustomerID INTEGER PRIMARY KEY AUTOINCREMENT,
    FullName   VARCHAR(30) NOT NULL,
    email      TEXT COLLATE NOCASE,
    born       DATE,
    active     BOOLEAN DEFAULT 1,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    notes      TEXT);
  CREATE UNIQUE INDEX customers_email ON Customers (email);
  CREATE TABLE Orders (
    OrderID    INTEGER PRIMARY KEY AUTOINCREMENT,
    CustomerID INT NOT NULL REFERENCES Customers (CustomerID) ON DELETE CASCADE,
    ordered_at DATETIME NOT NULL,
    status     CHAR(1) NOT NULL DEFAULT 'N',
    total      NUMERIC(12,2));
  CREATE INDEX orders_by_customer ON Orders (CustomerID, ordered_at DESC);
  CREATE INDEX orders_open ON Orders (ordered_at) WHERE status = 'N';
  CREATE TABLE OrderLines (
    OrderID    INTEGER NOT NULL REFERENCES Orders (OrderID),
    line_no    INTEGER NOT NULL,
    sku        TEXT NOT NULL REFERENCES Products (sku),
    quantity   INTEGER NOT NULL,
    unit_price REAL NOT NULL,
    amount     REAL GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (OrderID, line_no));
  CREATE TABLE payments (
    id         INTEGER PRIMARY KEY,
    OrderID    INTEGER,
    paid_at    TIMESTAMP,
    cents      BIGINT,
    reference  VARCHAR(12));
  CREATE TABLE "select" (
    "group"    TEXT NOT NULL,
    "order"    INTEGER NOT NULL,
    "Value €"  TEXT,
    PRIMARY KEY ("group", "order"));
  CREATE TABLE event_log (at DATETIME, kind TEXT, payload TEXT);
  CREATE TABLE feature_flags (name TEXT PRIMARY KEY, enabled BOOLEAN);
  CREATE VIEW customer_totals AS
    SELECT CustomerID, count(*) AS orders, sum(total) AS spent FROM Orders GROUP BY CustomerID;
  CREATE TRIGGER orders_touch AFTER UPDATE ON Orders BEGIN SELECT 1; END;
`;

/** What the generator put in, so that a reader (and a test) can compare it with what the hub reports. */
export interface LegacyDatabase {
  readonly rows: number;
  /** Rows with a NUL or with invalid UTF-8, which PostgreSQL's text cannot hold. */
  readonly unstorableRows: number;
  /** Birthdays that are empty or `0000-00-00`. */
  readonly emptyDates: number;
  /** Orders whose customer was deleted long ago. */
  readonly orphanedRows: number;
}

/**
 * Writes a legacy shop into a new SQLite file: about 200,000 rows in nine tables, with a boolean that holds 2, dates as text
 * (some empty, some zero), money as text, orphaned keys, a NUL, invalid UTF-8, a table without a key, a reserved word as a
 * name, mixed case, a view and a trigger. The same every time.
 */
export function writeLegacyDatabase(path: string): LegacyDatabase {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN',
    );
    database.exec(SCHEMA);
    const random = createRandom(20_010_911);
    fillCatalog(database, random);
    const customers = fillCustomers(database, random);
    const orphanedRows = fillOrders(database, random);
    fillPayments(database, random);
    fillOddTables(database, random);
    database.exec('COMMIT');
    return { rows: countRows(database), orphanedRows, ...customers };
  } finally {
    database.close();
  }
}

const WORDS = [
  'Blue',
  'Oak',
  'Steel',
  'Éclair',
  'Größe',
  'North',
  'Tab\tbed',
  'O’Neill',
  'Back\\slash',
  '東京',
  '🚲 Bike',
];
const NAMES = [
  'Ana',
  'Björn',
  'Chloé',
  'Dmitri',
  'Eoin',
  'Fatima',
  'Grace',
  'Håkon',
  'İpek',
  'Jürgen',
  "D'Arcy",
];

function fillCatalog(database: DatabaseSync, random: Random): void {
  const category = database.prepare('INSERT INTO Categories VALUES (?, ?, ?)');
  for (let id = 1; id <= 60; id += 1)
    category.run(id, `${random.pick(WORDS)} goods ${String(id)}`, id > 8 ? 1 + (id % 8) : null);
  // The counter is ahead of the rows, as after deletions: the next id must not be given twice.
  database.exec('DELETE FROM Categories WHERE CategoryID > 55');

  const product = database.prepare('INSERT INTO Products VALUES (?, ?, ?, ?, ?, ?)');
  for (let number = 0; number < PRODUCTS; number += 1) {
    product.run(
      skuOf(number),
      1 + random.below(55),
      `${random.pick(WORDS)} ${random.pick(WORDS)} no. ${String(number)}`,
      random.below(100_000) / 100,
      random.below(5) === 0 ? null : random.below(1_000_000) / 997,
      random.below(4) === 0
        ? Buffer.from(Array.from({ length: 24 }, () => random.below(256)))
        : null,
    );
  }
}

function fillCustomers(
  database: DatabaseSync,
  random: Random,
): { unstorableRows: number; emptyDates: number } {
  const insert = database.prepare('INSERT INTO Customers VALUES (?, ?, ?, ?, ?, ?, ?)');
  const insertBroken = database.prepare(
    'INSERT INTO Customers VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TEXT))',
  );
  let unstorableRows = 0;
  let emptyDates = 0;
  for (let id = 1; id <= CUSTOMERS; id += 1) {
    const born =
      random.below(50) === 0 ? random.pick(['', '0000-00-00']) : dateOf(random, 1940, 65);
    if (born === '' || born === '0000-00-00') emptyDates += 1;
    const values = [
      id,
      `${random.pick(NAMES)} ${random.pick(NAMES)}${id % 997 === 0 ? ' of the very long and winding name' : ''}`,
      random.below(20) === 0 ? null : `Customer${String(id)}@Example.com`,
      born,
      // Somebody once needed a third state and did not tell the schema.
      random.below(100) === 0 ? 2 : random.below(2),
      `${dateOf(random, 1999, 10)} ${timeOf(random)}`,
    ] as const;
    if (id % 3000 === 1500) {
      insertBroken.run(...values, Buffer.from('called\0back', 'latin1'));
      unstorableRows += 1;
    } else if (id % 3000 === 2500) {
      insertBroken.run(...values, Buffer.from('caf\xe9 at noon', 'latin1'));
      unstorableRows += 1;
    } else {
      insert.run(
        ...values,
        random.below(3) === 0 ? `Line one\nline two, ${random.pick(WORDS)}` : null,
      );
    }
  }
  return { unstorableRows, emptyDates };
}

function fillOrders(database: DatabaseSync, random: Random): number {
  const order = database.prepare('INSERT INTO Orders VALUES (?, ?, ?, ?, ?)');
  const line = database.prepare(
    'INSERT INTO OrderLines (OrderID, line_no, sku, quantity, unit_price) VALUES (?, ?, ?, ?, ?)',
  );
  let orphanedRows = 0;
  for (let id = 1; id <= ORDERS; id += 1) {
    const isOrphan = random.below(900) === 0;
    if (isOrphan) orphanedRows += 1;
    const lines = 1 + random.below(4);
    let total = 0;
    for (let number = 1; number <= lines; number += 1) {
      const [quantity, price] = [1 + random.below(9), random.below(20_000) / 100];
      total += quantity * price;
      line.run(id, number, skuOf(random.below(PRODUCTS)), quantity, price);
    }
    const customer = isOrphan ? CUSTOMERS + 1 + random.below(500) : 1 + random.below(CUSTOMERS);
    order.run(
      id,
      customer,
      `${dateOf(random, 2003, 15)} ${timeOf(random)}`,
      random.pick(['N', 'P', 'S', 'X']),
      Math.round(total * 100) / 100,
    );
  }
  return orphanedRows;
}

function fillPayments(database: DatabaseSync, random: Random): void {
  const insert = database.prepare('INSERT INTO payments VALUES (?, ?, ?, ?, ?)');
  for (let number = 1; number <= PAYMENTS; number += 1) {
    // Sparse ids, some beyond 2^53, where a JavaScript number would be another one.
    const id =
      number > PAYMENTS - 100 ? 9_007_199_254_740_993n + BigInt(number) : BigInt(number) * 37n;
    const cents =
      number % 5000 === 0 ? 9_223_372_036_854_775_807n : BigInt(random.below(5_000_000));
    insert.run(
      id,
      1 + random.below(ORDERS),
      1_050_000_000 + random.below(400_000_000),
      cents,
      `REF-${String(number)}`,
    );
  }
}

function fillOddTables(database: DatabaseSync, random: Random): void {
  const reserved = database.prepare('INSERT INTO "select" VALUES (?, ?, ?)');
  for (let number = 0; number < 500; number += 1)
    reserved.run(random.pick(['from', 'where', 'having']), number, random.pick(WORDS));

  const event = database.prepare('INSERT INTO event_log VALUES (?, ?, ?)');
  for (let number = 0; number < EVENTS; number += 1) {
    const at = `${dateOf(random, 2010, 5)}T${timeOf(random)}Z`;
    const payload = `{"n":${String(number)},"d":1.0}`;
    event.run(at, random.pick(['login', 'logout', 'click']), payload);
    // Without a key the same row can be there twice, and both have to arrive.
    if (number % 400 !== 0) continue;
    event.run(at, 'twice', payload);
    event.run(at, 'twice', payload);
  }
}

function countRows(database: DatabaseSync): number {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return tables.reduce((sum, { name }) => {
    const row = database.prepare(`SELECT count(*) AS rows FROM "${String(name)}"`).get();
    return sum + Number(row?.rows);
  }, 0);
}

function skuOf(number: number): string {
  return `SKU-${String(number * 7919).padStart(8, '0')}`;
}

function dateOf(random: Random, firstYear: number, years: number): string {
  const day = new Date(
    Date.UTC(firstYear + random.below(years), random.below(12), 1 + random.below(28)),
  );
  return day.toISOString().slice(0, 10);
}

function timeOf(random: Random): string {
  const two = (limit: number): string => String(random.below(limit)).padStart(2, '0');
  return `${two(24)}:${two(60)}:${two(60)}`;
}
