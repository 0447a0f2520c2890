import type pg from 'pg';
import { AppError } from '../../../errors/app-error.ts';
import type { Plan, PlannedSchemaObject, PlannedTable } from '../../contract.ts';
import { createSchemaObjectSql } from '../../target/ddl.ts';
import { qualifiedName } from '../../target/identifiers.ts';
import type { Ledger } from '../../target/ledger.ts';
import type { Target } from '../../target/target.ts';

interface FoundObject {
  readonly kind: PlannedSchemaObject['kind'] | 'function' | 'relation';
  readonly name: string;
  readonly oid: string;
}

/** Everything that can have the name of a planned type, sequence, collation or function. Tables bring a type of their name. */
const FIND_OBJECTS = `
  SELECT c.kind, c.name, c.oid::bigint AS oid
    FROM (SELECT 'type' AS kind, oid, typnamespace AS namespace, typname AS name FROM pg_type
          UNION ALL SELECT 'collation', oid, collnamespace, collname FROM pg_collation
          UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, oid, relnamespace, relname FROM pg_class
          UNION ALL SELECT 'function', oid, pronamespace, proname FROM pg_proc) c
    JOIN pg_namespace n ON n.oid = c.namespace
   WHERE n.nspname = $1 AND c.name = ANY ($2::text[]) ORDER BY c.kind, c.name`;

export interface SchemaObjectsRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly signal: AbortSignal;
}

/**
 * The types, collations and sequences of the plan that are still to be made. One that somebody else has made is used where it is
 * the same: then it stays when the job is rolled back. `occupied`: names that something else has, for a person.
 */
export async function findPendingObjects({ target, ledger, plan }: SchemaObjectsRequest): Promise<{
  readonly pending: readonly PlannedSchemaObject[];
  readonly occupied: readonly string[];
}> {
  const { schemaObjects = [] } = plan;
  if (schemaObjects.length === 0) return { pending: [], occupied: [] };
  const found = await findObjects(target, plan, names(schemaObjects));
  const own = new Set((await ledger.schemaObjects()).map(({ kind, oid }) => `${kind} ${oid}`));
  const pending: PlannedSchemaObject[] = [];
  const occupied: string[] = [];
  for (const object of schemaObjects) {
    const existing = found.find(({ kind, name }) => kind === object.kind && name === object.name);
    const isRelation = found.some(({ kind, name }) => kind === 'relation' && name === object.name);
    if (object.kind === 'sequence' && isRelation) occupied.push(`the relation ${object.name}`);
    else if (existing === undefined) pending.push(object);
    else if (own.has(`${existing.kind} ${existing.oid}`)) continue;
    else if (!(await isUsable(target, plan, object)))
      occupied.push(`the ${object.kind} ${object.name}`);
  }
  return { pending, occupied };
}

/**
 * Functions in the way of the triggers of tables that are to be made: these come when all rows are copied. Functions of triggers
 * of the tables in `dropped` (oids) go with these.
 */
export async function findTakenFunctions(
  target: Target,
  plan: Plan,
  tables: readonly PlannedTable[],
  dropped: readonly string[],
): Promise<string[]> {
  const functions = tables.flatMap(({ triggers = [] }) => names(triggers));
  if (functions.length === 0) return [];
  const found = await findObjects(target, plan, functions);
  const own = await target.query<{ oid: string }>(
    'looking for the functions of triggers',
    'SELECT tgfoid::bigint AS oid FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::bigint = ANY ($1::bigint[])',
    [dropped],
  );
  const going = new Set(own.map(({ oid }) => oid));
  return found
    .filter(({ kind, oid }) => kind === 'function' && !going.has(oid))
    .map(({ name }) => `the function ${name}`);
}

function names(objects: readonly { readonly name: string }[]): string[] {
  return objects.map(({ name }) => name);
}

async function findObjects(
  target: Target,
  { options }: Plan,
  wanted: readonly string[],
): Promise<FoundObject[]> {
  const what = 'looking for existing types, collations and sequences';
  return await target.query<{ [Key in keyof FoundObject]: FoundObject[Key] }>(what, FIND_OBJECTS, [
    options.targetSchema,
    wanted,
  ]);
}

