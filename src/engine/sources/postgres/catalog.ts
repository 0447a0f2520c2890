import type pg from 'pg';
import type { Catalog, Finding, UnmovedObject } from '../../contract.ts';
import type { PostgresColumnDetail } from '../../types/postgres.ts';
import { ExpressionWriter, objectKey } from './catalog-expressions.ts';
import * as queries from './catalog-queries.ts';
import type {
  CollationRow,
  ColumnRow,
  ConstraintRow,
  ExpressionRow,
  IndexRow,
  ObjectRow,
  RelationRow,
  SequenceRow,
  ServerRow,
  TypeRow,
} from './catalog-queries.ts';
import { isCounterOf, readCounters, toSequence, type Counter } from './catalog-sequences.ts';
import { buildTable } from './catalog-table.ts';
import { TypeCatalog } from './catalog-types.ts';
import type { PostgresSession } from './session.ts';

/** `PostgreSQL 16.4` */
export async function readVersion(session: PostgresSession): Promise<string> {
  const [row] = await session.query<{ version: string }>(
    `SELECT current_setting('server_version') AS version`,
  );
  return `PostgreSQL ${row?.version.split(' ')[0] ?? ''}`;
}

interface Found {
  readonly server: ServerRow;
  /** Of the database; null where the server does not tell. */
  readonly place: string | null;
  readonly relations: readonly RelationRow[];
  readonly columns: readonly ColumnRow[];
  readonly counters: readonly Counter[];
  readonly types: readonly TypeRow[];
  readonly others: readonly ObjectRow[];
  readonly collations: readonly CollationRow[];
  readonly largeObjects: number;
  readonly expressions: readonly ExpressionRow[];
  readonly indexes: readonly IndexRow[];
  readonly constraints: readonly ConstraintRow[];
}

/** What one schema holds, less what belongs to extensions. */
export async function readCatalog(session: PostgresSession, schema: string): Promise<Catalog> {
  const found = await find(session, schema);
  const isMoved = ({ kind, is_partition: isPartition }: RelationRow): boolean =>
    (kind === 'r' || kind === 'p') && !isPartition;
  const relations = found.relations.filter(isMoved);
  const moved = new Set(relations.map(({ oid }) => oid));
  const columns = found.columns.filter(({ relation }) => moved.has(relation));
  const types = new TypeCatalog({
    rows: found.types,
    schema,
    used: columns.map(({ type }) => type),
    keywords: found.server.keywords,
  });
  const columnsOf = groupByTable(columns);
  const counters = chooseCounters(relations, columnsOf, found);
  const ofColumns = new Set([...counters.values()].map(({ oid }) => oid));
  const sequences = found.counters.filter(
    ({ oid, is_identity: isIdentity }) => !ofColumns.has(oid) && !isIdentity,
  );
  const writer = new ExpressionWriter(found.server.keywords, {
    types: types.names,
    sequences: new Map(sequences.map(({ name }) => [objectKey(schema, name), name])),
  });

  const [expressionsOf, indexesOf, constraintsOf] = [
    groupByTable(found.expressions),
    groupByTable(found.indexes),
    groupByTable(found.constraints),
  ];
  const built = relations
    .filter((relation) => columnsOf(relation).length > 0)
    .map((relation) =>
      buildTable({
        relation,
        schema,
        columns: columnsOf(relation),
        expressions: new Map(expressionsOf(relation).map((row) => [row.number, row])),
        indexes: indexesOf(relation),
        constraints: constraintsOf(relation),
        counter: counters.get(relation.oid),
        writer,
        detailOf: (column) => ({ ...types.describe(column.type), ...serverDetail(found.server) }),
        collations: found.collations,
      }),
    );
  return {
    kind: 'postgres',
    version: `PostgreSQL ${found.server.version.split(' ')[0] ?? ''}`,
    ...(found.place === null ? {} : { place: `${found.place}/${schema}` }),
    tables: built.map(({ table }) => table).sort((a, b) => compareText(a.name, b.name)),
    unmoved: [...listUnmoved(found, schema), ...types.unmoved(schema)],
    ...(types.types.length === 0 ? {} : { types: types.types }),
    ...(sequences.length === 0 ? {} : { sequences: sequences.map(toSequence) }),
    findings: [
      ...built.flatMap(({ findings }) => findings),
      ...findEmptyTables(relations.filter((relation) => columnsOf(relation).length === 0)),
      ...findUnreadable(sequences),
      ...findLargeObjects(found.largeObjects),
    ],
  };
}

async function find(session: PostgresSession, schema: string): Promise<Found> {
  const server = await session.query<{ [Key in keyof ServerRow]: ServerRow[Key] }>(queries.SERVER);
  const [first] = server;
  if (first === undefined) throw new Error('the server says nothing of its database');
  const rowsOf = async <Row>(text: string): Promise<Row[]> =>
    (await session.query<pg.QueryResultRow>(text, text.includes('$1') ? [schema] : [])) as Row[];
  const place = await findPlace(session);
  const relations = await rowsOf<RelationRow>(queries.RELATIONS);
  const columns = await rowsOf<ColumnRow>(queries.COLUMNS);
  const counters = await readCounters(session, await rowsOf<SequenceRow>(queries.SEQUENCES));
  const types = await rowsOf<TypeRow>(queries.TYPES);
  const others = await rowsOf<ObjectRow>(queries.OTHER_OBJECTS);
  const collations = await rowsOf<CollationRow>(queries.COLLATIONS);
  const [largeObjects] = await rowsOf<{ count: string }>(queries.LARGE_OBJECTS);
  // From here on expressions come with every name in quotes.
  await session.query('SET LOCAL quote_all_identifiers = on');
  const quotedTypes = await rowsOf<TypeRow>(queries.TYPES);
  return {
    server: first,
    place,
    relations,
    columns,
    counters,
    types: types.map((row, position) => ({
      ...row,
      default_expression: quotedTypes[position]?.default_expression ?? null,
      constraints: quotedTypes[position]?.constraints ?? null,
    })),
    others,
    collations,
    largeObjects: Number(largeObjects?.count ?? 0),
    expressions: await rowsOf<ExpressionRow>(queries.EXPRESSIONS),
    indexes: await rowsOf<IndexRow>(queries.INDEXES),
    constraints: await rowsOf<ConstraintRow>(queries.CONSTRAINTS),
  };
}

async function findPlace(session: PostgresSession): Promise<string | null> {
  await session.query('SAVEPOINT place');
  try {
    const [row] = await session.query<{ place: string }>(queries.PLACE);
    return row?.place ?? null;
  } catch {
    // Some services do not let their users call the function.
    await session.query('ROLLBACK TO SAVEPOINT place');
    return null;
  }
}

/** Rows by the table that they are of: a schema may have thousands of tables. */
function groupByTable<Row extends { readonly relation: string }>(
  rows: readonly Row[],
): (relation: RelationRow) => readonly Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.relation);
    if (group === undefined) groups.set(row.relation, [row]);
    else group.push(row);
  }
  return ({ oid }) => groups.get(oid) ?? [];
}

/** Table → the counter of its numbering column. Of several the first: the others go on as sequences. */
function chooseCounters(
  relations: readonly RelationRow[],
  columnsOf: (relation: RelationRow) => readonly ColumnRow[],
  { counters, expressions }: Found,
): ReadonlyMap<string, Counter> {
  const chosen = new Map<string, Counter>();
  const expressionsOf = groupByTable(expressions);
  const countersOf = groupByTable(
    counters.map((counter) => ({ counter, relation: counter.owner_relation ?? '' })),
  );
  for (const relation of relations) {
    for (const { counter } of countersOf(relation)) {
      const column = columnsOf(relation).find(({ number }) => number === counter.owner_number);
      if (column === undefined) continue;
      const byDefault = expressionsOf(relation).find(({ number }) => number === column.number);
      if (!isCounterOf(counter, column, byDefault)) continue;
      if (!/^(?:smallint|integer|bigint)$/.test(column.declared)) continue;
      // PostgreSQL allows one identity a table, but any number of serial columns: the first of them is it.
      const other = chosen.get(relation.oid);
      const isEarlier = Number(column.number) < Number(other?.owner_number ?? Infinity);
      if (counter.is_identity || (other?.is_identity !== true && isEarlier))
        chosen.set(relation.oid, counter);
    }
  }
  return chosen;
}

function serverDetail(server: ServerRow): PostgresColumnDetail {
  return {
    ...(server.encoding === 'SQL_ASCII' ? { encoding: 'SQL_ASCII' } : {}),
    // pg_input_is_valid
    ...(Number(server.version_number) >= 160_000 ? { validates: 'true' } : {}),
  };
}

const UNMOVED_RELATIONS = { v: 'view', m: 'materialized view', f: 'foreign table' } as const;

function listUnmoved(found: Found, schema: string): UnmovedObject[] {
  const relations = found.relations.flatMap((row): UnmovedObject[] => {
    const { name, definition, kind } = row;
    if (row.is_partition) return [{ kind: 'partition', name, definition }];
    if (kind === 'r' || kind === 'p') return [];
    return [{ kind: UNMOVED_RELATIONS[kind], name, definition }];
  });
  const names = new Map(found.relations.map(({ oid, name }) => [oid, name]));
  const exclusions = found.constraints
    .filter(({ relation, kind, is_period: isPeriod }) => {
      const isPartition = found.relations.some((row) => row.oid === relation && row.is_partition);
      return !isPartition && (kind === 'x' || (isPeriod && kind !== 'f'));
    })
    .map(({ relation, name, definition }) => ({
      kind: 'exclusion constraint' as const,
      name: `${names.get(relation) ?? schema}.${name}`,
      definition,
    }));
  const others = found.others.map(({ kind, name, definition }) => ({ kind, name, definition }));
  return [...relations, ...exclusions, ...others].sort(
    (a, b) => compareText(a.kind, b.kind) || compareText(a.name, b.name),
  );
}

function findEmptyTables(relations: readonly RelationRow[]): Finding[] {
  return relations.map(({ name }) => ({
    severity: 'warning' as const,
    code: 'TABLE_WITHOUT_COLUMNS',
    table: null,
    column: null,
    message: `The table ${name} has no column: it is not moved`,
    count: null,
    samples: [],
  }));
}

function findUnreadable(sequences: readonly Counter[]): Finding[] {
  return sequences
    .filter((sequence) => !sequence.can_read)
    .map(({ name }) => ({
      severity: 'warning' as const,
      code: 'SEQUENCE_UNREADABLE',
      table: null,
      column: null,
      message: `The account may not read the sequence ${name}: it begins at its start again`,
      count: null,
      samples: [],
    }));
}

function findLargeObjects(count: number): Finding[] {
  if (count === 0) return [];
  const message =
    'The database has large objects, which are not moved: columns of type oid or lo go on naming them by their numbers';
  return [
    {
      severity: 'warning',
      code: 'LARGE_OBJECTS_NOT_MOVED',
      table: null,
      column: null,
      message,
      count,
      samples: [],
    },
  ];
}

/** By code unit: the machine's language must not change a catalog. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