/** What is compared of a type, collation or sequence; of a composite type its columns, of a domain its rules. */
const FINGERPRINT = `
  SELECT concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
           t.typcollation::regcollation,
           (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
           (SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY 1) FROM pg_constraint WHERE contypid = t.oid),
           (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation::regcollation), ',' ORDER BY attnum)
              FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped),
           (SELECT concat_ws(' ', rngsubtype::regtype, rngsubopc, rngcollation::regcollation, rngcanonical, rngsubdiff)
              FROM pg_range WHERE rngtypid = t.oid)) AS fingerprint
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE 'type' = $1 AND n.nspname = $2 AND t.typname = $3
     AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
   UNION ALL
  SELECT to_jsonb(c) - ARRAY['oid', 'collname', 'collnamespace', 'collowner', 'collversion'] #>> '{}'
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
   WHERE 'collation' = $1 AND n.nspname = $2 AND c.collname = $3
   UNION ALL
  SELECT to_jsonb(s) - 'seqrelid' #>> '{}'
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE 'sequence' = $1 AND n.nspname = $2 AND c.relname = $3`;

const COMPARED_NAME = 'hub_compared_object';

/**
 * True where what is there is what would be made. The planned one is made under another name, compared, and gone again. A
 * sequence is only taken over together with the tables that it numbers: whatever it is where these stay, and where they are
 * replaced if it counts alike.
 */
async function isUsable(target: Target, plan: Plan, object: PlannedSchemaObject): Promise<boolean> {
  const { onExisting } = plan.options;
  if (object.kind === 'sequence' && onExisting !== 'drop')
    return onExisting === 'truncate' || onExisting === 'append';
  const { kind, schema, name, sql } = object;
  const compared = sql.replace(qualifiedName({ schema, target: name }), () =>
    qualifiedName({ schema, target: COMPARED_NAME }),
  );
  return await target.withSession(`comparing the existing ${kind} ${name}`, async (session) => {
    const read = async (called: string): Promise<string | undefined> =>
      (await session.query<{ fingerprint: string }>(FINGERPRINT, [kind, schema, called])).rows[0]
        ?.fingerprint;
    await session.query('BEGIN');
    try {
      const existing = await read(name);
      await session.query(compared);
      return existing !== undefined && existing === (await read(COMPARED_NAME));
    } catch (error) {
      // It rests on another type that is not there yet: so it is another one.
      if ((error as { code?: string }).code === '42704') return false;
      throw error;
    } finally {
      await session.query('ROLLBACK');
    }
  });
}

/** Each with its row in the ledger in one transaction. Throws TARGET_LACKS_ICU. */
export async function createSchemaObjects(
  { target, ledger, signal }: SchemaObjectsRequest,
  pending: readonly PlannedSchemaObject[],
): Promise<void> {
  for (const object of pending) {
    signal.throwIfAborted();
    await target
      .inTransaction(
        `creating ${object.kind} ${object.name}`,
        (session) => createObject(session, ledger, object),
        signal,
      )
      .catch((error: unknown) => {
        throw explain(object, error);
      });
  }
}

async function createObject(
  session: pg.PoolClient,
  ledger: Ledger,
  { kind, schema, name, ...object }: PlannedSchemaObject,
): Promise<void> {
  for (const sql of createSchemaObjectSql({ kind, schema, name, ...object }))
    await session.query(sql);
  const { rows } = await session.query<FoundObject>(FIND_OBJECTS, [schema, [name]]);
  const made = rows.find((row) => row.kind === kind);
  await ledger.recordSchemaObject(session, { kind, schema, name, oid: made?.oid ?? '0' });
}

/** SQLSTATEs of a name that somebody took after we had looked: before the statement, and in the very same moment. */
const MADE_MEANWHILE = new Set(['42710', '42P07', '23505']);

function explain({ kind, name }: PlannedSchemaObject, error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'TARGET_REFUSED') return error;
  const { sqlState, reason } = error.details;
  if (MADE_MEANWHILE.has(String(sqlState))) {
    const busy = `the ${kind} ${name} was just made by somebody else`;
    return new AppError('TARGET_BUSY', { reason: busy }, { cause: error });
  }
  if (kind !== 'collation') return error;
  // A server without ICU, or one too old for collations that do not tell all values apart.
  const field = 'options.policies.keyCollation';
  return new AppError('TARGET_LACKS_ICU', { reason, field }, { cause: error });
}
